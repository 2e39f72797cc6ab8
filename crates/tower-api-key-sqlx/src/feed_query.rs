//! Parts of the statements with which feeds and caches read the trail.

/// The columns of a record, as [`row`](super::row) reads them.
macro_rules! record_columns {
    () => {
        "k.id, k.account, k.owner, k.kind, k.environment, k.name, k.description, k.scopes, \
         k.networks, k.quotas, k.metadata, k.not_before, k.expires, k.disabled, k.revoked, \
         k.created, k.audience, k.form, a.disabled AS account_disabled, a.scopes AS account_scopes, \
         a.quotas AS account_quotas, a.plan"
    };
}

/// The mark of a change. A program of the first step leaves it NULL; then the instant of the change stands for it.
macro_rules! mark {
    () => {
        "COALESCE(mark, at) AS mark"
    };
}

/// Whether the server is a standby.
macro_rules! standby {
    () => {
        "CASE WHEN pg_is_in_recovery() THEN CAST(1 AS BIGINT) ELSE 0 END AS standby"
    };
}

/// The mark of the other position that a reader has seen.
macro_rules! seen_mark {
    () => {
        "(SELECT COALESCE(seen.mark, seen.at) FROM {changes} AS seen WHERE seen.sequence = $2) AS seen_mark"
    };
}

/// Selects the change at a position and the next one, by the primary key alone.
macro_rules! poll {
    ($standby:expr) => {
        concat!(
            "SELECT sequence, ",
            mark!(),
            ", previous, ",
            seen_mark!(),
            ", ",
            $standby,
            " FROM {changes} WHERE sequence >= $1 ORDER BY sequence LIMIT 2"
        )
    };
}

/// The newest change.
macro_rules! newest {
    () => {
        concat!(
            "(SELECT sequence AS latest, ",
            "COALESCE(mark, at) AS latest_mark FROM {changes} ORDER BY sequence DESC LIMIT 1)"
        )
    };
}

/// Selects the change at a position and those behind it, each with the present state of what it changed.
macro_rules! changed {
    ($standby:expr) => {
        concat!(
            "SELECT c.sequence, c.mark, c.previous, c.action, c.key_id, c.of_account, ",
            seen_mark!(),
            ", ",
            $standby,
            ", n.latest, n.latest_mark, a.id AS account_id, ",
            record_columns!(),
            ", s.digest, s.expires AS secret_expires FROM (SELECT sequence, ",
            mark!(),
            ", previous, action, key_id, account AS of_account FROM {changes} WHERE sequence >= $1 \
             ORDER BY sequence LIMIT 1001) c CROSS JOIN ",
            newest!(),
            " n "
        )
    };
}

/// The change that proves the position of a page, and the newest one.
macro_rules! place_of_page {
    () => {
        concat!(
            " FROM (SELECT 1 AS one) AS one LEFT JOIN (SELECT sequence, ",
            mark!(),
            " FROM {changes} WHERE sequence >= $1 ORDER BY sequence LIMIT 1) c ON TRUE LEFT JOIN ",
            newest!(),
            " n ON TRUE "
        )
    };
}

/// Selects a page of secrets. It has at least one row, with the change that proves the position.
macro_rules! page {
    ($count:literal) => {
        concat!(
            "SELECT c.sequence, c.mark, n.latest, n.latest_mark, s.digest, s.expires AS secret_expires, ",
            record_columns!(),
            place_of_page!(),
            "LEFT JOIN (SELECT digest, key_id, expires FROM {secrets} WHERE digest > $2 ORDER BY digest LIMIT ",
            $count,
            ") s ON TRUE LEFT JOIN {keys} k ON k.id = s.key_id LEFT JOIN {accounts} a ON a.id = k.account"
        )
    };
}

pub(super) use {
    changed, mark, newest, page, place_of_page, poll, record_columns, seen_mark, standby,
};
