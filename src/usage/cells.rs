//! The counts that wait to be written. A request locks the counts of its thread for as long as it takes to add one.

use std::hash::BuildHasher;
use std::mem;
use std::net::IpAddr;
use std::sync::TryLockError;
use std::sync::atomic::{AtomicUsize, Ordering};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::cell::{OTHER_ROUTE, UsageCell, counted};
use super::hour::UsageHour;
use crate::clock::Timestamp;
use crate::decision::{ObservedRequest, RequestDecision};
use crate::sync::{AtomicU64, Mutex, STRIPES, lock, stripe};

/// A count, with the last of its requests.
pub(super) struct HeldCell {
    pub(super) cell: UsageCell,
    pub(super) at: Timestamp,
    pub(super) client: Option<IpAddr>,
    hash: u64,
}

/// Whether there was room for a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellRoom {
    /// There was.
    Found,
    /// There was, and now three quarters of the room are taken.
    Filling,
    /// There was none: the request is counted without its key and route.
    NotFound,
}

/// The counts of some threads, in cache lines of their own.
#[derive(Default)]
#[repr(align(128))]
struct CellStripe(Mutex<HashTable<HeldCell>>);

/// The counts of all threads.
pub(super) struct Cells {
    stripes: [CellStripe; STRIPES],
    /// The counts of all stripes, at most `most`.
    held: AtomicUsize,
    most: usize,
    hasher: DefaultHashBuilder,
    /// The requests for which there was no room, by decision.
    others: [AtomicU64; RequestDecision::ALL.len()],
}

impl Cells {
    pub(super) fn new(most: usize) -> Self {
        Self {
            stripes: Default::default(),
            held: AtomicUsize::new(0),
            most,
            hasher: DefaultHashBuilder::default(),
            others: Default::default(),
        }
    }

    /// Counts a request. Returns whether there was room for its key and route.
    pub(super) fn count(&self, request: &ObservedRequest<'_>) -> CellRoom {
        let mine = stripe();
        for stripe in self.stripes.iter().cycle().skip(mine).take(STRIPES) {
            let mut table = match stripe.0.try_lock() {
                Ok(table) => table,
                Err(TryLockError::Poisoned(error)) => error.into_inner(),
                // Another thread of the stripe counts, or the counts are being taken.
                Err(TryLockError::WouldBlock) => continue,
            };
            match self.count_in(&mut table, request) {
                CellRoom::NotFound => break,
                room => return room,
            }
        }
        if let Some(other) = self.others.get(place(request.decision())) {
            other.fetch_add(1, Ordering::Relaxed);
        }
        CellRoom::NotFound
    }

    fn count_in(&self, table: &mut HashTable<HeldCell>, request: &ObservedRequest<'_>) -> CellRoom {
        let (at, decision) = (request.at(), request.decision());
        let (hour, key) = (UsageHour::of(at), request.key_id());
        let route = counted(request.route().unwrap_or_default());
        let hash = self.hasher.hash_one((hour, key, route, decision));
        let client = request.client().address;
        let same = |held: &HeldCell| {
            let cell = &held.cell;
            cell.key.as_ref() == key
                && cell.hour == hour
                && cell.decision == decision
                && cell.route == route
        };
        if let Some(held) = table.find_mut(hash, same) {
            held.cell.requests += 1;
            if held.at <= at {
                (held.at, held.client) = (at, client);
            }
            return CellRoom::Found;
        }
        let before = self.held.fetch_add(1, Ordering::Relaxed);
        if before >= self.most {
            self.held.fetch_sub(1, Ordering::Relaxed);
            return CellRoom::NotFound;
        }
        let cell = UsageCell {
            hour,
            key: key.cloned(),
            account: request.account().cloned(),
            route: route.to_owned(),
            decision,
            requests: 1,
        };
        table.insert_unique(hash, HeldCell { cell, at, client, hash }, |held| held.hash);
        if before == self.most / 4 * 3 { CellRoom::Filling } else { CellRoom::Found }
    }

    /// Takes all counts. Those without key and route count in the hour `now`.
    pub(super) fn take(&self, now: UsageHour) -> (Vec<HeldCell>, Vec<UsageCell>) {
        let mut taken = Vec::new();
        for stripe in &self.stripes {
            // As large as the one before, so that a request seldom waits for it to grow.
            let room = lock(&stripe.0).len();
            let fresh = HashTable::with_capacity(room);
            let table = mem::replace(&mut *lock(&stripe.0), fresh);
            self.held.fetch_sub(table.len(), Ordering::Relaxed);
            taken.extend(table);
        }
        let others =
            self.others.iter().zip(RequestDecision::ALL).filter_map(|(other, decision)| {
                let requests = other.swap(0, Ordering::Relaxed);
                (requests > 0).then(|| UsageCell {
                    hour: now,
                    key: None,
                    account: None,
                    route: OTHER_ROUTE.to_owned(),
                    decision,
                    requests,
                })
            });
        (taken, others.collect())
    }
}

fn place(decision: RequestDecision) -> usize {
    RequestDecision::ALL.iter().position(|known| *known == decision).unwrap_or_default()
}
