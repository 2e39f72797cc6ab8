//! Profiles, which describe how a vendor authenticates requests.
//!
//! A [`Profile`] is data. A file that describes a vendor imports the parts of a profile from this
//! module, the format of keys from [`key`](crate::key), and quotas from [`quota`](crate::quota).
//! [`vendors`](crate::vendors) has five examples. To copy no vendor, start from
//! [`Profile::STANDARD`](crate::Profile::STANDARD).
//!
//! This module guards refusals. Whatever a profile says, a refusal has
//!
//! 1. the status, body and challenge of the profile's row for its reason;
//! 2. an error status, unless a row says [`insecure_success`](Answer::insecure_success);
//! 3. `Cache-Control: no-store`, and `WWW-Authenticate` on every 401 (RFC 9110 §15.5.2);
//! 4. `Retry-After` on every 429, in whole seconds, rounded up, at least 1, unless a row says
//!    [`without_retry_after`](Answer::without_retry_after).
//!
//! The client of a call of a [named gRPC service](crate::ApiKeyLayerBuilder::grpc_services) gets the same reason in gRPC's own form: HTTP status 200, a [`GrpcCode`] in
//! `grpc-status`, and the text of the row in `grpc-message`. The headers of the refusal are its metadata. If
//! `Retry-After` is among them, `grpc-status-details-bin` has a `google.rpc.RetryInfo`. A request is a gRPC
//! call if it is a `POST` with the `Content-Type` `application/grpc`, alone or with a suffix as in
//! `application/grpc+proto`, and its path is that of the service's method. gRPC-Web is another protocol, and is
//! refused over HTTP.
//!
//! If a gate admits anonymous requests, every response names in `Vary` each header that can carry a
//! credential. So no shared cache answers a request that has a key with the response to an anonymous
//! request.
//!
//! Only the gate writes the [principal headers](PrincipalHeader) of a profile. It removes what a
//! service writes under their names.
//!
//! Texts of answers have facts of the refusal where they name them in braces: see
//! [placeholders](ErrorBody#placeholders). A function of the profile gets the same facts as a [`Refusal`]. The gate
//! escapes the facts of texts. Before authentication they have nothing of the key, except what a row asks for as
//! `{insecure_expired_at}`.
//!
//! If a vendor documents one text for several reasons, the rows are equal, and so are the bytes of the
//! responses. Equal rows have one [`GrpcCode`], too, unless a row names its own. Only the [`Denial`](crate::Denial) in the response's extensions tells the reasons apart.
//! In a deployment, do not let an outer layer write it into the response.

mod answer;
mod answers;
mod body;
mod by_header;
mod by_quota;
mod challenge;
mod content_type;
pub(crate) mod description;
mod exceeded;
mod grpc;
mod limit_field;
mod limit_headers;
mod own_challenges;
mod own_status;
mod path_answers;
mod principal;
mod problem;
mod refusal;
mod request_id;
mod required_header;
mod response_header;
mod scheme_challenge;
mod source;
mod standard;
mod status_number;

pub use answer::{Answer, HeaderAnswer, QuotaAnswer};
pub use answers::Answers;
pub(crate) use answers::RenderedAnswers;
pub use body::{CustomBody, ErrorBody};
pub use challenge::Challenge;
pub(crate) use description::Profile;
pub(crate) use exceeded::ExceededQuotas;
pub use grpc::GrpcCode;
pub use limit_field::{LimitField, LimitValue};
pub use limit_headers::{Dialect, LimitHeaders, Reset};
pub use path_answers::PathAnswers;
pub use principal::{PrincipalHeader, PrincipalValue};
pub use problem::{Problem, ProblemMember, ProblemValue};
pub use refusal::Refusal;
pub use request_id::RequestIdHeader;
pub use required_header::{Expected, RequiredHeader};
pub use response_header::ResponseHeader;
pub use scheme_challenge::SchemeChallenge;
pub use source::{BasicKey, CredentialSource, Scheme};
pub(crate) use status_number::reason_phrase;
