//! The users that keys are issued to.

use tower_api_key::Denial;
use tower_api_key::Grant;
use tower_api_key::Reply;
use tower_api_key::key::AccountId;

/// A user of an organization, whose keys may be issued.
///
/// ```
/// use tower_api_key_admin::User;
/// use tower_api_key::key::AccountId;
///
/// let ada = User::new(AccountId::new("acme")?, "ada").named("Ada Lovelace");
/// assert_eq!(ada.id, "ada");
/// # Ok::<(), tower_api_key::key::InvalidName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The account of the user's keys.
    pub account: AccountId,
    /// The user's id within the account, which becomes the owner of their keys.
    pub id: String,
    /// The user's name for people; a key is named `issued to NAME`.
    pub name: String,
}

impl User {
    /// Returns the user with this id in an account. The id is also the name; see [`named`](Self::named).
    pub fn new(account: AccountId, id: impl Into<String>) -> Self {
        let id = id.into();
        Self { account, name: id.clone(), id }
    }

    /// Sets the user's name for people.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }
}

/// Finds the users of a deployment, and decides which keys may manage them.
///
/// ```
/// use tower_api_key_admin::{User, Users};
/// use tower_api_key::key::AccountId;
/// use tower_api_key::{Denial, Reply, Grant};
///
/// struct OneUser;
///
/// impl Users for OneUser {
///     fn find(&self, grant: &Grant, organization: &str, user: &str) -> Reply<Result<User, Denial>> {
///         let known = organization == "acme" && user == "ada";
///         let may = grant.require("users.manage").is_ok();
///         let found = AccountId::new("acme").ok().filter(|_| known && may);
///         // The same answer for both, so that a client cannot learn which users exist.
///         Reply::now(found.map(|acme| User::new(acme, "ada")).ok_or(Denial::AccountMismatch))
///     }
/// }
/// ```
pub trait Users: Send + Sync + 'static {
    /// Returns the user, if the key of this grant may issue keys to them.
    ///
    /// # Errors
    ///
    /// Returns the [`Denial`] to answer with. Return [`Denial::AccountMismatch`] both for a user that does not
    /// exist and for one that the key may not manage, so that a client cannot learn which users exist.
    fn find(&self, grant: &Grant, organization: &str, user: &str) -> Reply<Result<User, Denial>>;
}
