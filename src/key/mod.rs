//! Keys: their texts, their digests, the records that digests lead to, and how to issue them.
//!
//! This module guards the secrets in a store. A gate accepts a key only if
//!
//! 1. the key's text fits a [`KeyFormat`], checksum included; no store is asked for this;
//! 2. the digest of the whole text, SHA-256 or HMAC-SHA-256, leads to a [`KeyRecord`].
//!
//! Nothing keeps the text itself: [`Issuer`] returns it once.
//!
//! In a deployment with a [`Pepper`], keep the pepper as long as the keys. Without it, no stored digest
//! can be found again. [`Peppers`] replaces one pepper by another, while the old keys go on.

mod account;
mod alphabet;
mod bookmark;
mod checksum;
mod compiled_format;
mod counter_place;
mod details;
mod digest;
mod draft;
mod form;
mod form_text;
mod format;
mod hash_function;
mod hasher;
mod invalid;
mod invalid_format;
mod invalid_peppers;
mod issue;
mod issue_error;
mod issued_key;
mod lanes;
mod masked;
mod matcher;
mod name;
mod network;
mod own;
mod pepper;
mod peppers;
mod record;
mod record_builder;
mod scope;
mod segment;
mod shared_record;
mod tail;
mod text;

pub use account::{Account, AccountBuilder};
pub use alphabet::Alphabet;
pub(crate) use bookmark::Bookmark;
pub(crate) use compiled_format::CompiledFormat;
pub use counter_place::CounterPlace;
pub use digest::{InvalidDigest, KeyDigest};
pub use form::KeyForm;
pub use form_text::InvalidForm;
pub use format::KeyFormat;
#[cfg(feature = "config")]
pub(crate) use format::MAX_SEGMENTS;
pub use hasher::KeyHasher;
pub(crate) use hasher::OtherDigest;
pub use invalid::InvalidRecord;
pub use invalid_format::InvalidFormat;
pub use invalid_peppers::InvalidPeppers;
pub use issue::Issuer;
pub use issue_error::IssueError;
pub use issued_key::IssuedKey;
pub(crate) use masked::masked;
pub(crate) use matcher::KeyText;
pub(crate) use name::is_scope_token;
pub use name::{
    AccountId, Audience, Environment, InvalidName, KeyId, KeyKind, PepperName, PlanName,
};
pub use network::{InvalidNetwork, Networks};
pub use pepper::{Pepper, WeakPepper};
pub use peppers::{Peppers, PeppersBuilder};
pub use record::KeyRecord;
pub use record_builder::KeyRecordBuilder;
pub use scope::ScopeSet;
#[doc(hidden)] // Tests and fuzz targets need it, to write keys of any format.
pub use segment::Segment;
pub(crate) use shared_record::RecordPage;
pub use shared_record::SharedRecord;
pub use tail::{InvalidTail, SecretTail};
pub use text::{InvalidText, MAX_LONG_TEXT_BYTES, MAX_TEXT_BYTES};
pub(crate) use text::{check_long_text, check_text};
