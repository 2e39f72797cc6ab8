//! One question for all waiting requests, and its answer.

use tokio::time::Instant;

use super::account::SHORTEST;
use super::batch::BatchQuestion;
use super::server_clock::ServerClock;
use crate::answer::Answer;
use crate::counted::Counted;
use crate::failure::Failure;
use crate::question::{Question, Terms};
use crate::script::ChargeScript;
use tower_api_key::limits::ChargeMode;

/// One question for all waiting requests.
pub(super) struct FlightQuestion {
    /// The cost of the first request, which the answer pays or refuses. So each call answers at least one.
    pub(super) cost: u32,
    pub(super) demand: u32,
    /// The number of waiting requests, from the first on, that the question asks for.
    pub(super) count: usize,
    pub(super) batch: BatchQuestion,
    /// The server's clock, if an earlier answer has told it.
    pub(super) clock: Option<ServerClock>,
}

impl FlightQuestion {
    /// Asks a question. Asks again where the first call surely took nothing.
    pub(super) async fn ask(
        &self,
        script: &ChargeScript,
        counted: &Counted,
    ) -> Result<(Answer, Instant), Failure> {
        let BatchQuestion { at, want, left, back } = &self.batch;
        let mut clock = self.clock.filter(|_| script.on_server_time());
        let mut question = Question {
            cost: self.cost,
            mode: ChargeMode::IfAllowed,
            now: script.now(*at),
            terms: Terms::Lease {
                demand: self.demand,
                want: *want,
                left: *left,
                shortest: SHORTEST,
            },
            back: back.as_ref(),
            until: None,
            refund: None,
        };
        // Once for the first call, once if its connection broke, and once if the server's clock was set.
        for _ in 0..2 {
            let (asked, timeout) = (Instant::now(), script.connection().timeout());
            question.until = clock.map(|clock| clock.until(asked, timeout));
            match script.ask(counted, &question).await {
                // The answer came in time, so the server's clock is not where it was expected to be.
                Ok(answer) if answer.is_late => {
                    clock = Some(ServerClock::new(asked, answer.served_at));
                    question.back = None;
                }
                // The server may have taken the tokens back already, so the second call gives none back.
                Err(failure) if failure.is_of_connection() && question.back.is_some() => {
                    question.back = None;
                }
                answer => return answer.map(|answer| (answer, asked)),
            }
        }
        let asked = Instant::now();
        question.until = None;
        script.ask(counted, &question).await.map(|answer| (answer, asked))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::faulty_server::{FaultyServer, HANGS_UP};
    use crate::lease::Lease;
    use crate::limiter::RedisLimiter;
    use tower_api_key::caller::Caller;
    use tower_api_key::clock::Timestamp;
    use tower_api_key::key::KeyRecord;
    use tower_api_key::limits::{Charge, Limiter};
    use tower_api_key::quota::{AppliedQuotas, Quota};

    /// The bytes of a question up to the instant after which it takes nothing.
    const UNTIL_ENDS: usize = (3 + 4 + 10 + 8) + (3 * 4 + 8) + 4 + 8;
    const LEASE: Lease = Lease::new();
    const NOW: Timestamp = Timestamp::from_unix_seconds(1_000);
    static MINUTE: [Quota; 1] = [Quota::new("minute", 10, Duration::from_secs(60))];

    fn charge(record: &KeyRecord) -> Charge<'_> {
        let quotas = AppliedQuotas { general: &MINUTE, route: &[] };
        let (caller, mode) = (Caller::Key(record), ChargeMode::IfAllowed);
        Charge { caller, quotas, cost: 1, mode, now: NOW }
    }

    /// Charges two requests, nine seconds apart. Returns for each question that the server heard the tokens that are given
    /// back, and the instant after which the question takes nothing.
    async fn heard_of_two_charges(answers: &'static [&'static str]) -> Vec<(u32, f64)> {
        let server = FaultyServer::start(answers).await;
        let limiter = RedisLimiter::builder(&server.url).lease(LEASE);
        let limiter = limiter.timeout(Duration::from_secs(20)).build().unwrap();
        let record = crate::bare("key_1", "acme");
        for now in [NOW, NOW.plus(Duration::from_secs(9))] {
            let verdict = limiter.charge(Charge { now, ..charge(&record) }).await.unwrap();
            assert_eq!(verdict.retry_after(), None);
        }
        let heard = server.heard();
        let numbers = heard.iter().map(|words| words[4].first_chunk::<UNTIL_ENDS>().unwrap());
        let read = |numbers: &[u8; UNTIL_ENDS]| {
            let (rest, until) = numbers.split_last_chunk().unwrap();
            let (_, back) = rest.split_last_chunk().unwrap();
            (u32::from_le_bytes(*back), f64::from_le_bytes(*until))
        };
        numbers.map(read).collect()
    }

    /// The server may have run the call before the connection broke.
    #[tokio::test]
    async fn tokens_are_given_back_once_also_if_the_connection_breaks() {
        // One of five tokens is spent, then the batch is over.
        const FIVE: &str = "*14\r\n:1\r\n:0\r\n:0\r\n:5\r\n:8000000\r\n:7\r\n:0\r\n\
                            :1\r\n:5\r\n:60000000\r\n:0\r\n:0\r\n:7\r\n:0";
        let heard = heard_of_two_charges(&[FIVE, HANGS_UP, FIVE]).await;
        let given_back: Vec<u32> = heard.iter().map(|(back, _)| *back).collect();
        assert_eq!(given_back, [0, 4, 0]);
    }

    /// The server's clock was set, so a question seems to come late. Its tokens were given back even so.
    #[tokio::test]
    async fn a_question_that_seems_late_is_asked_again() {
        const FIVE: &str = "*14\r\n:1\r\n:0\r\n:0\r\n:5\r\n:8000000\r\n:7000000\r\n:0\r\n\
                            :1\r\n:5\r\n:60000000\r\n:0\r\n:0\r\n:7\r\n:0";
        const LATE: &str = "*14\r\n:2\r\n:0\r\n:0\r\n:0\r\n:0\r\n:900000000\r\n:0\r\n\
                            :1\r\n:1\r\n:60000000\r\n:0\r\n:0\r\n:7\r\n:0";
        let heard = heard_of_two_charges(&[FIVE, LATE, FIVE]).await;
        let [(0, none), (4, first), (0, second)] = *heard else {
            panic!("not given back once in three questions: {heard:?}")
        };
        // Twenty seconds after the server's clock, and not much more.
        assert_eq!(none.to_bits(), 0);
        assert!((27e6..87e6).contains(&first), "{first}");
        assert!((920e6..980e6).contains(&second), "{second}");
    }
}
