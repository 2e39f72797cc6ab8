//! A layer that shapes JSON responses by key: it writes names in another case, and removes attributes.
//!
//! This module guards attributes that a key must not see. A [`ShapingLayer`] stands inside of the gate, and learns from
//! the [`Grant`](crate::Grant) what the key's record says:
//!
//! ```
//! # #[cfg(feature = "axum")] fn app() -> Result<axum::Router, Box<dyn std::error::Error>> {
//! use axum::{Router, routing::get};
//! use tower_api_key::shaping::{OnUnshaped, ShapingLayer};
//! use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
//!
//! let gate = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new()).build()?;
//! let shaping = ShapingLayer::builder(1024 * 1024, OnUnshaped::Refuse)
//!     .inflection_metadata("key_inflection") // `KeyRecordBuilder::metadata("key_inflection", "camel")`
//!     .blocklist_metadata("attribute_blocklist") // … `"birthdate,data.attributes.name-first"`
//!     .inflection_header("Key-Inflection")
//!     .build()?;
//!
//! let inquiry = || async { ([("content-type", "application/json")], r#"{"name-first": "Ada"}"#) };
//! // axum calls the last layer first: the gate, then the shaping.
//! let app = Router::new().route("/inquiry", get(inquiry)).layer(shaping).layer(gate);
//! # Ok(app) }
//! ```
//!
//! # When a response passes
//!
//! A response passes if
//!
//! 1. no shape applies to it: neither the layer, nor the key, nor the request's header asks for a change;
//! 2. or its media type is no JSON. JSON is every type with `json` in its name, as `application/vnd.api+json`, and a
//!    body without a `Content-Type`. gRPC passes, and so do all other types, whatever is in them, but with a blocklist
//!    in force not the [vague ones](#where-a-blocklist-is-in-force);
//! 3. or it has no content: a response to HEAD, 204, 304 and 1xx;
//! 4. or it is one JSON document in UTF-8 of at most `max_bytes` bytes, not encoded, not partial, and nested at
//!    most 256 levels deep. Then it passes shaped, whatever its status is.
//!
//! All others cannot be shaped: larger bodies, encoded ones, status 206 and 226, text that is no JSON, and sequences,
//! such as `application/x-ndjson`, `text/event-stream` and `multipart/*`. With a blocklist in force the client gets the
//! vendor's internal error instead. Otherwise [`OnUnshaped`] decides. [`ShapingFailure`] tells the operator why, by
//! [`on_failure`](ShapingLayerBuilder::on_failure).
//!
//! An attribute on the blocklist is removed whatever its value, its depth and its case are, and if the body repeats it.
//! The layer reads bodies of JSON only: no header, no trailer, no other media type, and no JSON inside of a string.
//!
//! # Where a blocklist is in force
//!
//! Services send JSON under types that do not say so: axum sends a `String` as `text/plain`. So the layer looks at the
//! bodies of vague types: `text/plain`, `application/octet-stream`, `binary/octet-stream`, types with `*` or `unknown`,
//! and a `Content-Type` with a comma. A body whose first sign is `{` or `[` is shaped as JSON, or refused. White space,
//! a byte order mark and zeros may stand before the sign. All other bodies of these types pass as they are, of any
//! size. So does JSON after other text.
//!
//! These are refused whatever [`OnUnshaped`] says: types of JavaScript, which may call a function with JSON; status 101
//! and an answer of 2xx to CONNECT, after which the layer reads nothing. Put WebSockets outside of this layer.
//!
//! # What else changes
//!
//! * The inner service gets `Accept-Encoding: identity`, and no `Range` and `If-Range`, if a shape applies.
//! * `Content-Length` is that of the shaped body; the response to HEAD has none, unless the service sends HEAD the
//!   body of GET. `Accept-Ranges` and digests of the body (`Content-MD5`, `Digest`, `Content-Digest`, `Repr-Digest`)
//!   are removed; digests also without content, as from 204 and 304.
//! * `ETag` gets a mark of the case, and the layer takes the mark off `If-None-Match` and `If-Match`. A client that
//!   holds a response in another case gets the body anew.
//! * With a blocklist in force there is no `ETag` on any response. It can be a digest of the service's body, by which
//!   a client finds out a blocked attribute. For the same reason `If-None-Match` does not reach the service, and
//!   `If-Match` names a tag that no service has, so that a change is refused rather than made without its condition.
//!   `*` passes in both.
//! * `Last-Modified` stays: after a change of a key's settings a client that revalidates by date can keep the old form.
//! * `Vary` names the header in which requests choose a case. `Cache-Control` becomes `private` if a key's settings
//!   have a part in the response, unless it says `private` or `no-store`.
//! * A body that fails fails for the client, too. Nothing of it has been sent by then.
//!
//! # Deployment
//!
//! Put a layer that compresses outside of this one: an encoded body cannot be read. Put a cache inside of this layer,
//! where it keeps what the service wrote. A cache outside must obey `Cache-Control: private`. Otherwise one key gets
//! what only another key may see. Without a gate around the layer, a refusal is an empty 403.
//!
//! One response takes about three times `max_bytes` of memory until its body is sent, and at most ten times, if its
//! names are as long as the body. The gate's time budget and its permit cover the time in which the body comes.

mod blocklist;
mod body;
mod builder;
mod collected;
mod collecting;
mod content;
mod document;
mod entity_tag;
mod failure;
mod future;
mod inflection;
mod layer;
mod opening;
mod plan;
mod rules;
mod service;
mod shape;
mod token;

pub use blocklist::{Blocklist, InvalidBlocklist};
pub use body::ShapedBody;
pub use builder::ShapingLayerBuilder;
pub use failure::ShapingFailure;
pub use future::ShapingFuture;
pub use inflection::Inflection;
pub use layer::ShapingLayer;
pub use rules::OnUnshaped;
pub use service::ShapingService;
pub use shape::Shape;
