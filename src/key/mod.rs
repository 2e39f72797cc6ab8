//! What a key is: its text, its digest, the record that the digest leads to, and how one is issued.
//!
//! This room guards the secret at rest. A key serves only if
//!
//! 1. its text fits a [`KeyFormat`], checksum included, which is decided without any store;
//! 2. the digest of all its bytes, SHA-256 or HMAC-SHA-256, leads to a [`KeyRecord`].
//!
//! The text itself is never kept: [`Issuer`] hands it out once. A deployment that sets a [`Pepper`]
//! must keep it as long as its keys: a lost pepper makes every stored digest unreachable.

mod account;
mod algorithm;
mod alphabet;
mod bookmark;
mod checksum;
mod compiled_format;
mod digest;
mod failure;
mod form;
mod format;
mod invalid_format;
mod issue;
mod matcher;
mod name;
mod network;
mod quota;
mod quotas;
mod record;
mod record_builder;
mod scope;
mod segment;
mod shared_record;
mod stripe;
mod striped_quotas;
mod text;

pub use account::{Account, AccountBuilder};
pub use algorithm::{Algorithm, Per, SUBWINDOWS};
pub use alphabet::Alphabet;
pub(crate) use bookmark::Bookmark;
pub(crate) use compiled_format::CompiledFormat;
pub use digest::{KeyDigest, KeyHasher, Pepper, WeakPepper};
pub use failure::{OnLimiterFailure, Share};
pub use form::{InvalidForm, KeyForm};
pub use format::KeyFormat;
pub use invalid_format::InvalidFormat;
pub use issue::{IssueError, IssuedKey, Issuer};
pub(crate) use matcher::KeyText;
pub use name::{AccountId, Audience, Environment, InvalidName, KeyId, KeyKind, PlanName};
pub use network::{InvalidNetwork, Networks};
pub use quota::Quota;
pub use quotas::{InvalidQuota, MAX_QUOTAS, Quotas};
pub use record::{InvalidRecord, KeyRecord};
pub use record_builder::KeyRecordBuilder;
pub use scope::ScopeSet;
pub use segment::Segment;
pub(crate) use shared_record::Records;
pub use shared_record::SharedRecord;
pub(crate) use stripe::{STRIPES, stripe};
pub(crate) use striped_quotas::{HeldQuotas, StripedQuotas};
pub use text::InvalidText;
pub(crate) use text::check_text;
