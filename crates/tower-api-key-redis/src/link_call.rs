//! A call over a link.

use std::sync::Arc;
use std::time::Duration;

use redis::FromRedisValue;

use super::call::Call;
use super::failure::{Consequence, Failure};
use super::link::{Link, LinkState};
use super::unreachable::Unreachable;

impl Link {
    /// Calls a script, in a limited time.
    pub(super) async fn call<T: FromRedisValue>(
        self: &Arc<Self>,
        call: &Call<'_>,
        is_asking: bool,
        within: Duration,
    ) -> Result<T, Failure> {
        // A server that is down costs a read of the state, and no timer.
        if let LinkState::Down(cause) = &*self.state.borrow() {
            return Err(Failure::down(cause));
        }
        let mut number = None;
        let attempts = self.attempts(call, is_asking, &mut number);
        let Ok(answer) = tokio::time::timeout(within, attempts).await else {
            let failure = Failure::Timeout(self.timeout);
            // A call that another node has sent here late says nothing of this server.
            if is_whole(within, self.timeout) && self.breaker.failed(call.questions) {
                self.give_up(number, &failure);
            }
            return Err(failure);
        };
        answer
    }

    /// Connects, and waits until the connection is up or down.
    pub(super) async fn check(self: &Arc<Self>) -> Result<(), Failure> {
        self.wait().await.map(drop)
    }

    async fn attempts<T: FromRedisValue>(
        self: &Arc<Self>,
        call: &Call<'_>,
        is_asking: bool,
        number: &mut Option<u64>,
    ) -> Result<T, Failure> {
        // A connection may have broken while it was idle, which shows at the next call. So a call is
        // repeated once. If the connection broke after the server ran the call, this charges twice.
        for further in [true, false] {
            let (mut connection, its_number) = self.wait().await?;
            *number = Some(its_number);
            let error = match call.make(&mut connection, is_asking).await {
                Ok(answer) => {
                    self.breaker.succeeded();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let (failure, consequence) = Failure::new(&error);
            if self.is_of_cluster() && failure.redirect().is_some() {
                self.breaker.succeeded();
                return Err(failure);
            }
            // Repeated refusals count as no answer, so that not every request pays for one.
            if consequence != Consequence::None && self.breaker.failed(call.questions) {
                self.give_up(*number, &failure);
            } else if consequence == Consequence::Reconnect {
                self.reconnect(its_number);
            }
            if consequence != Consequence::Reconnect || call.once || !further {
                return Err(failure);
            }
        }
        Err(Failure::Connection(Unreachable::Closed, None))
    }
}

/// Returns true if a server had the time of a whole call, less what it takes to find the server.
fn is_whole(within: Duration, timeout: Duration) -> bool {
    within >= timeout.saturating_sub(timeout / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(50);

    #[test]
    fn a_server_had_a_whole_call_or_the_rest_of_one() {
        for (within, expected) in [(50, true), (45, true), (44, false), (0, false)] {
            assert_eq!(is_whole(Duration::from_millis(within), TIMEOUT), expected, "{within}");
        }
    }
}
