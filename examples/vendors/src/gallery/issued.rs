//! The keys of a front door.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tower_api_key::Profile;
use tower_api_key::config::FrontDoor;
use tower_api_key::key::{Account, IssuedKey, Issuer, KeyHasher, KeyRecord};
use tower_api_key::quota::Quota;
use tower_api_key::store::MemoryStore;

use super::secret_text::random_text;
use crate::Failure;

/// What `gallery/keys.json` says of a front door's keys.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeyPlan {
    /// The pattern of the id that clients send beside the key. With it, a key is written `ID:KEY`.
    id: Option<String>,
    /// The pattern of accounts' ids.
    account: Option<String>,
    kind: Option<String>,
    /// The scopes of keys that may do everything.
    scopes: Vec<String>,
    /// The scopes of the key that may only read.
    reads: Vec<String>,
    /// Further keys, by label, each of an account of its own.
    more: BTreeMap<String, FurtherKey>,
}

/// A key with a label that not every front door has.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FurtherKey {
    kind: Option<String>,
    scopes: Option<Vec<String>>,
    /// The index of the key's format in the file.
    format: usize,
    /// The environment that the key's text names; else the first one of its format.
    environment: Option<String>,
    /// Leaves the id out of the text.
    alone: bool,
    /// Quotas of the account, by name, each of a minute.
    quotas: BTreeMap<String, u32>,
}

/// A key as the manifest lists it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct GalleryKey {
    pub(crate) vendor: String,
    pub(crate) label: String,
    /// The account of the key; empty for a key that the store does not know.
    pub(crate) account: String,
    pub(crate) key: String,
    /// The URL to give the vendor's client.
    pub(crate) base: String,
}

/// Issues the keys of a front door into its store.
pub(super) struct KeyMaker<'a> {
    pub(super) door: &'a FrontDoor,
    pub(super) plan: &'a KeyPlan,
    pub(super) store: &'a MemoryStore,
    pub(super) vendor: &'a str,
    pub(super) base: &'a str,
}

/// How many requests the key `tight` may send a minute.
const TIGHT: u32 = 3;

const MINUTE: Duration = Duration::from_secs(60);

impl KeyMaker<'_> {
    /// Issues a key for each label.
    pub(super) fn issue_all(&self) -> Result<Vec<GalleryKey>, Failure> {
        let plan = self.plan;
        let usual = || FurtherKey { scopes: Some(plan.scopes.clone()), ..FurtherKey::default() };
        let owner = self.account(&BTreeMap::new())?;
        let mut keys = vec![self.add("active", &owner, &usual(), false)?];
        keys.push(self.add("revoked", &owner, &usual(), true)?);
        keys.push(self.unlisted()?);
        let reading = FurtherKey { scopes: Some(plan.reads.clone()), ..FurtherKey::default() };
        keys.push(self.add("scoped", &owner, &reading, false)?);
        // The quotas of an account replace those of the profile.
        let name = self.door.with_profile(|profile: Profile<'_>| {
            profile.quotas.first().map_or("requests", Quota::name).to_owned()
        });
        let few = self.account(&BTreeMap::from([(name, TIGHT)]))?;
        keys.push(self.add("tight", &few, &usual(), false)?);
        for (label, key) in &plan.more {
            let account = self.account(&key.quotas)?;
            keys.push(self.add(label, &account, key, false)?);
        }
        Ok(keys)
    }

    fn account(&self, quotas: &BTreeMap<String, u32>) -> Result<Arc<Account>, Failure> {
        let pattern = self.plan.account.as_deref().unwrap_or("acct_{hex:8}");
        let mut account = Account::builder(random_text(pattern));
        if !quotas.is_empty() {
            let minute = |(name, limit): (&String, &u32)| Quota::named(name, *limit, MINUTE);
            account = account.quotas(quotas.iter().map(minute));
        }
        Ok(Arc::new(account.build()?))
    }

    fn add(
        &self,
        label: &str,
        account: &Arc<Account>,
        key: &FurtherKey,
        revoked: bool,
    ) -> Result<GalleryKey, Failure> {
        let (issued, environment) = self.issue(key)?;
        let id = self.id();
        let scopes = key.scopes.as_ref().unwrap_or(&self.plan.scopes);
        let mut record =
            KeyRecord::builder(&id, Arc::clone(account)).scopes(scopes).revoked(revoked);
        if let Some(kind) = key.kind.as_ref().or(self.plan.kind.as_ref()) {
            record = record.kind(kind);
        }
        if let Some(environment) = environment {
            record = record.environment(environment);
        }
        self.store.add_now(*issued.digest(), record.build()?);
        Ok(self.listed(label, account.id().as_str(), &id, &issued, key.alone))
    }

    /// Issues a key that the store does not know.
    fn unlisted(&self) -> Result<GalleryKey, Failure> {
        let (issued, _) = self.issue(&FurtherKey::default())?;
        Ok(self.listed("unlisted", "", &self.id(), &issued, false))
    }

    fn issue(&self, key: &FurtherKey) -> Result<(IssuedKey, Option<String>), Failure> {
        let chosen = self.door.with_profile(|profile| {
            let format = profile.formats.get(key.format)?;
            let first = format.environments().and_then(|tags| tags.first().copied());
            let environment = key.environment.clone().or_else(|| first.map(str::to_owned));
            Some((Issuer::new(*format, KeyHasher::sha256()), environment))
        });
        let (issuer, environment) = chosen.ok_or("the file has no format with this index")?;
        Ok((issuer.issue(environment.as_deref())?, environment))
    }

    fn id(&self) -> String {
        random_text(self.plan.id.as_deref().unwrap_or("key_{hex:16}"))
    }

    fn listed(
        &self,
        label: &str,
        account: &str,
        id: &str,
        issued: &IssuedKey,
        alone: bool,
    ) -> GalleryKey {
        let secret = issued.expose();
        let is_pair = self.plan.id.is_some() && !alone;
        GalleryKey {
            vendor: self.vendor.to_owned(),
            label: label.to_owned(),
            account: account.to_owned(),
            key: if is_pair { format!("{id}:{secret}") } else { secret.to_owned() },
            base: self.base.to_owned(),
        }
    }
}
