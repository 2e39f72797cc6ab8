//! What has to come back, as vendors.md has it.

use crate::client::Answer;

/// A refusal, to the byte.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) content: &'static str,
    /// The challenges, in the order of the header's values.
    pub(crate) challenge: Option<&'static str>,
    /// Whether it says when to come again.
    pub(crate) retry: bool,
}

impl Refusal {
    pub(crate) const fn new(status: u16, content: &'static str) -> Self {
        Self { status, content, challenge: None, retry: false }
    }

    pub(crate) const fn challenge(self, challenge: &'static str) -> Self {
        Self { challenge: Some(challenge), ..self }
    }

    pub(crate) const fn retry(self) -> Self {
        Self { retry: true, ..self }
    }
}

/// What the service behind the gate answers.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) status: u16,
    /// What stands in the content, so that it is this account's and no other's.
    pub(crate) contains: String,
}

impl Served {
    pub(crate) fn new(status: u16, contains: impl Into<String>) -> Self {
        Self { status, contains: contains.into() }
    }
}

/// The answers that a request may have; where it may be served or refused, something else has to
/// say which of them was right.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) served: Option<Served>,
    pub(crate) refused: Option<Refusal>,
}

impl Expected {
    pub(crate) fn served(status: u16, contains: impl Into<String>) -> Self {
        Self { served: Some(Served::new(status, contains)), refused: None }
    }

    pub(crate) const fn refused(refusal: Refusal) -> Self {
        Self { served: None, refused: Some(refusal) }
    }

    pub(crate) fn or_refused(self, refusal: Refusal) -> Self {
        Self { refused: Some(refusal), ..self }
    }

    /// Tells whether the request was served.
    ///
    /// # Errors
    ///
    /// What is wrong with the answer, if it is neither.
    pub(crate) fn judge(&self, answer: &Answer) -> Result<bool, String> {
        let served = self.served.as_ref().filter(|served| served.status == answer.status);
        let refused = self.refused.filter(|refusal| refusal.status == answer.status);
        match (served, refused) {
            (Some(served), _) if answer.content.contains(&served.contains) => Ok(true),
            (_, Some(refusal)) if refusal.content == answer.content => {
                same("www-authenticate", answer, refusal.challenge)?;
                same("cache-control", answer, Some("no-store"))?;
                same("location", answer, None)?;
                let seconds = answer.header("retry-after").map(|seconds| seconds.parse::<u32>());
                match seconds {
                    None if !refusal.retry => Ok(false),
                    Some(Ok(1..)) if refusal.retry => Ok(false),
                    seconds => Err(format!("retry-after is {seconds:?}")),
                }
            }
            _ => Err(format!("{} {:?}", answer.status, answer.content)),
        }
    }
}

fn same(name: &str, answer: &Answer, expected: Option<&str>) -> Result<(), String> {
    let value = answer.header(name);
    if value.as_deref() == expected { Ok(()) } else { Err(format!("{name} is {value:?}")) }
}
