//! Ends content that pauses for too long.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// A limit on how long content may pause.
pub(crate) struct Idle {
    period: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    is_running: bool,
}

impl Idle {
    pub(crate) const fn new(period: Duration) -> Self {
        Self { period, timer: None, is_running: false }
    }

    /// Called when no content is ready. Returns true if the pause has lasted too long.
    pub(crate) fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(self.period)));
        if !self.is_running {
            timer.as_mut().reset(Instant::now() + self.period);
            self.is_running = true;
        }
        timer.as_mut().poll(context).is_ready()
    }

    /// Called when content has come.
    pub(crate) const fn moved(&mut self) {
        self.is_running = false;
    }
}
