//! The parts of a key record that plain keys do not have.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::form::KeyForm;
use super::name::{Audience, Environment, KeyKind};
use super::network::Networks;
use super::scope::ScopeSet;
use crate::clock::Timestamp;
use crate::quota::Quotas;

/// The optional parts of a record, apart from its account, its expiry and whether it is disabled.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Details {
    pub(super) not_before: Option<Timestamp>,
    pub(super) environment: Option<Environment>,
    pub(super) form: Option<KeyForm>,
    pub(super) audience: Option<Audience>,
    pub(super) kind: Option<KeyKind>,
    pub(super) scopes: Option<ScopeSet>,
    pub(super) networks: Networks,
    pub(super) quotas: Option<Quotas>,
    pub(super) owner: Option<SmolStr>,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) metadata: BTreeMap<String, String>,
}
