//! Counts keys for a policy that bounds their number.

use crate::row;
use crate::statement::Statement;
use crate::tables::Tables;
use crate::trail::Step;
use tower_api_key::key::{KeyKind, KeyRecord};
use tower_api_key::policy::{PolicySubject, PolicyViolation};
use tower_api_key::store::ManageError;

/// The keys that count: neither revoked nor expired.
pub(super) const COUNTED: &str = "revoked = 0 AND (expires IS NULL OR expires > $1)";

/// The keys of the owner and audience of a new key.
const NOT_OF_OWNER: &str = " AND NOT (COALESCE(owner, '') = $5 AND COALESCE(audience, '') = $6)";

/// A key whose account has a bounded number of keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct CountedKey<'a> {
    pub(super) record: &'a KeyRecord,
    /// Whether the other keys of its owner and audience are about to be revoked.
    pub(super) revokes_others: bool,
}

impl CountedKey<'_> {
    /// Counts the other keys that a policy covers, at most as many as it allows.
    pub(super) fn others(
        self,
        tables: &Tables,
        (subject, most): (&PolicySubject, u32),
        at: i64,
    ) -> Statement {
        let Self { record, revokes_others } = self;
        let mut keys = format!("account = $2 AND id <> $3 AND {COUNTED}");
        if revokes_others {
            keys.push_str(NOT_OF_OWNER);
        }
        let kind = kind(subject);
        if kind.is_some() {
            let place = if revokes_others { 7 } else { 5 };
            keys.push_str(&format!(" AND kind = ${place}"));
        }
        let sql = format!(
            "SELECT COUNT(*) AS number FROM (SELECT 1 AS one FROM {{keys}} WHERE {keys} LIMIT $4) AS counted"
        );
        let mut asked = Statement::made(tables.fill(&sql))
            .bind(at)
            .bind(record.account().id().as_str())
            .bind(record.id().as_str())
            .bind(i64::from(most));
        if revokes_others {
            asked = asked
                .bind(record.owner().unwrap_or_default())
                .bind(record.audience().map_or("", |audience| audience.as_str()));
        }
        kind.into_iter().fold(asked, |asked, kind| asked.bind(kind.as_str()))
    }
}

impl Step<'_> {
    /// Refuses a key whose account has `most` other keys that a policy covers. No other change runs until this one is
    /// committed.
    pub(super) async fn check_number(
        &mut self,
        bound: (&PolicySubject, u32),
        key: CountedKey<'_>,
    ) -> Result<(), ManageError> {
        let rows = self.fetch(key.others(&self.store.tables, bound, self.at())).await?;
        let count = rows.first().map(|found| row::number(&**found, "number")).transpose()?;
        Ok(check_count(bound, count.unwrap_or_default())?)
    }
}

/// Refuses a further key beside this number of keys.
pub(super) fn check_count(
    (subject, most): (&PolicySubject, u32),
    others: i64,
) -> Result<(), PolicyViolation> {
    if others < i64::from(most) {
        return Ok(());
    }
    Err(PolicyViolation::TooManyKeys { subject: subject.clone(), most })
}

/// Returns the kind of keys that a bound counts. Other bounds count all keys of the account.
pub(super) fn kind(subject: &PolicySubject) -> Option<&KeyKind> {
    if let PolicySubject::Kind(kind) = subject { Some(kind) } else { None }
}
