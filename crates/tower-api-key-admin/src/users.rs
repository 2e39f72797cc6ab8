//! Whom keys are issued to.

use tower_api_key::Denial;
use tower_api_key::Grant;
use tower_api_key::Reply;
use tower_api_key::key::AccountId;

/// Names a user of an organization.
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
    /// The account that the user's keys speak for.
    pub account: AccountId,
    /// The user's id within the account, which their keys are owned by.
    pub id: String,
    /// The name that a key is given.
    pub name: String,
}

impl User {
    /// Names a user by the account and an id within it.
    pub fn new(account: AccountId, id: impl Into<String>) -> Self {
        let id = id.into();
        Self { account, name: id.clone(), id }
    }

    /// Gives the user a name for people.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }
}

/// Knows the users of a deployment, and who may manage them.
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
///         // One that may not be managed is answered like one that does not exist.
///         Reply::now(found.map(|acme| User::new(acme, "ada")).ok_or(Denial::AccountMismatch))
///     }
/// }
/// ```
pub trait Users: Send + Sync + 'static {
    /// Finds a user whose keys the key of this grant may issue.
    ///
    /// # Errors
    ///
    /// The denial that the client is answered; [`Denial::AccountMismatch`] for a user that does not
    /// exist, and for one that the key may not manage, so that nobody can tell the two apart.
    fn find(&self, grant: &Grant, organization: &str, user: &str) -> Reply<Result<User, Denial>>;
}
