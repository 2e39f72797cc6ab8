//! One kind of request of the mixed load, and what has to come back.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use rand::RngExt;
use rand::rngs::StdRng;

use crate::client::Question;
use crate::expectation::{Expected, Refusal};
use crate::journal::Journal;

/// How often a kind of request is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Share {
    /// So often, however fast the rest goes: limits are about time.
    PerSecond(f64),
    /// By this weight, among the others that have one.
    Weight(f64),
}

/// How a client goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HangUp {
    /// While it shakes hands.
    Handshake,
    /// In the middle of its request.
    Request,
    /// When its request is sent, and perhaps not yet handled.
    Answer,
    /// With a few bytes of the answer read.
    Response,
    /// It only gives up this request, and keeps the connection if that can be.
    Reset,
}

impl HangUp {
    pub(crate) const ALL: [Self; 5] =
        [Self::Handshake, Self::Request, Self::Answer, Self::Response, Self::Reset];
}

/// A key as it is sent.
#[derive(Debug, Clone)]
enum Key {
    Whole(String),
    /// With one character changed, another one each time.
    Damaged(String),
}

#[derive(Debug, Clone)]
enum Credential {
    None,
    Bearer(Key),
    Basic {
        user: &'static str,
        key: Key,
    },
    /// Other lines of `Authorization`, as they stand here.
    Lines(&'static [&'static str]),
}

/// One kind of request.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) share: Share,
    pub(crate) plain: bool,
    pub(crate) hangs_up: bool,
    pub(crate) runs: Duration,
    pub(crate) expected: Expected,
    pub(crate) journal: Option<Arc<Journal>>,
    question: Question,
    credential: Credential,
}

impl Case {
    pub(crate) fn new(name: &'static str, share: Share, method: Method, path: &str) -> Self {
        Self {
            name,
            share,
            plain: false,
            hangs_up: false,
            runs: Duration::ZERO,
            expected: Expected { served: None, refused: None },
            journal: None,
            question: Question { method, path: path.to_owned(), headers: Vec::new(), content: "" },
            credential: Credential::None,
        }
    }

    pub(crate) fn get(name: &'static str, share: Share, path: &str) -> Self {
        Self::new(name, share, Method::GET, path)
    }

    pub(crate) fn post(
        name: &'static str,
        share: Share,
        path: &str,
        content: &'static str,
    ) -> Self {
        Self::new(name, share, Method::POST, path).content(content)
    }

    pub(crate) fn content(mut self, content: &'static str) -> Self {
        self.question.content = content;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.question.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn bearer(self, key: &str) -> Self {
        Self { credential: Credential::Bearer(Key::Whole(key.to_owned())), ..self }
    }

    pub(crate) fn basic(self, user: &'static str, key: &str) -> Self {
        Self { credential: Credential::Basic { user, key: Key::Whole(key.to_owned()) }, ..self }
    }

    pub(crate) fn lines(self, lines: &'static [&'static str]) -> Self {
        Self { credential: Credential::Lines(lines), ..self }
    }

    /// Changes one character of the key, so that it is one that nobody has.
    pub(crate) fn damaged(mut self) -> Self {
        if let Credential::Bearer(key) | Credential::Basic { key, .. } = &mut self.credential
            && let Key::Whole(whole) = key
        {
            *key = Key::Damaged(std::mem::take(whole));
        }
        self
    }

    /// Goes over the port without TLS.
    pub(crate) fn plain(self) -> Self {
        Self { plain: true, ..self }
    }

    pub(crate) fn hangs_up(self) -> Self {
        Self { hangs_up: true, ..self }
    }

    /// Has the handler take its time.
    pub(crate) fn runs(self, time: Duration) -> Self {
        let case = Self { runs: time, ..self };
        case.header("demo-delay", &time.as_millis().to_string())
    }

    pub(crate) fn served(self, status: u16, contains: &str) -> Self {
        Self { expected: Expected::served(status, contains), ..self }
    }

    pub(crate) fn refused(self, refusal: Refusal) -> Self {
        Self { expected: Expected::refused(refusal), ..self }
    }

    /// May be refused so, if the limits in the journal allow that.
    pub(crate) fn or_refused(self, refusal: Refusal, journal: &Arc<Journal>) -> Self {
        let expected = self.expected.or_refused(refusal);
        Self { expected, journal: Some(Arc::clone(journal)), ..self }
    }

    /// Writes the request.
    pub(crate) fn question(&self, random: &mut StdRng) -> Question {
        let mut question = self.question.clone();
        let mut key = |key: &Key| match key {
            Key::Whole(key) => key.clone(),
            Key::Damaged(key) => damage(key, random),
        };
        let mut authorize = |line| question.headers.push(("authorization", line));
        match &self.credential {
            Credential::None => {}
            Credential::Bearer(bearer) => authorize(format!("Bearer {}", key(bearer))),
            Credential::Basic { user, key: password } => {
                let pair = format!("{user}:{}", key(password));
                authorize(format!("Basic {}", STANDARD.encode(pair)));
            }
            Credential::Lines(lines) => lines.iter().for_each(|line| authorize((*line).to_owned())),
        }
        question
    }
}

/// Replaces a character behind a key's prefix by a digit that every alphabet has; one in another case
/// could be read as the same.
fn damage(key: &str, random: &mut StdRng) -> String {
    const DIGITS: &[u8] = b"0123456789abcdef";
    let secret = key.rfind('_').map_or(0, |end| end + 1);
    let mut bytes = key.as_bytes().to_vec();
    let place = random.random_range(secret..bytes.len());
    let before = bytes[place];
    while bytes[place].eq_ignore_ascii_case(&before) {
        bytes[place] = DIGITS[random.random_range(0..DIGITS.len())];
    }
    String::from_utf8(bytes).unwrap()
}
