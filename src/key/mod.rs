//! What a key is: its text, its digest, the record that the digest leads to, and how one is issued.
//!
//! This module guards the secret at rest. A key serves only if
//!
//! 1. its text fits a [`KeyFormat`], checksum included, which is decided without any store;
//! 2. the digest of all its bytes, SHA-256 or HMAC-SHA-256, leads to a [`KeyRecord`].
//!
//! The text itself is never kept: [`Issuer`] hands it out once. A deployment that sets a [`Pepper`]
//! must keep it as long as its keys: a lost pepper makes every stored digest unreachable.

mod account;
mod alphabet;
mod bookmark;
mod checksum;
mod compiled_format;
mod details;
mod digest;
mod draft;
mod form;
mod format;
mod hasher;
mod invalid;
mod invalid_format;
mod issue;
mod issue_error;
mod matcher;
mod name;
mod network;
mod own;
mod pepper;
mod record;
mod record_builder;
mod scope;
mod segment;
mod shared_record;
mod text;

pub use account::{Account, AccountBuilder};
pub use alphabet::Alphabet;
pub(crate) use bookmark::Bookmark;
pub(crate) use compiled_format::CompiledFormat;
pub use digest::{InvalidDigest, KeyDigest};
pub use form::{InvalidForm, KeyForm};
pub use format::KeyFormat;
pub use hasher::KeyHasher;
pub use invalid::InvalidRecord;
pub use invalid_format::InvalidFormat;
pub use issue::{IssuedKey, Issuer};
pub use issue_error::IssueError;
pub(crate) use matcher::KeyText;
pub(crate) use name::is_scope_token;
pub use name::{AccountId, Audience, Environment, InvalidName, KeyId, KeyKind, PlanName};
pub use network::{InvalidNetwork, Networks};
pub use pepper::{Pepper, WeakPepper};
pub use record::KeyRecord;
pub use record_builder::KeyRecordBuilder;
pub use scope::ScopeSet;
#[doc(hidden)] // For tests and fuzz targets, which write keys of any format.
pub use segment::Segment;
pub(crate) use shared_record::Records;
pub use shared_record::SharedRecord;
pub use text::InvalidText;
pub(crate) use text::check_text;
