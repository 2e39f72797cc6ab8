//! The scopes that a caller's key needs.
//!
//! Keys of customers may have these scopes, too. They reach no more than their own account, because only keys of
//! [operator accounts](super::ManagementBuilder::operators) are operators.

/// Lists and shows keys, and finds the key of a secret.
pub const KEYS_READ: &str = "keys.read";

/// Creates, edits, rotates, revokes and deletes keys.
pub const KEYS_WRITE: &str = "keys.write";

/// Lets an operator grant what its own key does not have: scopes to any key or account, and to keys of operator accounts
/// whatever else. It also lets an operator end and edit keys of operator accounts that have more than its own, and change
/// scopes, quotas and plan of such an account. Give it to few keys: with it, a key can make a key that may do everything.
pub const KEYS_GRANT_ANY: &str = "keys.grant-any";

/// Lists and shows accounts, plans and roles.
pub const ACCOUNTS_READ: &str = "accounts.read";

/// Saves and deletes accounts.
pub const ACCOUNTS_WRITE: &str = "accounts.write";

/// Lets an operator list and show policies, and the keys that break them.
pub const POLICIES_READ: &str = "policies.read";

/// Lets an operator save and delete the policies of customers' accounts. Policies that also cover keys of operators, so
/// those for all keys, for a kind and for an operator account, need [`KEYS_GRANT_ANY`], too. A sweep switches keys off and
/// expires them as policies say, so give it to those who may end keys.
pub const POLICIES_WRITE: &str = "policies.write";

/// Reads the audit trail.
pub const TRAIL_READ: &str = "trail.read";

/// Reads counters, and how many requests a key made.
pub const USAGE_READ: &str = "usage.read";

/// Gives used-up quota back.
pub const USAGE_WRITE: &str = "usage.write";

/// All scopes of management.
pub const ALL: [&str; 10] = [
    KEYS_READ,
    KEYS_WRITE,
    KEYS_GRANT_ANY,
    ACCOUNTS_READ,
    ACCOUNTS_WRITE,
    POLICIES_READ,
    POLICIES_WRITE,
    TRAIL_READ,
    USAGE_READ,
    USAGE_WRITE,
];
