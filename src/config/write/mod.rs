//! Writes descriptions as files, as a person would.

mod file;
mod layout;
mod unwritable;

pub use file::profile_to_toml;
pub use unwritable::UnwritableProfile;
