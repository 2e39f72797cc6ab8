//! A console for people: web pages over the operations of [`management`](crate::management).
//!
//! This module guards the session of a person who manages keys. A page is shown, and a form is carried out, if
//!
//! 1. the cookie of the request belongs to a session that has not ended;
//! 2. a gate over the store admits the key that has opened the session, at every request. A revoked, expired or disabled
//!    key ends its sessions with the next request;
//! 3. for a form: the browser says that a page of the same origin sends it, and the form has the text of its session;
//! 4. the operation allows it to the [`Caller`](crate::management::Caller). No rule lives in a page.
//!
//! # Sessions
//!
//! A sign-in sends a key once, in a form. The gate checks the key as it checks those of other requests, and limits failed
//! sign-ins by network. The server answers with a cookie that has 256 random bits, and keeps digests only: one of the
//! cookie, and one of the key. Sessions are kept in the memory of one process, and end with it. If several processes serve
//! a console, a balancer must send a browser to the same one each time.
//!
//! # Deployment
//!
//! Serve the console over HTTPS, with proof of it as your gates need it: see
//! [`ConsoleBuilder::gate`]. Without proof every page is refused. Each page works without its script.

mod account_form;
mod accounts;
mod assets;
mod builder;
mod changes;
mod chart;
mod confirm;
mod conflict;
#[expect(clippy::module_inception, reason = "the module is named for its main type")]
mod console;
mod cookie;
mod doors;
mod endings;
mod fields;
mod frame;
mod key_form;
mod key_page;
mod key_values;
mod labels;
mod list_filter;
mod listing;
mod origin;
mod permissions;
mod policies;
mod policy_form;
mod policy_values;
mod problem;
mod protection;
mod quota_rows;
mod quotas;
mod rules;
mod secret_page;
mod session_store;
mod sessions;
mod shared;
mod sign_in;
mod text;
mod usage;
mod visit;

pub use builder::ConsoleBuilder;
pub use console::Console;
pub use sessions::{ConsoleSessions, SessionLimits};
