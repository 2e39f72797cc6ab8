//! The sessions of signed-in people, in bounded memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tower_api_key::clock::Timestamp;
use tower_api_key::key::{IssueError, IssuedKey, Issuer, KeyDigest, KeyFormat, KeyHasher};

/// The sessions that are kept. One more ends the one that was unused for longest.
const MOST: usize = 4_096;

/// The sessions of one key. One more ends the one of the key that was unused for longest, and none of another key.
const MOST_OF_A_KEY: usize = 16;

/// The text of a session: 256 random bits.
pub(super) const FORMAT: KeyFormat = KeyFormat::hex(64);

/// How long a session lasts.
///
/// ```
/// use std::time::Duration;
/// use tower_api_key_admin::console::SessionLimits;
///
/// let minutes = |count: u64| Duration::from_secs(count * 60);
/// let limits = SessionLimits { idle: minutes(15), ..SessionLimits::default() };
/// assert_eq!(limits.longest, minutes(8 * 60));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// The time without a request after which a session ends: 30 minutes unless set.
    pub idle: Duration,
    /// The time after which a session ends in any case: 8 hours unless set.
    pub longest: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { idle: Duration::from_secs(30 * 60), longest: Duration::from_secs(8 * 60 * 60) }
    }
}

/// The open sessions of a [`Console`](super::Console), for one that takes its place while it serves.
#[derive(Clone)]
pub struct ConsoleSessions(pub(super) Arc<Sessions>);

impl std::fmt::Debug for ConsoleSessions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "ConsoleSessions({} open)", self.0.lock().len())
    }
}

/// The open sessions, each by the digest of its text. No text of a session or a key is kept.
pub(super) struct Sessions {
    limits: SessionLimits,
    issuer: Issuer,
    open: Mutex<HashMap<KeyDigest, Session>>,
}

struct Session {
    /// The id of the key that signed in.
    key_id: String,
    /// The digests of the key that signed in, by each pepper of the keyring. The store has one of them.
    key: Arc<[KeyDigest]>,
    /// The text that every form of the session has.
    form_token: String,
    began: Timestamp,
    used: Timestamp,
}

impl Sessions {
    pub(super) fn new(limits: SessionLimits) -> Self {
        let issuer = Issuer::new(FORMAT, KeyHasher::sha256());
        Self { limits, issuer, open: Mutex::default() }
    }

    /// Opens a session for a key, and returns its text.
    pub(super) fn open(
        &self,
        key_id: &str,
        key: Arc<[KeyDigest]>,
        now: Timestamp,
    ) -> Result<IssuedKey, IssueError> {
        let text = self.issuer.issue(None)?;
        let form_token = self.issuer.issue(None)?.expose().to_owned();
        let mut open = self.lock();
        if open.len() >= MOST {
            open.retain(|_, session| self.limits.hold(session, now));
        }
        let of_key = open.values().filter(|session| session.key_id == key_id).count();
        if of_key >= MOST_OF_A_KEY {
            remove_oldest(&mut open, |session| session.key_id == key_id);
        } else if open.len() >= MOST {
            remove_oldest(&mut open, |_| true);
        }
        let key_id = key_id.to_owned();
        open.insert(*text.digest(), Session { key_id, key, form_token, began: now, used: now });
        Ok(text)
    }

    /// Returns the digests of the key of a session, and begins its idle time anew.
    pub(super) fn key(&self, session: &KeyDigest, now: Timestamp) -> Option<Arc<[KeyDigest]>> {
        let mut open = self.lock();
        let found = open.get_mut(session)?;
        if !self.limits.hold(found, now) {
            open.remove(session);
            return None;
        }
        found.used = now;
        Some(Arc::clone(&found.key))
    }

    /// Returns the text that every form of a session has.
    pub(super) fn form_token(&self, session: &KeyDigest) -> Option<String> {
        self.lock().get(session).map(|session| session.form_token.clone())
    }

    /// Returns a random name for a request that is to be made once. `None` without random numbers.
    pub(super) fn name(&self) -> Option<String> {
        self.issuer.issue(None).ok().map(|issued| issued.expose().to_owned())
    }

    /// Ends a session.
    pub(super) fn end(&self, session: &KeyDigest) {
        self.lock().remove(session);
    }

    /// Locks the table, which no panic leaves half changed.
    fn lock(&self) -> MutexGuard<'_, HashMap<KeyDigest, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the digest by which the session of a text is kept.
pub(super) fn digest(text: &str) -> KeyDigest {
    KeyHasher::sha256().digest(text.as_bytes())
}

/// Ends one of these sessions: the one that was unused for longest.
fn remove_oldest(open: &mut HashMap<KeyDigest, Session>, chosen: impl Fn(&Session) -> bool) {
    let chosen = open.iter().filter(|(_, session)| chosen(session));
    let oldest = chosen.min_by_key(|(_, session)| session.used.unix_nanoseconds());
    if let Some(digest) = oldest.map(|(digest, _)| *digest) {
        open.remove(&digest);
    }
}

impl SessionLimits {
    fn hold(&self, session: &Session, now: Timestamp) -> bool {
        now.since(session.used) < self.idle && now.since(session.began) < self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000_000 + seconds)
    }

    fn key(number: u8) -> Arc<[KeyDigest]> {
        [KeyDigest::from_bytes([number; 32])].into()
    }

    #[test]
    fn a_session_ends_when_it_is_idle_or_old_or_ended() {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        let sessions = Sessions::new(SessionLimits { idle: minutes(30), longest: minutes(60) });
        let open = || *sessions.open("one", key(1), at(0)).unwrap().digest();
        let (idle, old, ended) = (open(), open(), open());
        assert_eq!(sessions.key(&old, at(1_799)), Some(key(1)));
        assert_eq!(sessions.key(&idle, at(1_800)), None);
        assert_eq!(sessions.key(&idle, at(0)), None, "an ended session is forgotten");
        assert_eq!(sessions.key(&old, at(3_598)), Some(key(1)));
        assert_eq!(sessions.key(&old, at(3_600)), None);
        assert!(sessions.form_token(&ended).is_some());
        sessions.end(&ended);
        assert_eq!((sessions.key(&ended, at(1)), sessions.form_token(&ended)), (None, None));
    }

    #[test]
    fn the_table_is_bounded_and_forgets_the_session_that_was_unused_for_longest() {
        let sessions = Sessions::new(SessionLimits::default());
        let first = *sessions.open("one", key(1), at(0)).unwrap().digest();
        let second = *sessions.open("two", key(2), at(1)).unwrap().digest();
        for number in 2..MOST {
            sessions.open(&format!("key {number}"), key(3), at(2)).unwrap();
        }
        assert_eq!(sessions.key(&first, at(3)), Some(key(1)));
        sessions.open("three", key(3), at(4)).unwrap();
        assert_eq!(sessions.lock().len(), MOST);
        assert_eq!(sessions.key(&second, at(4)), None);
        assert_eq!(sessions.key(&first, at(4)), Some(key(1)));
    }

    #[test]
    fn a_key_ends_its_own_sessions_only() {
        let sessions = Sessions::new(SessionLimits::default());
        let open = |id, seconds| *sessions.open(id, key(1), at(seconds)).unwrap().digest();
        let (operator, first) = (open("operator", 0), open("customer", 1));
        let second = open("customer", 2);
        for _ in 2..=MOST_OF_A_KEY {
            open("customer", 3);
        }
        let found = [operator, first, second].map(|digest| sessions.key(&digest, at(4)).is_some());
        assert_eq!(found, [true, false, true]);
        assert_eq!(sessions.lock().len(), MOST_OF_A_KEY + 1);
    }

    #[test]
    fn no_two_sessions_or_forms_share_a_text() {
        let sessions = Sessions::new(SessionLimits::default());
        let [one, two] = [0, 0].map(|_| sessions.open("one", key(1), at(0)).unwrap());
        assert_ne!(one.expose(), two.expose());
        assert_ne!(sessions.form_token(one.digest()), sessions.form_token(two.digest()));
    }
}
