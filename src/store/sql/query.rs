//! The statements. `$1` is a parameter in both dialects.

/// The columns of a record, as [`row`](super::row) reads them.
macro_rules! record_columns {
    () => {
        "k.id, k.account, k.owner, k.kind, k.environment, k.name, k.description, k.scopes, \
         k.networks, k.quotas, k.metadata, k.not_before, k.expires, k.disabled, k.revoked, \
         k.created, a.disabled AS account_disabled, a.scopes AS account_scopes, \
         a.quotas AS account_quotas, a.plan"
    };
}

pub(super) const FIND: &str = concat!(
    "SELECT ",
    record_columns!(),
    ", s.expires AS secret_expires FROM secrets s JOIN keys k ON k.id = s.key_id \
     JOIN accounts a ON a.id = k.account WHERE s.digest = $1"
);

/// The columns of a key with one of its secrets, as [`row::entries`](super::row::entries) reads them.
macro_rules! entry_columns {
    () => {
        concat!(
            record_columns!(),
            ", s.digest, s.created AS secret_created, s.expires AS secret_expires, s.last_used"
        )
    };
}

/// The newest secret comes first.
macro_rules! order_of_secrets {
    () => {
        "s.created DESC, s.expires IS NOT NULL, s.expires DESC, s.digest"
    };
}

macro_rules! get {
    ($behind:literal) => {
        concat!(
            "SELECT ",
            entry_columns!(),
            " FROM keys k JOIN accounts a ON a.id = k.account \
             LEFT JOIN secrets s ON s.key_id = k.id WHERE k.id = $1 ORDER BY ",
            order_of_secrets!(),
            $behind
        )
    };
}

pub(super) const GET: &str = get!("");

/// Locks the key until the transaction ends; SQLite's has the whole database.
pub(super) const GET_FOR_UPDATE: &str = get!(" FOR UPDATE OF k");

/// The state is decided as [`KeyState::of`](crate::store::KeyState::of) decides it.
pub(super) const LIST: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM (SELECT k.* FROM keys k JOIN accounts a ON a.id = k.account WHERE k.id > $1 \
     AND ($2 = '' OR k.account = $2) AND ($3 = '' OR k.owner = $3) \
     AND ($4 = '' OR k.kind = $4) AND ($5 = '' OR k.environment = $5) \
     AND ($6 = '' OR $6 = CASE WHEN k.revoked <> 0 THEN 'revoked' \
     WHEN k.disabled <> 0 OR a.disabled <> 0 THEN 'disabled' \
     WHEN k.expires <= $7 THEN 'expired' ELSE 'active' END) \
     ORDER BY k.id LIMIT $8) k JOIN accounts a ON a.id = k.account \
     LEFT JOIN secrets s ON s.key_id = k.id ORDER BY k.id, ",
    order_of_secrets!()
);

pub(super) const INTO_ACCOUNTS: &str = "INSERT INTO accounts (id, disabled, scopes, quotas, plan)";

pub(super) const UNLESS_THERE: &str = " ON CONFLICT DO NOTHING";

pub(super) const OR_REPLACED: &str = " ON CONFLICT (id) DO UPDATE SET \
     disabled = excluded.disabled, scopes = excluded.scopes, quotas = excluded.quotas, \
     plan = excluded.plan";

pub(super) const FIND_ACCOUNT: &str =
    "SELECT id, disabled, scopes, quotas, plan FROM accounts WHERE id = $1";

pub(super) const LIST_ACCOUNTS: &str =
    "SELECT id, disabled, scopes, quotas, plan FROM accounts WHERE id > $1 ORDER BY id LIMIT $2";

pub(super) const DELETE_ACCOUNT: &str = "DELETE FROM accounts WHERE id = $1";

pub(super) const INTO_KEYS: &str = "INSERT INTO keys (id, account, owner, kind, environment, \
     name, description, scopes, networks, quotas, metadata, not_before, expires, disabled, revoked, \
     created)";

pub(super) const INTO_SECRETS: &str = "INSERT INTO secrets (digest, key_id, created)";

pub(super) const UPDATE_KEY: &str = "UPDATE keys SET owner = $3, kind = $4, environment = $5, \
     name = $6, description = $7, scopes = $8, networks = $9, quotas = $10, metadata = $11, \
     not_before = $12, expires = $13, disabled = $14, revoked = $15 \
     WHERE id = $1 AND account = $2";

pub(super) const REVOKE_KEY: &str = "UPDATE keys SET revoked = 1 WHERE id = $1";

pub(super) const DELETE_KEY: &str = "DELETE FROM keys WHERE id = $1";

pub(super) const OTHERS_OF_OWNER: &str = "SELECT id FROM keys WHERE account = $1 AND id <> $2 \
     AND revoked = 0 AND COALESCE(owner, '') = $3 ORDER BY id";

/// An earlier end stays.
pub(super) const END_SECRETS: &str = "UPDATE secrets SET expires = $2 \
     WHERE key_id = $1 AND (expires IS NULL OR expires > $2)";

pub(super) const NOTE_USE: &str = "UPDATE secrets SET last_used = $2 \
     WHERE digest = $1 AND (last_used IS NULL OR last_used < $2)";

pub(super) const INTO_CHANGES: &str = "INSERT INTO changes (at, author, action, key_id, account)";

pub(super) const LIST_CHANGES: &str = "SELECT sequence, at, author, action, key_id, account \
     FROM changes WHERE sequence > $1 ORDER BY sequence LIMIT $2";

/// One writer at a time, so that the trail is in the order in which changes became visible.
pub(super) const LOCK_TRAIL: &str = "LOCK TABLE changes IN EXCLUSIVE MODE";

/// Sent when the transaction is committed, and not otherwise.
pub(super) const NOTIFY: &str = "SELECT pg_notify($1, $2)";
