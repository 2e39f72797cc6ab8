//! Errors, by reader: [`ConfigError`] is for the developer, [`StoreError`] and [`LimiterError`] are for the
//! operator, [`Denial`] decides what the client gets. None of them holds a key, a header value or a URI.

mod config;
mod denial;
mod each_kind;
mod escaped;
mod invalid_path_answers;
mod invalid_route;
mod limiter;
mod needed_scopes;
mod scope_need;
mod store;
mod unknown_name;

pub use config::ConfigError;
pub use denial::{Denial, HeaderProblem, Malformation};
pub use invalid_path_answers::InvalidPathAnswers;
pub use invalid_route::InvalidRoute;
pub use limiter::LimiterError;
pub use needed_scopes::{NeededScopes, ScopeChoice};
pub use scope_need::ScopeNeed;
pub use store::StoreError;
pub use unknown_name::UnknownName;
