//! Why a replica fails a lookup.

use std::sync::Arc;
use std::time::Duration;

use crate::error::StoreError;
use crate::key::KeyId;

/// Why a lookup has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unproven {
    #[error("the replica copies nothing yet: spawn `Replica::follow`")]
    NotFollowed,
    #[error("the first copy of the store is not complete{}", last(.0.as_deref()))]
    NotCopied(Option<Arc<StoreError>>),
    #[error(
        "the records of the replica were last proven {age:?} ago, and {longest:?} are allowed{}",
        last(.why.as_deref())
    )]
    Stale { age: Duration, longest: Duration, why: Option<Arc<StoreError>> },
    #[error(
        "the stored record of the key `{0}` is not valid: save the key or its account anew, or delete the key"
    )]
    Unreadable(KeyId),
}

fn last(error: Option<&StoreError>) -> String {
    error.map(|error| format!(": {error}")).unwrap_or_default()
}

/// Why a question to the feed has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoFeedAnswer {
    #[error("the feed did not answer within {0:?}, the timeout of the replica")]
    Timeout(Duration),
    #[error(
        "the history of the store is another one than before, so all records are read anew: the store was restored, it \
        lost changes, or its trail was cut"
    )]
    Diverged,
    #[error("a page of the feed is empty, and not the last one")]
    EmptyPage,
    #[error("the feed has more changes, but stays at the same position")]
    NoProgress,
}
