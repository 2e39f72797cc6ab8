//! Runs the commands of `keys`.

use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::events::EventKind;
use tower_api_key::key::{Account, Environment, IssuedKey, KeyKind, KeyRecord, KeyRecordBuilder};
use tower_api_key::store::{
    Command, CommandOptions, KeyEntry, KeyManager, KeyState, ManageError, NewKey, NewSecret,
    PepperManager,
};

use crate::failure::Failure;
use crate::import;
use crate::issue::Form;
use crate::key_commands::Keys;
use crate::moment;
use crate::output::{Output, complain};
use crate::settings::KeySettings;

pub(crate) async fn run(
    store: &dyn PepperManager,
    options: CommandOptions<'_>,
    command: Keys,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        Keys::Create { account, id, force, form, settings } => {
            let (entry, key) = create(store, options, &account, id, force, &form, settings).await?;
            if let Some(problem) = never_serves(&entry) {
                output.say(&format!(
                    "{} will never be accepted: {problem}; change it with `keys edit`",
                    entry.record.id()
                ));
            }
            output.issued(&entry, key.expose())
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
            output.changed(&changed(store, Command::Update { id: &id, change }, options).await?)
        }
        Keys::Rotate { id, overlap, form } => {
            let until = SystemClock.now().plus(overlap.0);
            let (entry, key) = rotate(store, options, &id, until, &form).await?;
            if let Some(ends) = ends_early(&entry, until) {
                output.say(&format!(
                    "the old secrets end at {}, sooner than asked for: a policy sets the longest life of a secret",
                    moment::text(ends)
                ));
            }
            output.issued(&entry, key.expose())
        }
        Keys::EndEarlierSecrets { id } => {
            let end = Command::EndEarlierSecrets { id: &id };
            output.changed(&changed(store, end, options).await?)
        }
        Keys::Revoke { ids, leaked } => {
            // The trail and the event say that a secret leaked, and why it is known.
            let leak = options.reason().map_or_else(
                || EventKind::LEAKED.to_owned(),
                |reason| format!("{}: {reason}", EventKind::LEAKED),
            );
            let options = if leaked { options.because(&leak) } else { options };
            end(store, options, &ids, End::Revoked, output).await
        }
        Keys::Delete { ids } => end(store, options, &ids, End::Deleted, output).await,
        Keys::Import { file, atomic } => {
            import::run(store, options.author(), &file, atomic, output).await
        }
    }
}

/// How keys are ended.
#[derive(Clone, Copy)]
enum End {
    Revoked,
    Deleted,
}

/// Ends keys. An unknown id does not stop the command, because the other keys may have leaked. A failure of
/// the store does, because it would fail for the rest, too.
async fn end(
    store: &dyn KeyManager,
    options: CommandOptions<'_>,
    ids: &[String],
    end: End,
    output: &Output,
) -> Result<(), Failure> {
    let done = match end {
        End::Revoked => "revoked",
        End::Deleted => "deleted",
    };
    let (mut failed, mut first) = (0, None);
    for (index, id) in ids.iter().enumerate() {
        let command = match end {
            End::Revoked => Command::Revoke { id },
            End::Deleted => Command::Delete { id },
        };
        let ended = store.apply(command, options).await.map(drop);
        match ended {
            Ok(()) => output.say(&format!("{id} is {done}")),
            Err(error @ ManageError::Store(_)) => return Err(error.into()),
            Err(error) if ids.len() == 1 => return Err(error.into()),
            Err(error) => {
                // The message counts the id and does not repeat it: it may be a secret in the wrong place.
                complain(&format!("key {} of {}: {error}", index + 1, ids.len()));
                failed += 1;
                first.get_or_insert(error);
            }
        }
    }
    match first {
        None => Ok(()),
        Some(source) => Err(Failure::Some { failed, all: ids.len(), done, source }),
    }
}

async fn create(
    store: &dyn KeyManager,
    options: CommandOptions<'_>,
    account: &str,
    id: Option<String>,
    force: bool,
    form: &Form,
    settings: KeySettings,
) -> Result<(KeyEntry, IssuedKey), Failure> {
    let id = id.unwrap_or_else(random_id);
    // A store that knows the account keeps its own state of it.
    let account = Account::builder(account).build()?;
    let kind = form.vendor.map(|vendor| vendor.kind(settings.kind())).transpose()?.flatten();
    let key = form.issue(settings.environment())?;
    let mut record = settings.apply(KeyRecord::builder(&id, account));
    if let Some(kind) = kind {
        record = record.kind(kind);
    }
    let mut new = NewKey::issued(&key, record)?;
    if force {
        new = new.revoking_others();
    }
    store.apply(Command::Add(new), options).await?;
    Ok((entry(store, &id).await?, key))
}

/// Returns why no gate will ever accept a new key, or `None`. The program still issues the key,
/// because its settings can be changed.
fn never_serves(entry: &KeyEntry) -> Option<&'static str> {
    let (begins, ends) = (entry.record.not_before(), entry.record.expires());
    if ends.is_some_and(|ends| ends <= SystemClock.now()) {
        Some("`--expires` is in the past")
    } else if ends.zip(begins).is_some_and(|(ends, begins)| ends <= begins) {
        Some("`--expires` is not after `--not-before`")
    } else {
        None
    }
}

/// Gives a key a secret of the form that is given, or else of its own form.
async fn rotate(
    store: &dyn PepperManager,
    options: CommandOptions<'_>,
    id: &str,
    until: Timestamp,
    form: &Form,
) -> Result<(KeyEntry, IssuedKey), Failure> {
    let entry = entry(store, id).await?;
    // Checked before anything changes. The store checks again, but by then the key would have another form.
    match entry.state(SystemClock.now()) {
        KeyState::Active => {}
        state => return Err(ManageError::NotActive(state).into()),
    }
    let record = entry.record;
    if let Some(vendor) = form.vendor {
        vendor.check_kind(record.kind().map(KeyKind::as_str))?;
    }
    let key = match record.form() {
        Some(own) if !form.is_named() => form.issue_again(own)?,
        None if !form.is_named() => {
            return Err(Failure::Invalid(format!(
                "the form of {id} is unknown, because the key was imported or is old: add --vendor or --prefix, \
                so that the gate accepts the new secret"
            )));
        }
        _ => form.issue(record.environment().map(Environment::as_str))?,
    };
    if record.form() != Some(key.form()) {
        // Done first, because it fails if the form and the record name different environments.
        let new = key.form().clone();
        let change = Box::new(move |record: KeyRecordBuilder| record.form(new));
        store.apply(Command::Update { id, change }, options).await?;
    }
    let rotate = Command::Rotate { id, secret: NewSecret::issued(&key), until };
    Ok((changed(store, rotate, options).await?, key))
}

/// Returns when the last secret before the newest one ends, if a policy ends it sooner than the rotation asked for.
fn ends_early(entry: &KeyEntry, until: Timestamp) -> Option<Timestamp> {
    // Until the rotation, that secret had no end of its own. Databases may keep less than a nanosecond.
    let ends = entry.secrets.get(1)?.expires?;
    (ends.unix_seconds() < until.unix_seconds()).then_some(ends)
}

/// Makes a change, and returns the changed key.
async fn changed(
    store: &dyn KeyManager,
    command: Command<'_>,
    options: CommandOptions<'_>,
) -> Result<KeyEntry, Failure> {
    Ok(store.apply(command, options).await?.key.ok_or(ManageError::NotFound)?)
}

async fn entry(store: &dyn KeyManager, id: &str) -> Result<KeyEntry, Failure> {
    Ok(store.get(id).await?.ok_or(ManageError::NotFound)?)
}

/// Makes a unique id.
fn random_id() -> String {
    format!("key_{}", uuid::Uuid::now_v7().simple())
}
