//! The writers' index: finds records by key id and by account, and tracks the free room.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use super::account_index::AccountIndex;
use super::history::History;
use super::page::Entry;
use super::requests::MadeRequests;
use super::table::{Location, Table};
use crate::key::{AccountId, KeyDigest, KeyId, KeyRecord};
use crate::policy::Policies;
use crate::sync;

/// The fewest replaced records that cause a compaction of the pages.
const FEWEST_REPLACED: usize = sync::size(1024, 2);

/// Maps key ids and accounts to locations. One writer at a time holds the index.
#[derive(Default)]
pub(super) struct Index {
    ids: HashTable<Location>,
    hasher: RandomState,
    pub(super) accounts: AccountIndex,
    /// The number of used locations, including those of replaced records.
    used: usize,
    /// The number of slots whose keys were deleted.
    gone: usize,
    pub(super) history: History,
    pub(super) requests: MadeRequests,
    pub(super) policies: Policies,
}

impl Index {
    /// Returns the number of keys.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns the locations of all keys.
    pub(super) fn all(&self) -> impl Iterator<Item = Location> {
        self.ids.iter().copied()
    }

    /// Finds a key by its id.
    pub(super) fn find(&self, table: &Table, id: &str) -> Option<Location> {
        self.ids.find(self.hasher.hash_one(id), |at| is_of(table, *at, id)).copied()
    }

    /// Takes the next location. The caller has made room for it.
    pub(super) fn next_location(&mut self) -> Option<Location> {
        let location = Location::nth(self.used);
        self.used += 1;
        location
    }

    /// Records the location of a key.
    pub(super) fn note(&mut self, table: &Table, record: &KeyRecord, at: Location) {
        let id = record.id().as_str();
        let hasher = &self.hasher;
        let rehash = |at: &Location| {
            hasher.hash_one(table.entry(*at).map_or("", |entry| entry.record.id().as_str()))
        };
        let noted = self.ids.entry(hasher.hash_one(id), |other| is_of(table, *other, id), rehash);
        match noted {
            hashbrown::hash_table::Entry::Occupied(mut entry) => *entry.get_mut() = at,
            hashbrown::hash_table::Entry::Vacant(entry) => {
                entry.insert(at);
            }
        }
    }

    /// Removes a key. Removes its account, too, if it was never saved and this was its last key.
    pub(super) fn forget(&mut self, table: &Table, id: &KeyId, account: &AccountId) {
        let hash = self.hasher.hash_one(id.as_str());
        let Ok(found) = self.ids.find_entry(hash, |at| is_of(table, *at, id.as_str())) else {
            return;
        };
        let (at, _) = found.remove();
        self.accounts.forget_key(account, at);
    }

    /// Counts a slot whose key was deleted.
    pub(super) const fn withdrawn(&mut self) {
        self.gone += 1;
    }

    /// Returns a table with room for `more` entries, or `None` if the present table has the room. A new table
    /// makes all earlier locations invalid.
    pub(super) fn make_room(&mut self, table: &Table, more: usize) -> Option<Table> {
        let live = self.len() + self.history.all_old();
        let replaced = self.used - live;
        let crowded = live + self.gone + more > table.most_slots()
            || self.used + more > table.most_locations();
        if replaced > live.max(FEWEST_REPLACED) || (crowded && replaced > live / 2) {
            Some(self.compacted(table, more))
        } else if crowded {
            self.gone = 0;
            Some(table.with_more_room(live + live / 2 + more))
        } else {
            None
        }
    }

    /// Copies the live records to new pages, without gaps.
    fn compacted(&mut self, table: &Table, more: usize) -> Table {
        let compact = Table::with_room_for(self.len() + self.history.all_old() + more);
        let mut moved = vec![None; self.used];
        self.used = 0;
        self.gone = 0;
        for at in &mut self.ids {
            let (Some(to), Some(entry)) = (Location::nth(self.used), table.entry(*at)) else {
                continue;
            };
            compact.place(to, entry.clone());
            compact.publish(&entry.digest, to);
            self.used += 1;
            if let Some(moved) = moved.get_mut(at.number()) {
                *moved = Some(to);
            }
            *at = to;
        }
        for digest in self.history.old_of_all() {
            let entry = table.locate(&digest).and_then(|at| table.entry(at));
            let (Some(to), Some(entry)) = (Location::nth(self.used), entry) else { continue };
            compact.place(to, Entry::clone(entry));
            compact.publish(&entry.digest, to);
            self.used += 1;
        }
        for key in self.accounts.all_keys() {
            if let Some(Some(to)) = moved.get(key.number()) {
                *key = *to;
            }
        }
        compact
    }
}

/// Returns the digest, key id and account id at a location.
pub(super) fn identity(table: &Table, at: Location) -> Option<(KeyDigest, KeyId, AccountId)> {
    let entry = table.entry(at)?;
    Some((entry.digest, entry.record.id().clone(), entry.record.account().id().clone()))
}

fn is_of(table: &Table, at: Location, id: &str) -> bool {
    table.entry(at).is_some_and(|entry| entry.record.id() == id)
}

#[cfg(test)]
#[cfg(not(shuttle))] // Tables are smaller under Shuttle.
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::store::SecretEntry;

    /// Makes an index with these numbers of live keys, used locations and slots whose keys were deleted.
    fn index(live: usize, used: usize, gone: usize) -> Index {
        let mut index = Index { used, gone, ..Index::default() };
        for number in 0..live {
            let at = Location::nth(number).unwrap();
            index.ids.insert_unique(number as u64, at, |at| at.number() as u64);
        }
        index
    }

    /// How room is made, and for how many keys.
    #[derive(Debug, PartialEq)]
    enum Growth {
        IsThere,
        Grows(usize),
        IsCleared(usize),
    }

    fn make_room(index: &mut Index, more: usize) -> Growth {
        let used = index.used;
        match index.make_room(&Table::with_room_for(0), more) {
            None => Growth::IsThere,
            Some(table) if index.used == used => Growth::Grows(table.most_slots()),
            Some(table) => Growth::IsCleared(table.most_slots()),
        }
    }

    /// The smallest table has room for 820 keys.
    #[test]
    fn room_is_made_when_it_runs_out_and_cleared_when_half_of_it_is_replaced() {
        use Growth::{Grows, IsCleared, IsThere};
        for (live, used, gone, more, expected) in [
            (0, 1_024, 0, 1, IsThere),
            (0, 1_025, 0, 1, IsCleared(820)),
            (819, 819, 0, 1, IsThere),
            (500, 500, 0, 10, IsThere),
            (820, 820, 0, 1, Grows(1232)),
            (811, 811, 0, 10, Grows(1228)),
            (400, 400, 419, 1, IsThere),
            (400, 400, 420, 1, Grows(820)),
            (0, 100, 820, 1, IsCleared(820)),
            (600, 900, 220, 1, Grows(904)),
            (600, 901, 220, 1, IsCleared(820)),
            (2_000, 4_001, 0, 5, IsCleared(2008)),
        ] {
            let case = (live, used, gone, more);
            let mut index = index(live, used, gone);
            assert_eq!(make_room(&mut index, more), expected, "{case:?}");
            assert_eq!(index.gone, if expected == IsThere { gone } else { 0 }, "{case:?}");
        }
    }

    #[test]
    fn old_secrets_need_room_too() {
        let secret = |byte| KeyDigest::from_bytes([byte; 32]);
        let (id, now) = (KeyId::new("key").unwrap(), Timestamp::default());
        let with_old = |live, used| {
            let mut index = index(live, used, 0);
            index.history.begin(&id, SecretEntry::new(secret(1), now));
            index.history.rotate(&id, secret(1), SecretEntry::new(secret(2), now), now);
            index
        };
        assert_eq!(make_room(&mut with_old(818, 819), 1), Growth::IsThere);
        assert_eq!(make_room(&mut with_old(819, 820), 1), Growth::Grows(1232));
        assert_eq!(make_room(&mut with_old(2_000, 4_003), 5), Growth::IsCleared(2008));
    }
}
