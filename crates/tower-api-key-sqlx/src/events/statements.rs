//! The statements of events. `$1` is a parameter in both dialects.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::tables::Tables;

/// The columns of an event, as [`event_row`](super::event_row) reads them.
macro_rules! event_columns {
    () => {
        "e.sequence, e.id, e.kind, e.at, e.key_id, e.account, e.data"
    };
}

impl EventQueries {
    /// Returns the statement that a transaction with events begins with.
    pub(crate) const fn lock(&self) -> &SqlStr {
        &self.lock
    }
}

/// Declares the statements. Table names are filled in once.
macro_rules! event_statements {
    ($($(#[$documentation:meta])* $name:ident: $text:expr,)*) => {
        /// The statements of events.
        #[derive(Debug)]
        pub(crate) struct EventQueries {
            $($(#[$documentation])* pub(super) $name: SqlStr,)*
        }

        impl EventQueries {
            pub(crate) fn new(tables: &Tables) -> Self {
                // Only checked and quoted names are filled in.
                let filled = |text| AssertSqlSafe(Arc::<str>::from(tables.fill(text))).into_sql_str();
                Self { $($name: filled($text),)* }
            }
        }
    };
}

event_statements! {
    /// Gives events the order in which they become visible. A change takes this lock, too.
    lock: "LOCK TABLE {events} IN EXCLUSIVE MODE",
    into_events: "INSERT INTO {events} (id, kind, at, key_id, account, data)",
    list: concat!(
        "SELECT ",
        event_columns!(),
        " FROM {events} e WHERE e.sequence > $1 ORDER BY e.sequence LIMIT $2"
    ),
    ids_of_account: "SELECT id FROM {keys} WHERE account = $1 AND id > $2 ORDER BY id LIMIT 500",
    forget_key: "DELETE FROM {event_occasions} WHERE key_id = $1",
    forget_account: "DELETE FROM {event_occasions} WHERE account = $1 AND key_id = ''",
    keys_of_digests: "SELECT digest, key_id FROM {secrets} WHERE digest IN",
    accounts_of_keys: "SELECT id, account FROM {keys} WHERE id IN",
    /// Uses of a key that were recorded long before its first event.
    used_before: "SELECT 1 AS found FROM {secrets} WHERE key_id = $1 AND last_used < $2 LIMIT 1",
    occasions_of_keys: "SELECT key_id, kind, name, ends FROM {event_occasions} WHERE key_id IN",
    /// The statement that takes occasions: rows, an instant and the columns of those that were free.
    into_occasions: "INSERT INTO {event_occasions} AS o (account, key_id, kind, name, ends) VALUES",
    /// An occasion is free if it is new, or if the one of its name has ended.
    unless_taken: "ON CONFLICT (key_id, kind, name, account) DO UPDATE SET ends = excluded.ends WHERE o.ends <=",
    taken_occasions: "RETURNING account, key_id, kind, name",
    forget_occasions: "DELETE FROM {event_occasions} WHERE ends <= $1",
    lease: "SELECT holder, ends FROM {event_leases} WHERE name = $1",
    /// Takes a lease that is free, that has ended, or that ends too far in the future, because a clock was wrong.
    take_lease: "INSERT INTO {event_leases} AS l (name, holder, ends) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends = excluded.ends \
         WHERE l.holder = excluded.holder OR l.ends <= $4 OR l.ends > $5",
    /// Ends a lease at once. The row stays, so that no right to delete is needed.
    give_up_lease: "UPDATE {event_leases} SET ends = 0 WHERE name = $1 AND holder = $2",
    add_sink: "INSERT INTO {event_sinks} (name, position) \
         VALUES ($1, COALESCE((SELECT MAX(sequence) FROM {events}), 0)) ON CONFLICT (name) DO NOTHING",
    position: "SELECT position FROM {event_sinks} WHERE name = $1",
    advance: "UPDATE {event_sinks} SET position = $3 WHERE name = $1 AND position = $2",
    into_deliveries: "INSERT INTO {event_deliveries} (sink, sequence, key_id, tries, due, dead)",
    /// Selects the oldest event of each key, if it is due.
    due: concat!(
        "SELECT d.tries, ",
        event_columns!(),
        " FROM {event_deliveries} d JOIN {events} e ON e.sequence = d.sequence \
         WHERE d.sink = $1 AND d.dead = 0 AND d.due <= $2 AND NOT EXISTS \
         (SELECT 1 FROM {event_deliveries} o WHERE o.sink = $1 AND o.dead = 0 AND o.key_id = d.key_id \
         AND o.sequence < d.sequence) ORDER BY d.sequence LIMIT $3"
    ),
    delivered: "DELETE FROM {event_deliveries} WHERE sink = $1 AND sequence = $2 AND dead = 0",
    failed: "UPDATE {event_deliveries} SET tries = $3, due = $4, dead = $5, error = $6 \
         WHERE sink = $1 AND sequence = $2 AND dead = 0",
    /// Selects dead letters, or events that wait for a sink.
    undelivered: concat!(
        "SELECT d.sink, d.tries, d.due, d.error, ",
        event_columns!(),
        " FROM {event_deliveries} d JOIN {events} e ON e.sequence = d.sequence \
         WHERE d.dead = $1 AND ($2 = '' OR d.sink = $2) AND d.sequence > $3 \
         ORDER BY d.sequence, d.sink LIMIT $4"
    ),
    replay_dead: "UPDATE {event_deliveries} SET dead = 0, tries = 0, due = 0, error = NULL \
         WHERE dead = 1 AND sink = $1 AND ($2 = 0 OR sequence = $2)",
    /// Queues events that a sink has passed.
    replay_after: "INSERT INTO {event_deliveries} (sink, sequence, key_id, tries, due, dead) \
         SELECT s.name, e.sequence, e.key_id, 0, 0, 0 FROM {events} e JOIN {event_sinks} s \
         ON e.sequence <= s.position WHERE s.name = $1 AND e.sequence > $2 \
         ON CONFLICT (sink, sequence) DO NOTHING",
    /// Keys whose expiry lies in a span of time, in the order of an index.
    expiring: "SELECT id, created, expires FROM {keys} WHERE revoked = 0 \
         AND (expires, id) > ($1, $2) AND expires <= $3 ORDER BY expires, id LIMIT 1000",
    /// The last one of the next keys.
    end_of_span: "SELECT MAX(id) AS id FROM (SELECT id FROM {keys} WHERE id > $1 ORDER BY id LIMIT 5000) n",
    /// Active keys in a span of ids that were last used, or else created, before an instant. Each of them is looked up: a
    /// plan that joins all keys with all secrets would do so for each span.
    unused: "SELECT id, created, last_used FROM (SELECT k.id, k.created, \
         (SELECT MAX(s.last_used) FROM {secrets} s WHERE s.key_id = k.id) AS last_used FROM {keys} k \
         WHERE k.id > $3 AND k.id <= $4 AND k.created <= $1 AND k.revoked = 0 AND k.disabled = 0 \
         AND k.account NOT IN (SELECT a.id FROM {accounts} a WHERE a.disabled <> 0) \
         AND (k.expires IS NULL OR k.expires > $2)) active \
         WHERE COALESCE(last_used, created) <= $1 ORDER BY id",
    /// The first event that stays.
    first_that_stays: "SELECT COALESCE((SELECT sequence FROM {events} WHERE at >= $1 ORDER BY sequence LIMIT 1), \
         (SELECT MAX(sequence) + 1 FROM {events})) AS sequence",
    count_before: "SELECT COUNT(*) AS counted FROM {events} WHERE sequence < $1",
    prune_deliveries: "DELETE FROM {event_deliveries} WHERE sequence < $1",
    prune_events: "DELETE FROM {events} WHERE sequence IN (SELECT sequence FROM {events} \
         WHERE sequence < $1 ORDER BY sequence LIMIT 10000)",
}
