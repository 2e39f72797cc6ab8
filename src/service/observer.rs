//! What the operator can be told of.

use crate::denial::Denial;
use crate::key::{KeyDigest, KeyRecord};
use crate::limits::LimiterError;
use crate::store::StoreError;

/// Hears of what a gate cannot answer by itself. Every method does nothing unless written; all run
/// on the request's task, so they return at once. No key, header or URI is passed to them.
///
/// ```
/// use tower_api_key::Observer;
/// use tower_api_key::key::KeyDigest;
///
/// struct Revoke(std::sync::mpsc::Sender<KeyDigest>);
///
/// impl Observer for Revoke {
///     fn key_exposed(&self, digest: &KeyDigest) {
///         let _ = self.0.send(*digest); // a worker looks it up and tells its owner
///     }
/// }
/// # fn check<T: Send + Sync>() {}
/// # check::<std::sync::mpsc::Sender<KeyDigest>>();
/// ```
pub trait Observer: Send + Sync + 'static {
    /// A request was refused; of a key that serves, with its record.
    fn refused(&self, denial: &Denial, record: Option<&KeyRecord>) {
        let _ = (denial, record);
    }

    /// A well-formed key came over plain HTTP: whoever listened has it now. It was not looked up.
    fn key_exposed(&self, digest: &KeyDigest) {
        let _ = digest;
    }

    /// The store could not answer; the client got a 503.
    fn store_failed(&self, error: &StoreError) {
        let _ = error;
    }

    /// The limiter could not answer; the request was let pass uncounted, or not.
    fn limiter_failed(&self, error: &LimiterError, let_pass: bool) {
        let _ = (error, let_pass);
    }
}

/// Hears nothing.
pub(super) struct Deaf;

impl Observer for Deaf {}
