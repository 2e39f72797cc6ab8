//! Mistakes as people read them.

mod error;
mod hidden;
mod mistake;
mod picture;

pub use error::FrontDoorError;
pub use mistake::Mistake;
