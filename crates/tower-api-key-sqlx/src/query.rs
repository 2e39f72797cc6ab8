//! The statements. `$1` is a parameter in both dialects; `{keys}` stands for the name of a table.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::feed_query::{
    changed, mark, newest, page, place_of_page, poll, record_columns, seen_mark, standby,
};
use super::tables::Tables;

/// The columns of a key with one of its secrets, as [`row::page`](super::row::page) reads them.
macro_rules! entry_columns {
    () => {
        concat!(
            record_columns!(),
            ", s.digest, s.created AS secret_created, s.expires AS secret_expires, s.last_used, \
             s.pepper, s.tail, s.successor, s.replaced, u.network AS last_network"
        )
    };
}

/// The newest secret comes first. A former digest comes after the newer ones of its secret.
macro_rules! order_of_secrets {
    () => {
        "s.created DESC, s.expires IS NOT NULL, s.expires DESC, s.successor IS NOT NULL, s.replaced DESC, s.digest"
    };
}

/// Selects a key with its secrets. A key whose account is missing is selected, too, and read as broken.
macro_rules! get {
    ($behind:literal) => {
        concat!(
            "SELECT ",
            entry_columns!(),
            " FROM {keys} k LEFT JOIN {accounts} a ON a.id = k.account \
             LEFT JOIN {secrets} s ON s.key_id = k.id LEFT JOIN {usage_keys} u ON u.key_id = k.id WHERE k.id = $1 ORDER BY ",
            order_of_secrets!(),
            $behind
        )
    };
}

/// Declares the statements of a store. Table names are filled in once.
/// The newest lines of the trail.
macro_rules! trail {
    ($filter:literal) => {
        concat!(
            "SELECT sequence, at, author, action, key_id, account, reason, differences \
             FROM {changes} WHERE sequence < $1",
            $filter,
            " ORDER BY sequence DESC LIMIT $2"
        )
    };
}

macro_rules! statements {
    ($($(#[$documentation:meta])* $name:ident: $text:expr,)*) => {
        /// The statements of a store.
        #[derive(Debug)]
        pub(super) struct Queries {
            $($(#[$documentation])* pub(super) $name: SqlStr,)*
        }

        impl Queries {
            pub(super) fn new(tables: &Tables) -> Self {
                // Only checked and quoted names are filled in.
                let filled = |text| AssertSqlSafe(Arc::<str>::from(tables.fill(text))).into_sql_str();
                Self { $($name: filled($text),)* }
            }
        }
    };
}

statements! {
    find: concat!(
        "SELECT ",
        record_columns!(),
        ", s.expires AS secret_expires FROM {secrets} s JOIN {keys} k ON k.id = s.key_id \
         JOIN {accounts} a ON a.id = k.account WHERE s.digest = $1"
    ),
    get: get!(""),
    /// Locks the key until the transaction ends. SQLite locks the whole database instead.
    get_for_update: get!(" FOR UPDATE OF k"),
    /// Reads no other column, so that a broken row can be read.
    account_of_key: "SELECT account FROM {keys} WHERE id = $1",
    digests_of_key: "SELECT digest FROM {secrets} WHERE key_id = $1",
    find_account: "SELECT id, disabled, scopes, quotas, plan FROM {accounts} WHERE id = $1",
    list_accounts: "SELECT id, disabled, scopes, quotas, plan FROM {accounts} WHERE id > $1 ORDER BY id LIMIT $2",
    delete_secrets_of_account: "DELETE FROM {secrets} WHERE key_id IN \
         (SELECT id FROM {keys} WHERE account = $1)",
    delete_keys_of_account: "DELETE FROM {keys} WHERE account = $1",
    delete_account: "DELETE FROM {accounts} WHERE id = $1",
    update_key: "UPDATE {keys} SET owner = $3, kind = $4, environment = $5, \
         name = $6, description = $7, scopes = $8, networks = $9, quotas = $10, metadata = $11, \
         not_before = $12, expires = $13, disabled = $14, revoked = $15, audience = $16, \
         form = $17 WHERE id = $1 AND account = $2",
    /// Touches no row of a key that was revoked before.
    revoke_key: "UPDATE {keys} SET revoked = 1 WHERE id = $1 AND revoked <> 1",
    delete_secrets: "DELETE FROM {secrets} WHERE key_id = $1",
    delete_key: "DELETE FROM {keys} WHERE id = $1",
    others_of_owner: "SELECT id FROM {keys} WHERE account = $1 AND id <> $2 \
         AND revoked = 0 AND COALESCE(owner, '') = $3 AND COALESCE(audience, '') = $4 ORDER BY id",
    count_keys_of_owner: "SELECT COUNT(*) AS number FROM {keys} WHERE account = $1 AND id <> $2 \
         AND revoked = 0 AND COALESCE(owner, '') = $3 AND (expires IS NULL OR expires > $4)",
    /// Keeps an earlier end.
    end_secrets: "UPDATE {secrets} SET expires = $2 \
         WHERE key_id = $1 AND (expires IS NULL OR expires > $2)",
    /// Ends the secrets of a key except one, with the former digests of each. Keeps an earlier end.
    end_earlier_secrets: "UPDATE {secrets} SET expires = $2 \
         WHERE key_id = $1 AND (expires IS NULL OR expires > $2) \
         AND digest <> $3 AND (successor IS NULL OR successor <> $3)",
    /// Deletes all digests of a secret.
    delete_secret: "DELETE FROM {secrets} WHERE digest = $1 \
         OR (key_id = (SELECT key_id FROM {secrets} WHERE digest = $1) AND successor = $1)",
    /// A use by a former digest is one of the secret.
    note_use: "UPDATE {secrets} SET last_used = $2 \
         WHERE digest IN ($1, (SELECT successor FROM {secrets} WHERE digest = $1)) \
         AND (last_used IS NULL OR last_used < $2)",
    list_changes: "SELECT sequence, at, author, action, key_id, account, reason, differences \
         FROM {changes} WHERE sequence > $1 ORDER BY sequence LIMIT $2",
    /// Lists the newest lines of the trail.
    newest_changes: trail!(""),
    /// Lists the newest lines of a key.
    newest_changes_of_key: trail!(" AND key_id = $3"),
    /// Lists the newest lines of an account.
    newest_changes_of_account: trail!(" AND account = $3"),
    /// Lists the newest lines of a key while it belongs to an account.
    newest_changes_of_both: trail!(" AND key_id = $3 AND account = $4"),
    /// Selects the change at a position and those behind it, and the end of the trail, in at least one row. An added
    /// key changes no cached record. Only an update or a revocation leaves all secrets of its key in place.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    trail_after: concat!(
        "SELECT r.server, n.latest, n.latest_mark, c.sequence, c.mark, c.previous, c.action, c.account, s.digest, s.pepper \
         FROM (SELECT EXTRACT(EPOCH FROM pg_postmaster_start_time())::text AS server) r LEFT JOIN ",
        newest!(),
        " n ON TRUE LEFT JOIN (SELECT sequence, ",
        mark!(),
        ", previous, action, key_id, account FROM {changes} WHERE sequence >= $1 \
         ORDER BY sequence LIMIT 1001) c ON TRUE \
         LEFT JOIN {secrets} s ON s.key_id = c.key_id AND c.sequence > $1 \
         AND c.action IN ('key_updated', 'key_revoked', 'key_rehashed') ORDER BY c.sequence"
    ),
    /// Allows one writer at a time, so that the trail has the order in which changes became visible.
    lock_trail: "LOCK TABLE {changes}, {events} IN EXCLUSIVE MODE",
    /// As `lock_trail`, for changes that write no events.
    lock_changes: "LOCK TABLE {changes} IN EXCLUSIVE MODE",
    into_accounts: "INSERT INTO {accounts} (id, disabled, scopes, quotas, plan)",
    into_keys: "INSERT INTO {keys} (id, account, owner, kind, environment, \
         name, description, scopes, networks, quotas, metadata, not_before, expires, disabled, revoked, \
         audience, form, created)",
    into_secrets: "INSERT INTO {secrets} (digest, key_id, created, pepper, tail)",
    into_changes: "INSERT INTO {changes} (at, author, action, key_id, account, mark, previous, \
         reason, differences)",
    /// The beginning of a list of keys. `lists` adds the keys of the page, each with its row `k`.
    list_from: concat!("SELECT ", entry_columns!()),
    /// The end of a list of keys, up to its order.
    list_joins: " LEFT JOIN {accounts} a ON a.id = k.account LEFT JOIN {secrets} s ON s.key_id = k.id \
         LEFT JOIN {usage_keys} u ON u.key_id = k.id",
    /// The secrets of a key in their order.
    list_secrets: order_of_secrets!(),
    /// Adds tags of keys.
    into_tags: "INSERT INTO {tags} (name, value, key_id)",
    /// Deletes the tags of a key.
    delete_tags: "DELETE FROM {tags} WHERE key_id = $1",
    /// Deletes the tags of an account's keys.
    delete_tags_of_account: "DELETE FROM {tags} WHERE key_id IN \
         (SELECT id FROM {keys} WHERE account = $1)",
    /// Reads a change that a client sent before.
    made_request: "SELECT fingerprint FROM {requests} WHERE author = $1 AND name = $2",
    /// Forgets the changes that clients do not send again.
    forget_requests: "DELETE FROM {requests} WHERE at <= $1",
    /// Records a change that a client may send again.
    into_requests: "INSERT INTO {requests} (author, name, fingerprint, at)",
    /// Finds the first change that stays: no older one is young enough, and it may be the newest.
    first_that_stays: "SELECT COALESCE((SELECT sequence FROM {changes} WHERE at >= $1 ORDER BY sequence LIMIT 1), \
         (SELECT MAX(sequence) FROM {changes})) AS sequence",
    count_before: "SELECT COUNT(*) AS counted FROM {changes} WHERE sequence < $1",
    prune_trail: "DELETE FROM {changes} WHERE sequence IN (SELECT sequence FROM {changes} \
         WHERE sequence < $1 ORDER BY sequence LIMIT 10000)",
    newest_change: concat!("SELECT latest, latest_mark FROM ", newest!(), " n"),
    /// The newest change, and whether there are policies. Without one, a change asks for none.
    begin_change: concat!(
        "SELECT n.latest_mark, CASE WHEN EXISTS (SELECT 1 FROM {policies}) THEN CAST(1 AS BIGINT) ELSE 0 END \
         AS has_policies FROM (SELECT 1 AS one) AS one LEFT JOIN ",
        newest!(),
        " n ON TRUE"
    ),
    given_out_sqlite: "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = $1), 0) AS given_out, \
         0 AS standby",
    /// NULL if the store has keys and this role may not read the sequence.
    given_out_postgres: concat!(
        "SELECT CASE WHEN has_sequence_privilege(own.name, 'SELECT') \
         THEN COALESCE(pg_sequence_last_value(own.name), 0) \
         WHEN NOT EXISTS (SELECT 1 FROM {keys}) AND NOT EXISTS (SELECT 1 FROM {accounts}) THEN 0 END \
         AS given_out, ",
        standby!(),
        " FROM (SELECT CAST(pg_get_serial_sequence($1, 'sequence') AS regclass) AS name) AS own"
    ),
    poll_sqlite: poll!("0 AS standby"),
    poll_postgres: poll!(standby!()),
    changed_sqlite: concat!(
        changed!("0 AS standby"),
        "LEFT JOIN {keys} k ON k.id = c.key_id AND c.sequence > $1 \
         LEFT JOIN {accounts} a ON a.id = COALESCE(k.account, c.of_account) AND c.sequence > $1 \
         LEFT JOIN {secrets} s ON s.key_id = k.id ORDER BY c.sequence"
    ),
    /// Looks up the keys one by one. Otherwise a plan for any number of changes might read all keys.
    changed_postgres: concat!(
        changed!(standby!()),
        "LEFT JOIN LATERAL (SELECT * FROM {keys} WHERE id = c.key_id AND c.sequence > $1 OFFSET 0) k ON TRUE \
         LEFT JOIN LATERAL (SELECT * FROM {accounts} WHERE id = COALESCE(k.account, c.of_account) \
         AND c.sequence > $1 OFFSET 0) a ON TRUE \
         LEFT JOIN LATERAL (SELECT * FROM {secrets} WHERE key_id = k.id OFFSET 0) s ON TRUE \
         ORDER BY c.sequence"
    ),
    /// A page is joined with all keys at once, so larger pages are read faster.
    page_of_postgres: page!("SELECT * FROM {secrets} WHERE digest > $2 ORDER BY digest LIMIT 250000"),
    page_of_sqlite: page!("SELECT * FROM {secrets} WHERE digest > $2 ORDER BY digest LIMIT 50000"),
    /// Selects a page of the secrets of an account. Few accounts have more, and a reader follows changes between pages.
    page_of_account: page!(
        "SELECT own.* FROM {keys} of_account JOIN {secrets} own ON own.key_id = of_account.id \
         WHERE of_account.account = $3 AND own.digest > $2 ORDER BY own.digest LIMIT 10000"
    ),
    /// Returns a page in one row, as [`PackedSecret`](super::feed) is read: sqlx hands each row of SQLite from thread
    /// to thread, which costs more than to read it. In the order of keys, neighbours lie in the same pages of the file.
    packed_page_of_sqlite: concat!(
        "SELECT c.sequence, c.mark, n.latest, n.latest_mark, \
         (SELECT json_group_array(json_array(hex(s.digest), s.expires, k.id, k.account, k.owner, k.kind, \
         k.environment, k.name, k.description, k.scopes, k.networks, k.quotas, k.metadata, k.not_before, \
         k.expires, k.disabled, k.revoked, k.audience, k.form, a.disabled, a.scopes, a.quotas, a.plan)) \
         FROM (SELECT digest, key_id, expires FROM (SELECT digest, key_id, expires FROM {secrets} \
         WHERE digest > $2 ORDER BY digest LIMIT 50000) ORDER BY key_id LIMIT 50000) s \
         LEFT JOIN {keys} k ON k.id = s.key_id LEFT JOIN {accounts} a ON a.id = k.account) AS secrets",
        place_of_page!()
    ),
    digests_among: "SELECT digest FROM {secrets} WHERE digest",
    ids_among: "SELECT id FROM {keys} WHERE id",
    accounts_among: "SELECT id FROM {accounts} WHERE id",
}

pub(super) const UNLESS_THERE: &str = " ON CONFLICT DO NOTHING";

pub(super) const OR_REPLACED: &str = " ON CONFLICT (id) DO UPDATE SET \
     disabled = excluded.disabled, scopes = excluded.scopes, quotas = excluded.quotas, \
     plan = excluded.plan";

/// PostgreSQL sends the notification when the transaction is committed.
pub(super) const NOTIFY: &str = "SELECT pg_notify($1, $2)";

/// The same for two channels in one round trip.
pub(super) const NOTIFY_BOTH: &str = "SELECT pg_notify($1, $2), pg_notify($3, '')";
