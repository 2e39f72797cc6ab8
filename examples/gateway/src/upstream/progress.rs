//! Notices that an upstream does not read the content of a request.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// Whom the content of a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Client,
    Upstream,
}

/// Tells how the content of a request goes on. Dropped when all of it is sent.
pub(super) struct Progress(watch::Sender<Awaited>);

/// Hears how the content of a request goes on.
pub(super) struct ProgressWatch(watch::Receiver<Awaited>);

impl Progress {
    pub(super) fn new() -> (Self, ProgressWatch) {
        let (sender, receiver) = watch::channel(Awaited::Upstream);
        (Self(sender), ProgressWatch(receiver))
    }

    /// Called when the client has sent a part, which the upstream must read next.
    pub(super) fn moved(&self) {
        self.0.send_replace(Awaited::Upstream);
    }

    /// Called when the upstream wants more than the client has sent.
    pub(super) fn awaits_client(&self) {
        self.0.send_if_modified(|awaited| {
            let is_new = *awaited != Awaited::Client;
            *awaited = Awaited::Client;
            is_new
        });
    }
}

impl ProgressWatch {
    /// Waits until all content is sent. Returns false if the upstream reads none for too long: `first` is the limit
    /// until it begins, and `idle` the one within the content. How long the client may pause is limited elsewhere.
    pub(super) async fn all_sent(mut self, first: Duration, idle: Duration) -> bool {
        let mut limit = first;
        loop {
            match timeout(limit, self.0.changed()).await {
                Ok(Ok(())) => limit = idle,
                Ok(Err(_)) => return true,
                Err(_) if *self.0.borrow() == Awaited::Upstream => return false,
                Err(_) => {}
            }
        }
    }
}
