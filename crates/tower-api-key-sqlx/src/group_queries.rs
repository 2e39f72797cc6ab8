//! The statements that look up several keys at once.
//!
//! Each has a fixed number of digests, so that PostgreSQL keeps one plan for any values. A list of any length would be
//! planned for each run: a short one looks cheaper than what the kept plan expects. Each key is looked up by itself, by the
//! primary keys: otherwise a plan that was made while the tables were small would read them whole.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::statement::Statement;
use tower_api_key::key::KeyDigest;

/// The numbers of digests, each with a statement.
const SIZES: [usize; 4] = [2, 4, 8, MOST];

/// The most lookups of one statement.
pub(super) const MOST: usize = 16;

/// The statements of a store.
#[derive(Debug)]
pub(super) struct GroupQueries {
    by_size: [(usize, SqlStr); SIZES.len()],
}

impl GroupQueries {
    /// Returns statements that look up keys as `find` does, which ends with the parameter of one digest.
    pub(super) fn new(find: &SqlStr) -> Self {
        let find = find.as_str();
        let up_to_digest = find.strip_suffix("$1").unwrap_or(find);
        Self { by_size: SIZES.map(|size| (size, of_size(up_to_digest, size))) }
    }

    /// Returns the statement for these digests, at most [`MOST`]. A row has the `place` of its digest.
    pub(super) fn statement(&self, digests: &[KeyDigest]) -> Statement {
        let fits = self.by_size.iter().find(|(size, _)| *size >= digests.len());
        let [.., largest] = &self.by_size;
        let (size, sql) = fits.unwrap_or(largest);
        let bind = |asked: Statement, digest: &KeyDigest| asked.bind(digest.as_bytes().to_vec());
        let mut asked = digests.iter().fold(Statement::new(sql), bind);
        // No key has an empty digest.
        asked.values.resize(*size, Vec::new().into());
        asked
    }
}

/// Returns the statement for this number of digests.
fn of_size(up_to_digest: &str, size: usize) -> SqlStr {
    let asked = |place: usize| format!("(CAST({place} AS BIGINT), CAST(${} AS BYTEA))", place + 1);
    let asked: Vec<_> = (0..size).map(asked).collect();
    let sql = format!(
        "SELECT asked.place, found.* FROM (VALUES {}) AS asked (place, digest) \
         CROSS JOIN LATERAL ({up_to_digest}asked.digest OFFSET 0) AS found",
        asked.join(", ")
    );
    AssertSqlSafe(sql).into_sql_str()
}
