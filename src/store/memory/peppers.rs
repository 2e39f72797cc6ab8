//! Digests by several peppers, of keys in memory.

use std::collections::BTreeMap;

use super::super::manage::{
    Action, FORMER_DIGEST_KEPT, FormerDigest, ManageError, ManageFuture, PepperManager,
    PepperUsage, Rehash, check_author,
};
use super::index::identity;
use super::line::{Line, Made};
use super::manager::now;
use super::page::Entry;
use super::store::MemoryStore;
use super::writer::Writer;
use crate::clock::Timestamp;
use crate::key::PepperName;

impl PepperManager for MemoryStore {
    fn rehash<'a>(&'a self, secrets: Vec<Rehash>, by: &'a str) -> ManageFuture<'a, u64> {
        now(check_author(by).map_err(ManageError::from).map(|()| {
            let made = Made { at: self.0.clock.now(), by, reason: None };
            let mut writer = self.writer();
            writer.delete_former_digests(made.at);
            secrets.into_iter().map(|secret| u64::from(writer.rehash(secret, made).is_some())).sum()
        }))
    }

    fn pepper_usage(&self) -> ManageFuture<'_, Vec<PepperUsage>> {
        now(Ok(self.writer().pepper_usage(self.0.clock.now())))
    }
}

impl Writer<'_> {
    /// Gives a secret a digest by a newer pepper. Returns `None` if it gets none.
    fn rehash(&mut self, secret: Rehash, made: Made<'_>) -> Option<()> {
        self.make_room(1);
        let Rehash { from, to, pepper } = secret;
        let (_, id, _) = identity(&self.table, self.table.locate(&from)?)?;
        let Entry { digest: newest, record } = self.find(id.as_str())?.clone();
        let line = Line::of_key(Action::KeyRehashed, &record);
        let is_taken = self.table.locate(&to).is_some();
        let past = self.index.history.past(&id, newest);
        // A former digest leads to no secret here: its secret has the newer one already.
        let secret = past.secrets.iter_mut().find(|secret| secret.digest == from)?;
        let had_it = secret.formers.iter().any(|former| former.digest == to);
        if record.is_revoked() || (is_taken && !had_it) {
            return None;
        }
        secret.formers.retain(|former| former.digest != to);
        let former = FormerDigest { digest: from, pepper: secret.pepper.take(), replaced: made.at };
        secret.formers.insert(0, former);
        (secret.digest, secret.pepper) = (to, Some(pepper));
        let expires = secret.expires;
        if !had_it {
            self.index.history.count_former();
        }
        self.index.history.rehashed.push_back((made.at, id.clone(), from));
        // The former digest stays published.
        if from == newest {
            self.write(to, record);
        } else {
            self.rewrite(&record, vec![(to, expires)]);
        }
        self.index.history.note(made, line);
        Some(())
    }

    /// Deletes the former digests that have served their time.
    fn delete_former_digests(&mut self, now: Timestamp) {
        while let Some((replaced, id, digest)) = self.index.history.rehashed.pop_front() {
            if replaced.plus(FORMER_DIGEST_KEPT) > now {
                self.index.history.rehashed.push_front((replaced, id, digest));
                return;
            }
            // The secret may have gone, or may have got this digest back.
            let (_, secrets) = self.index.history.of(id.as_str(), digest);
            let mut formers = secrets.iter().flat_map(|secret| &secret.formers);
            if formers.any(|former| former.digest == digest && former.replaced == replaced) {
                for gone in self.index.history.drop_old(&id, &digest) {
                    self.withdraw(&gone);
                }
            }
        }
    }

    fn pepper_usage(&self, now: Timestamp) -> Vec<PepperUsage> {
        let mut peppers = BTreeMap::new();
        let keys = self.index.all().filter_map(|location| self.table.entry(location));
        for Entry { digest, record } in keys.filter(|entry| !entry.record.is_revoked()) {
            for secret in self.index.history.of(record.id().as_str(), *digest).1 {
                let end = [record.expires(), secret.expires].into_iter().flatten().min();
                if end.is_some_and(|end| end <= now) {
                    continue;
                }
                of(&mut peppers, secret.pepper).note(end, secret.last_used);
                let is_kept =
                    |former: &FormerDigest| former.replaced.plus(FORMER_DIGEST_KEPT) > now;
                for former in secret.formers.into_iter().filter(is_kept) {
                    of(&mut peppers, former.pepper).note_rehashed(former.replaced);
                }
            }
        }
        peppers.into_values().collect()
    }
}

fn of(
    peppers: &mut BTreeMap<Option<PepperName>, PepperUsage>,
    pepper: Option<PepperName>,
) -> &mut PepperUsage {
    peppers.entry(pepper.clone()).or_insert_with(|| PepperUsage::new(pepper))
}
