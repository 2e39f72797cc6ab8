//! Forwards an admitted request: which upstream gets it, what the upstream reads of it, and what the client reads
//! of the answer.

mod exchange;
mod failure;
mod fields;
mod forwarded;
mod identity;
mod path;
mod response_body;
mod routing;
mod service;
mod shape;
mod table;
mod trailers;
mod tunnel;
mod upgrade;
mod websocket;

pub(crate) use fields::host;
pub(crate) use response_body::ResponseBody;
pub(crate) use routing::Routing;
pub(crate) use service::Forward;
pub(crate) use table::ServedBy;
pub(crate) use trailers::strip_request_trailers;
