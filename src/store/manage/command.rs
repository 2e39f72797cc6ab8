//! A change as a value: what to change, who changes it, and on which condition.

use super::command_target::CommandTarget;
use super::difference::Difference;
use super::idempotency::IdempotencyKey;
use super::new_key::NewKey;
use super::new_secret::NewSecret;
use super::precondition::Precondition;
use super::update::KeyUpdate;
use crate::clock::Timestamp;
use crate::key::{Account, InvalidRecord, check_long_text, check_text};
use crate::policy::{KeyPolicy, PolicySubject};

/// A change of one key or one account, for [`KeyManager::apply`](super::KeyManager::apply).
///
/// [`KeyManager`](super::KeyManager) has a method for each variant, which says what it does.
#[non_exhaustive]
pub enum Command<'a> {
    /// Adds a key: [`KeyManager::add`](super::KeyManager::add).
    Add(NewKey),
    /// Changes a key: [`KeyManager::update`](super::KeyManager::update).
    Update {
        /// The id of the key.
        id: &'a str,
        /// The change.
        change: KeyUpdate,
    },
    /// Gives a key a new secret: [`KeyManager::rotate`](super::KeyManager::rotate).
    Rotate {
        /// The id of the key.
        id: &'a str,
        /// The new secret.
        secret: NewSecret,
        /// The instant at which the earlier secrets expire.
        until: Timestamp,
    },
    /// Ends the earlier secrets of a key: [`KeyManager::end_earlier_secrets`](super::KeyManager::end_earlier_secrets).
    EndEarlierSecrets {
        /// The id of the key.
        id: &'a str,
    },
    /// Revokes a key: [`KeyManager::revoke`](super::KeyManager::revoke).
    Revoke {
        /// The id of the key.
        id: &'a str,
    },
    /// Deletes a key: [`KeyManager::delete`](super::KeyManager::delete).
    Delete {
        /// The id of the key.
        id: &'a str,
    },
    /// Writes a line of the trail that used-up quota of a key is given back. Counters are not in the store, so the line
    /// is all that the store changes. Fails with [`ManageError::NotFound`](super::ManageError::NotFound) if no key has
    /// the id.
    NoteRefund {
        /// The id of the key whose counter it is.
        id: &'a str,
        /// What was used of the quota before, and afterwards.
        used: Difference,
    },
    /// Adds or replaces an account: [`KeyManager::save_account`](super::KeyManager::save_account).
    SaveAccount(Account),
    /// Deletes an account and its keys: [`KeyManager::delete_account`](super::KeyManager::delete_account).
    DeleteAccount {
        /// The id of the account.
        id: &'a str,
    },
    /// Adds or replaces the policy for its subject. Keys that exist stay as they are.
    SavePolicy(KeyPolicy),
    /// Deletes the policy for a subject. Fails with [`ManageError::NotFound`](super::ManageError::NotFound) if there is
    /// none.
    DeletePolicy(PolicySubject),
}

/// Lists the commands with their names. A command that is missing here does not compile.
macro_rules! names {
    ($($variant:pat => $name:literal,)+) => {
        impl Command<'_> {
            /// The [names](Self::name) of all commands, for a test that each command is covered.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// Returns the name of the command: `add`, `save_policy`.
            ///
            /// ```
            /// use tower_api_key::store::Command;
            ///
            /// assert_eq!(Command::Revoke { id: "key_1" }.name(), "revoke");
            /// assert!(Command::NAMES.contains(&"revoke"));
            /// ```
            pub const fn name(&self) -> &'static str {
                match self {
                    $($variant => $name),+
                }
            }
        }
    };
}

names! {
    Self::Add(_) => "add",
    Self::Update { .. } => "update",
    Self::Rotate { .. } => "rotate",
    Self::EndEarlierSecrets { .. } => "end_earlier_secrets",
    Self::Revoke { .. } => "revoke",
    Self::Delete { .. } => "delete",
    Self::NoteRefund { .. } => "note_refund",
    Self::SaveAccount(_) => "save_account",
    Self::DeleteAccount { .. } => "delete_account",
    Self::SavePolicy(_) => "save_policy",
    Self::DeletePolicy(_) => "delete_policy",
}

impl Command<'_> {
    /// Returns what the command changes.
    pub fn target(&self) -> CommandTarget {
        match self {
            Self::Add(new) => CommandTarget::Key(new.record.id().to_string()),
            Self::Update { id, .. }
            | Self::Rotate { id, .. }
            | Self::EndEarlierSecrets { id }
            | Self::Revoke { id }
            | Self::NoteRefund { id, .. }
            | Self::Delete { id } => CommandTarget::Key((*id).to_owned()),
            Self::SaveAccount(account) => CommandTarget::Account(account.id().to_string()),
            Self::DeleteAccount { id } => CommandTarget::Account((*id).to_owned()),
            Self::SavePolicy(policy) => CommandTarget::Policy(policy.subject().clone()),
            Self::DeletePolicy(subject) => CommandTarget::Policy(subject.clone()),
        }
    }
}

/// Who makes a change, why, and on which condition.
///
/// ```
/// use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::store::{
///     Command, CommandOptions, KeyManager, ManageError, MemoryStore, NewKey, Precondition, Version,
/// };
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), ManageError> {
/// let store = MemoryStore::new();
/// let acme = Account::builder("acme").build()?;
/// let record = KeyRecord::builder("key_1", acme).build()?;
/// store.add(NewKey::new(KeyHasher::sha256().digest(b"the key's text"), record), "ada").await?;
///
/// let seen = Version::of_key(&store.get("key_1").await?.expect("it was added"));
/// store.update("key_1", Box::new(|key| key.name("backup job")), "bob").await?;
///
/// // Ada looked at the key before Bob changed it.
/// let revoke = Command::Revoke { id: "key_1" };
/// let options = CommandOptions::by("ada").because("leaked").when(Precondition::Version(seen));
/// let refused = store.apply(revoke, options).await;
/// assert!(matches!(refused, Err(ManageError::PreconditionFailed)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CommandOptions<'a> {
    by: &'a str,
    reason: Option<&'a str>,
    precondition: Precondition,
    idempotency_key: Option<IdempotencyKey<'a>>,
    most_keys: Option<u32>,
    in_existing_account: bool,
}

impl<'a> CommandOptions<'a> {
    /// Names the author of the change, for the audit trail.
    pub const fn by(author: &'a str) -> Self {
        let precondition = Precondition::None;
        Self {
            by: author,
            reason: None,
            precondition,
            idempotency_key: None,
            most_keys: None,
            in_existing_account: false,
        }
    }

    /// Sets the reason of the change, for the audit trail. The trail keeps the text, so it must not be a secret.
    #[must_use]
    pub const fn because(self, reason: &'a str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// Makes the change only under this condition.
    #[must_use]
    pub const fn when(self, precondition: Precondition) -> Self {
        Self { precondition, ..self }
    }

    /// Makes the change at most once, however often a client sends it.
    #[must_use]
    pub const fn once(self, key: IdempotencyKey<'a>) -> Self {
        Self { idempotency_key: Some(key), ..self }
    }

    /// Adds or changes a key only if its owner has fewer than `most` other keys in the account that are neither revoked
    /// nor expired. Keys without an owner count together. Other commands ignore the bound.
    ///
    /// The store counts in the transaction that makes the change, so two additions at once do not exceed the bound.
    #[must_use]
    pub const fn at_most_keys(self, most: u32) -> Self {
        Self { most_keys: Some(most), ..self }
    }

    /// Adds a key only if its account exists, and fails with [`ManageError::NotFound`](super::ManageError::NotFound)
    /// otherwise. Other commands ignore this. Without it, a new key brings its account.
    ///
    /// The store looks in the transaction that adds the key, so an account that is deleted meanwhile does not come back.
    #[must_use]
    pub const fn in_existing_account(self) -> Self {
        Self { in_existing_account: true, ..self }
    }

    /// Returns the author.
    pub const fn author(&self) -> &'a str {
        self.by
    }

    /// Returns the reason.
    pub const fn reason(&self) -> Option<&'a str> {
        self.reason
    }

    /// Returns the condition.
    pub const fn precondition(&self) -> Precondition {
        self.precondition
    }

    /// Returns the key that makes the change happen once.
    pub const fn idempotency_key(&self) -> Option<&IdempotencyKey<'a>> {
        self.idempotency_key.as_ref()
    }

    /// Returns the most keys that the owner of an added or changed key may have.
    pub const fn most_keys(&self) -> Option<u32> {
        self.most_keys
    }

    /// Returns true if the account of an added key must exist.
    pub const fn is_in_existing_account(&self) -> bool {
        self.in_existing_account
    }

    /// Checks the texts that the audit trail keeps. Every store calls this before it makes a change that a program asks for.
    ///
    /// # Errors
    ///
    /// - [`InvalidRecord::Text`] if the author, the reason or the idempotency key has control characters, line breaks or
    ///   marks of writing direction, or is too long: more than [`MAX_TEXT_BYTES`](crate::key::MAX_TEXT_BYTES), or
    ///   [`MAX_LONG_TEXT_BYTES`](crate::key::MAX_LONG_TEXT_BYTES) for the reason;
    /// - [`InvalidRecord::ReservedAuthor`] if the author is one of the [`RESERVED_AUTHORS`](super::RESERVED_AUTHORS).
    pub fn check(&self) -> Result<(), InvalidRecord> {
        super::check_author(self.by)?;
        super::check_unreserved(self.by)?;
        check_long_text("the reason of a change", self.reason.unwrap_or_default())?;
        let key = self.idempotency_key.as_ref().map_or("", IdempotencyKey::as_str);
        Ok(check_text("an idempotency key", key)?)
    }
}
