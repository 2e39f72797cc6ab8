//! Looking up a key by the other peppers of a keyring, after the current one has found none. A key of the current
//! pepper never comes here.

use std::ops::ControlFlow;

use super::deciding::Deciding;
use super::other_lookup::{Found, OtherLookup};
use super::wait::{Next, Wait};
use crate::decision::KeyFacts;
use crate::error::Denial;
use crate::key::{KeyRecord, OtherDigest};
use crate::request::{Client, Head};
use crate::store::Rehash;

impl Deciding<'_> {
    /// Looks a key up by the other peppers from this place on. The key is read from the request again, because nothing
    /// keeps its text.
    #[cold]
    pub(super) fn look_up_by_others(
        &mut self,
        mut place: usize,
        key: KeyFacts,
        client: Client,
        head: Head<'_>,
    ) -> Next {
        let shared = self.shared;
        while let Some(asked) = shared.policy.other_digest(head, place, shared.now()) {
            place = asked.following;
            match shared.options.find(&asked.digest).into_now() {
                Ok(Ok(None)) => {}
                Ok(answer) => return self.found_by_other(answer, &asked, key, client, head),
                Err(lookup) => {
                    let lookup = OtherLookup { lookup, asked, key, client };
                    return ControlFlow::Continue(Wait::FindByOther(Box::new(lookup)));
                }
            }
        }
        self.mask(head);
        self.failed(client, Denial::KeyUnknown)
    }

    /// Continues with the store's answer to a lookup by another pepper.
    #[cold]
    pub(super) fn found_by_other(
        &mut self,
        answer: Found,
        asked: &OtherDigest,
        key: KeyFacts,
        client: Client,
        head: Head<'_>,
    ) -> Next {
        match &answer {
            Ok(None) => return self.look_up_by_others(asked.following, key, client, head),
            Ok(Some(record)) => self.rehash(record, asked, head),
            Err(_) => {}
        }
        // A record leads to no further lookup.
        self.found(answer, key, client, head)
    }

    /// Records that a key needs a digest by the current pepper, if it is a key of this gate under a former one.
    fn rehash(&self, record: &KeyRecord, asked: &OtherDigest, head: Head<'_>) {
        let policy = &self.shared.policy;
        let Some(rehasher) = &self.shared.options.rehasher else { return };
        let has_ended = record.expires().is_some_and(|end| end <= self.shared.now());
        // A gate of another audience may have other peppers.
        if !asked.is_former || record.is_revoked() || has_ended || !policy.is_for_us(record) {
            return;
        }
        if let (Some(to), Some(pepper)) = (policy.current_digest(head), policy.pepper()) {
            rehasher.record(Rehash { from: asked.digest, to, pepper: pepper.clone() });
        }
    }
}
