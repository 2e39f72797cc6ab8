//! Issues the demo keys at the start, and adds them to each vendor's store.

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{
    Account, IssueError, IssuedKey, Issuer, KeyFormat, KeyHasher, KeyRecord, KeyRecordBuilder,
};
use tower_api_key::store::{Command, CommandOptions, KeyStore, ManageError, NewKey, NewSecret};

use crate::Failure;
use crate::database::VendorStore;

/// A key as the manifest lists it.
#[derive(Debug, Serialize)]
pub(crate) struct DemoKey {
    pub(crate) vendor: &'static str,
    pub(crate) label: &'static str,
    /// The account of the key; empty for a key that the store does not know.
    pub(crate) account: String,
    pub(crate) key: String,
}

/// Issues demo keys and lists them.
#[derive(Debug)]
pub(crate) struct Keys {
    seeded: Option<StdRng>,
    list: Vec<DemoKey>,
}

impl Keys {
    /// Returns a list without keys. With a seed, every start issues the same keys. Without one, keys come from
    /// the operating system's random source.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self { seeded: seed.map(StdRng::seed_from_u64), list: Vec::new() }
    }

    /// Returns an issuer for a vendor's keys.
    pub(crate) fn of<'a>(
        &'a mut self,
        vendor: &'static str,
        format: &KeyFormat,
        store: &'a VendorStore,
    ) -> VendorKeys<'a> {
        let issuer = Issuer::new(*format, KeyHasher::sha256()).keep_tails();
        VendorKeys { issuer, keys: self, vendor, store }
    }

    pub(crate) fn into_list(self) -> Vec<DemoKey> {
        self.list
    }
}

/// Issues the keys of one vendor.
pub(crate) struct VendorKeys<'a> {
    keys: &'a mut Keys,
    issuer: Issuer,
    vendor: &'static str,
    store: &'a VendorStore,
}

impl VendorKeys<'_> {
    /// Issues a key and adds it to the store. If the store has a key of this label from an earlier demo, that
    /// key gets the new secret.
    pub(crate) async fn add(
        &mut self,
        label: &'static str,
        account: &Arc<Account>,
        environment: Option<&str>,
        describe: impl FnOnce(KeyRecordBuilder) -> KeyRecordBuilder,
    ) -> Result<(), Failure> {
        let issued = self.issue(environment)?;
        let mut record = KeyRecord::builder(self.store.id(label), Arc::clone(account))
            .name(label.replace('_', " "));
        if let Some(environment) = environment {
            record = record.environment(environment);
        }
        let key = NewKey::issued(&issued, describe(record))?;
        match self.store.manager().add(key.clone(), "demo").await {
            Ok(()) => {}
            // With the same seed, the key and its secret are the same.
            // A policy that somebody has added in the console may refuse it, and the key is there already.
            Err(ManageError::Exists | ManageError::PolicyViolated(_))
                if self.store.find(issued.digest()).await?.is_some() => {}
            // Otherwise the key gets one more secret, and those of earlier demos stay valid.
            Err(error @ (ManageError::Exists | ManageError::PolicyViolated(_))) => {
                let id = self.store.id(label);
                let manager = self.store.manager();
                let secret = NewSecret::issued(&issued);
                let rotation = Command::Rotate { id: &id, secret, until: Timestamp::MAX };
                match manager.apply(rotation, CommandOptions::by("demo")).await {
                    // A revoked or expired key cannot be rotated, so it is replaced.
                    Err(ManageError::NotActive(_)) => {
                        manager.delete(&id, "demo").await?;
                        manager.add(key, "demo").await?;
                    }
                    Err(ManageError::NotFound) => return Err(error.into()),
                    rotated => drop(rotated?),
                }
            }
            Err(error) => return Err(error.into()),
        }
        self.list(label, account.id().as_str(), &issued);
        Ok(())
    }

    /// Issues a key that no store knows.
    pub(crate) fn unlisted(&mut self, environment: Option<&str>) -> Result<(), Failure> {
        let issued = self.issue(environment)?;
        self.list("unlisted", "", &issued);
        Ok(())
    }

    fn issue(&mut self, environment: Option<&str>) -> Result<IssuedKey, IssueError> {
        match &mut self.keys.seeded {
            None => self.issuer.issue(environment),
            Some(random) => self.issuer.insecure_issue_from(environment, |bytes| {
                random.fill_bytes(bytes);
                Ok(())
            }),
        }
    }

    fn list(&mut self, label: &'static str, account: &str, issued: &IssuedKey) {
        self.keys.list.push(DemoKey {
            vendor: self.vendor,
            label,
            account: account.to_owned(),
            key: issued.expose().to_owned(),
        });
    }
}

/// Makes an account with these scopes.
pub(crate) fn account(id: &str, scopes: &[&'static str]) -> Result<Arc<Account>, Failure> {
    let account = Account::builder(id).scopes(scopes.iter().copied()).build();
    Ok(Arc::new(account?))
}
