//! The occasions of events: each has one event. Those of many keys are taken with few statements.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::changes::NewEvent;
use crate::row;
use crate::statement::Statement;
use crate::trail::Step;
use tower_api_key::clock::Timestamp;
use tower_api_key::events::{EventKind, EventSubject, Occurrence};
use tower_api_key::store::ManageError;

/// A use that was recorded this long before is not the first.
const USED_BEFORE: Duration = Duration::from_secs(3_600);

/// The account, the key or an empty text, the kind and the name of an occasion.
type OccasionRow = (String, String, &'static str, String);

/// An occasion with its end, and the event that it has if it is free.
type EventCandidate = ((OccasionRow, Timestamp), NewEvent);

impl Step<'_> {
    /// Takes the occasions of these occurrences, and returns the events of those that were free. An occurrence of no key of
    /// this store has none.
    pub(super) async fn events_of(
        &mut self,
        occurrences: &[&Occurrence],
    ) -> Result<Vec<NewEvent>, ManageError> {
        let accounts = self.accounts_of(occurrences).await?;
        let mut wanted: HashMap<Timestamp, Vec<EventCandidate>> = HashMap::new();
        let mut seen = HashSet::new();
        let mut instants = Vec::new();
        for occurrence in occurrences {
            let EventSubject::Key(key) = &occurrence.subject else { continue };
            let Some(account) = accounts.get(key) else { continue };
            let (kind, at) = (occurrence.kind, occurrence.at);
            if kind == EventKind::FirstUse && self.was_used_before(key, at).await? {
                continue;
            }
            let of = if occurrence.of_account { String::new() } else { key.clone() };
            let occasion = (account.clone(), of, kind.name(), occurrence.occasion.clone());
            // Of several occurrences with one occasion, the first counts.
            if !seen.insert(occasion.clone()) {
                continue;
            }
            let (key, account) = (key.clone(), account.clone());
            let event = NewEvent { kind, at, key, account, data: occurrence.data.clone() };
            let of_instant = wanted.entry(at).or_default();
            if of_instant.is_empty() {
                instants.push(at);
            }
            of_instant.push(((occasion, occurrence.until), event));
        }
        let mut events = Vec::new();
        for at in instants {
            let Some(all) = wanted.remove(&at) else { continue };
            let (rows, new): (Vec<_>, Vec<_>) = all.into_iter().unzip();
            let taken = self.take_occasions(&rows, at).await?;
            let is_taken = |((account, of, kind, name), _): &(OccasionRow, Timestamp)| {
                taken.contains(&(account.clone(), of.clone(), (*kind).to_owned(), name.clone()))
            };
            let free = rows.iter().zip(new).filter(|(row, _)| is_taken(row));
            events.extend(free.map(|(_, event)| event));
        }
        Ok(events)
    }

    /// Takes occasions that are new, or whose earlier one of the same name has ended, and returns them.
    async fn take_occasions(
        &mut self,
        rows: &[(OccasionRow, Timestamp)],
        at: Timestamp,
    ) -> Result<HashSet<(String, String, String, String)>, ManageError> {
        const COLUMNS: usize = 5;
        let dialect = self.store.dialect;
        let values: Vec<_> = (0..rows.len())
            .map(|row| format!("({})", dialect.placeholders(row * COLUMNS + 1, COLUMNS)))
            .collect();
        let queries = &self.store.events;
        let sql = format!(
            "{} {} {} {} {}",
            queries.into_occasions.as_str(),
            values.join(", "),
            queries.unless_taken.as_str(),
            dialect.placeholders(rows.len() * COLUMNS + 1, 1),
            queries.taken_occasions.as_str(),
        );
        let bind =
            |all: Statement, ((account, of, kind, name), until): &(OccasionRow, Timestamp)| {
                let all =
                    all.bind(account.as_str()).bind(of.as_str()).bind(*kind).bind(name.as_str());
                all.bind(row::column(*until))
            };
        let asked = rows.iter().fold(Statement::made(sql), bind).bind(row::column(at));
        let mut taken = HashSet::new();
        for found in self.fetch(asked).await? {
            let text = |column| row::text(&*found, column);
            taken.insert((text("account")?, text("key_id")?, text("kind")?, text("name")?));
        }
        Ok(taken)
    }

    async fn was_used_before(&mut self, key: &str, at: Timestamp) -> Result<bool, ManageError> {
        let earlier = u64::try_from(USED_BEFORE.as_nanos()).unwrap_or(u64::MAX);
        let before =
            Timestamp::from_unix_nanoseconds(at.unix_nanoseconds().saturating_sub(earlier));
        let asked = Statement::new(&self.store.events.used_before);
        let found = self.fetch(asked.bind(key).bind(row::column(before))).await?;
        Ok(!found.is_empty())
    }

    /// Returns the accounts of the keys that this store has.
    async fn accounts_of(
        &mut self,
        occurrences: &[&Occurrence],
    ) -> Result<HashMap<String, String>, ManageError> {
        let mut keys: Vec<&str> = occurrences
            .iter()
            .filter_map(|occurrence| match &occurrence.subject {
                EventSubject::Key(key) => Some(key.as_str()),
                _ => None,
            })
            .collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let placeholders = self.store.dialect.placeholders(1, keys.len());
        let sql = format!("{} ({placeholders})", self.store.events.accounts_of_keys.as_str());
        let asked = keys.into_iter().fold(Statement::made(sql), Statement::bind);
        let mut accounts = HashMap::new();
        for found in self.fetch(asked).await? {
            accounts.insert(row::text(&*found, "id")?, row::text(&*found, "account")?);
        }
        Ok(accounts)
    }
}
