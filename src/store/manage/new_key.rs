//! A key to add.

use crate::key::{
    InvalidRecord, IssuedKey, KeyDigest, KeyRecord, KeyRecordBuilder, PepperName, SecretTail,
};

/// A key to add: its record, and the digest of its secret.
///
/// ```
/// use tower_api_key::key::{Account, KeyHasher, KeyRecord};
/// use tower_api_key::store::NewKey;
///
/// let acme = Account::builder("acme").build()?;
/// let record = KeyRecord::builder("key_1", acme).owner("ada").build()?;
/// let digest = KeyHasher::sha256().digest(b"the key's text");
/// let key = NewKey::new(digest, record).revoking_others();
/// assert!(key.revokes_others);
/// # Ok::<(), tower_api_key::key::InvalidRecord>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewKey {
    /// The digest of the secret.
    pub digest: KeyDigest,
    /// The record. If the store has its account already, the stored state of the account applies.
    pub record: KeyRecord,
    /// Whether to revoke all other keys of the same account, owner and audience in the same step.
    pub revokes_others: bool,
    /// The name of the pepper in the digest. `None` without a [keyring](crate::key::Peppers).
    pub pepper: Option<PepperName>,
    /// The last characters of the secret. `None` unless the issuer [keeps tails](crate::key::Issuer::keep_tails).
    pub tail: Option<SecretTail>,
}

impl NewKey {
    /// Describes a key that revokes no others.
    pub const fn new(digest: KeyDigest, record: KeyRecord) -> Self {
        Self { digest, record, revokes_others: false, pepper: None, tail: None }
    }

    /// Describes a key that was just issued. The record keeps the form of the key's text.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`] if the record is not valid. [`InvalidRecord::Environment`] if the record names
    /// another environment than the key's text.
    ///
    /// ```
    /// use tower_api_key::key::{Account, Issuer, KeyHasher, KeyRecord};
    /// use tower_api_key::store::NewKey;
    /// use tower_api_key::vendors::persona;
    ///
    /// let issued = Issuer::new(persona::ISSUED, KeyHasher::sha256()).issue(Some("sandbox"))?;
    /// let acme = Account::builder("acme").build()?;
    /// let key = |environment| {
    ///     let record = KeyRecord::builder("key_1", acme.clone()).environment(environment);
    ///     NewKey::issued(&issued, record)
    /// };
    /// assert_eq!(key("sandbox")?.record.form(), Some(issued.form()));
    /// assert!(key("production").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn issued(issued: &IssuedKey, record: KeyRecordBuilder) -> Result<Self, InvalidRecord> {
        let record = record.form(issued.form().clone()).build()?;
        let (pepper, tail) = (issued.pepper().cloned(), issued.tail());
        Ok(Self { pepper, tail, ..Self::new(*issued.digest(), record) })
    }

    /// Revokes all other keys of the same account, owner and audience in the same step.
    ///
    /// A key without an owner revokes the keys without an owner. Keys of another audience belong to another
    /// gate, and stay valid.
    pub fn revoking_others(self) -> Self {
        Self { revokes_others: true, ..self }
    }
}
