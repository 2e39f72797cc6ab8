//! What is done to keys.

use std::sync::Arc;

use secrecy::ExposeSecret;
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::key::{Account, Environment, IssuedKey, KeyRecord};
use tower_api_key::store::{KeyEntry, KeyManager, ManageError, NewKey};

use crate::arguments::{Form, Keys};
use crate::failure::Failure;
use crate::import;
use crate::output::Output;
use crate::settings::KeySettings;

pub(crate) async fn run(
    store: &dyn KeyManager,
    by: &str,
    command: Keys,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        Keys::Create { account, id, force, form, settings } => {
            let (entry, key) = create(store, by, &account, id, force, &form, settings).await?;
            output.issued(&entry, key.secret().expose_secret())
        }
        Keys::List { filter, after, limit } => {
            let page = store.page(&filter.into(), after.as_deref(), limit).await?;
            output.keys(&page.found)?;
            output.broken("key", &page.broken);
            Ok(())
        }
        Keys::Show { id } => output.key(&entry(store, &id).await?),
        Keys::Edit { id, settings } => {
            let change = Box::new(move |key| settings.apply(key));
            output.changed(&store.update(&id, change, by).await?)
        }
        Keys::Rotate { id, overlap, form } => {
            let environment = entry(store, &id).await?.record.environment().cloned();
            let key = form.issue(environment.as_ref().map(Environment::as_str))?;
            let until = SystemClock.now().plus(overlap.0);
            let entry = store.rotate(&id, *key.digest(), until, by).await?;
            output.issued(&entry, key.secret().expose_secret())
        }
        Keys::Revoke { ids } => {
            for id in ids {
                store.revoke(&id, by).await?;
                output.say(&format!("{id} is revoked"));
            }
            Ok(())
        }
        Keys::Delete { ids } => {
            for id in ids {
                store.delete(&id, by).await?;
                output.say(&format!("{id} is deleted"));
            }
            Ok(())
        }
        Keys::Import { file, atomic } => import::run(store, by, &file, atomic, output).await,
    }
}

async fn create(
    store: &dyn KeyManager,
    by: &str,
    account: &str,
    id: Option<String>,
    force: bool,
    form: &Form,
    settings: KeySettings,
) -> Result<(KeyEntry, IssuedKey), Failure> {
    let id = id.unwrap_or_else(random_id);
    // If the store knows it, its state there counts.
    let account = Arc::new(Account::builder(account).build()?);
    let record = settings.apply(KeyRecord::builder(&id, account)).build()?;
    let key = form.issue(record.environment().map(Environment::as_str))?;
    let mut new = NewKey::new(*key.digest(), record);
    if force {
        new = new.revoking_others();
    }
    store.add(new, by).await?;
    Ok((entry(store, &id).await?, key))
}

async fn entry(store: &dyn KeyManager, id: &str) -> Result<KeyEntry, Failure> {
    Ok(store.get(id).await?.ok_or(ManageError::NotFound)?)
}

/// Makes an id that says nothing and that no other key has.
fn random_id() -> String {
    format!("key_{}", uuid::Uuid::now_v7().simple())
}
