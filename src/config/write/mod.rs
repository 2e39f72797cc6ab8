//! Writes descriptions as files, as a person would.

mod file;
mod layout;
mod unwritable;

pub use file::to_toml;
pub use unwritable::UnwritableProfile;
