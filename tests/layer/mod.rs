//! The layer as a tower service: what reaches the inner service, and what comes back.

mod account;
mod anonymous;
mod audience;
mod bodies;
mod concurrency;
mod contradictions;
mod cost;
mod credential;
mod described;
mod environment;
mod explain;
mod failures;
mod fallback;
mod grant;
mod limit_fields;
mod plans;
mod principal;
mod printed;
mod proxies;
mod query;
mod readiness;
mod scopes;
mod secrets;
mod shadow;
mod sources;
mod standing;
