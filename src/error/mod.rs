//! Errors have readers: [`ConfigError`] the developer, [`StoreError`] and [`LimiterError`] the operator,
//! [`Denial`] the client. None holds a key, a header value or a URI.

mod config;
mod denial;
mod limiter;
mod store;
mod unknown_name;

pub use config::ConfigError;
pub use denial::{Denial, HeaderProblem, Malformation};
pub use limiter::LimiterError;
pub use store::StoreError;
pub use unknown_name::UnknownName;
