//! Questions of several requests in one call of the script.
//!
//! A call costs the server as much again as a question, and the client more. So questions that come while a call is under
//! way are asked together. None waits for a timer: the first one gives way once to the tasks that are ready, and takes the
//! questions that they add.

use std::sync::Arc;

use tokio::task::yield_now;
use tokio::time::Instant;

use super::answer::Answer;
use super::call::Call;
use super::counted::Counted;
use super::failure::Failure;
use super::question::Question;
use super::question_queue::{AnswerReceiver, WaitingQuestion};
use super::script::ChargeScript;
use super::script_parts::ScriptParts;
use tower_api_key::quota::Verdict;

/// The most questions of a call. The server serves nothing else meanwhile: 0.2 ms for 32 questions of two windows.
const MOST: usize = 32;

/// Asks a question, together with others that come meanwhile.
pub(super) async fn ask(
    script: Arc<ChargeScript>,
    counted: Counted,
    question: Question<'static>,
) -> Result<Verdict, Failure> {
    let parts = ScriptParts::new(&counted, &question);
    let queue = script.queue();
    let under_way = if parts.takes_many() && script.is_shared() {
        queue.begin_only()
    } else {
        Some(queue.begin())
    };
    if let Some(_under_way) = under_way {
        return script.ask(&counted, &question).await.map(|answer| answer.verdict);
    }
    let (mut receiver, is_first) = queue.push(parts, counted, question);
    if is_first {
        let mut asking = Asking { script: Arc::clone(&script), parts, receiver: Some(receiver) };
        yield_now().await;
        let Some(own) = asking.receiver.take() else { return Err(Failure::Abandoned) };
        receiver = own;
        let mut questions = queue.take(parts);
        // Alone it needs no task.
        if let [_] = &*questions
            && let Some(WaitingQuestion { counted, question, .. }) = questions.pop()
        {
            let _under_way = queue.begin();
            return script.ask(&counted, &question).await.map(|answer| answer.verdict);
        }
        start(&script, parts, questions);
    }
    // The call has a time limit of its own, on the runtime of the connection. That one may stand still.
    let timeout = script.connection().timeout();
    let answer = tokio::time::timeout(timeout, receiver).await;
    answer.unwrap_or(Ok(Err(Failure::Timeout(timeout)))).unwrap_or(Err(Failure::Abandoned))
}

/// The question of a task that will ask all questions of a script. If the task is dropped before, because its client hung
/// up, the other questions are asked even so.
struct Asking {
    script: Arc<ChargeScript>,
    parts: ScriptParts,
    receiver: Option<AnswerReceiver>,
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(receiver) = self.receiver.take() {
            drop(receiver);
            start(&self.script, self.parts, self.script.queue().take(self.parts));
        }
    }
}

/// Starts the calls for questions. Their tasks end even if clients hang up.
fn start(script: &Arc<ChargeScript>, parts: ScriptParts, mut questions: Vec<WaitingQuestion>) {
    while !questions.is_empty() {
        let rest = questions.split_off(questions.len().min(MOST));
        let task = call(Arc::clone(script), parts, questions);
        // Without a runtime the task is dropped, which answers the requests.
        let _ = script.connection().spawn(task);
        questions = rest;
    }
}

/// Makes one call for several questions, and answers each.
async fn call(script: Arc<ChargeScript>, parts: ScriptParts, mut questions: Vec<WaitingQuestion>) {
    let _under_way = script.queue().begin();
    if let [_] = &*questions
        && let Some(WaitingQuestion { counted, question, reply }) = questions.pop()
    {
        let _ = reply.send(script.ask(&counted, &question).await.map(|answer| answer.verdict));
        return;
    }
    let began = Instant::now();
    let mut made = Call::new(script.script(parts));
    let keys: usize = questions.iter().map(|asked| asked.counted.subjects()).sum();
    made.command.arg(keys);
    for asked in &questions {
        asked.counted.write_keys(&mut made.command, script.full_prefix());
    }
    for asked in &questions {
        asked.counted.write_arguments(&asked.question, &mut made.command);
    }
    made.questions = u32::try_from(questions.len()).unwrap_or(u32::MAX);
    // The server may have been replaced by a proxy since the questions came.
    let Some(link) = script.connection().alone() else {
        return ask_each(&script, began, questions);
    };
    let answers: Result<Vec<Vec<u8>>, Failure> = link.call(&made, false, link.timeout).await;
    script.observe(|observer| observer.called(began.elapsed(), answers.is_err()));
    match answers {
        Ok(answers) if answers.len() == questions.len() => {
            let mut failed = Vec::new();
            for (asked, answer) in questions.into_iter().zip(answers) {
                // The script has no answer after an error of this question.
                if answer.is_empty() {
                    failed.push(asked);
                    continue;
                }
                let WaitingQuestion { counted, question, reply } = asked;
                let answer = Answer::read_packed(&answer, &counted, &question);
                let _ = reply.send(answer.map(|answer| answer.verdict));
            }
            ask_each(&script, began, failed);
        }
        Ok(_) => answer_all(questions, &Failure::Nonsense),
        // A server that has not the keys of all accounts has run nothing.
        Err(failure) if failure.is_of_slots() => {
            link.is_of_many();
            ask_each(&script, began, questions);
        }
        Err(failure) => answer_all(questions, &failure),
    }
}

fn answer_all(questions: Vec<WaitingQuestion>, failure: &Failure) {
    for asked in questions {
        let _ = asked.reply.send(Err(failure.clone()));
    }
}

/// Asks each question by itself, in the time that is left. So an error has the consequences that it has without others.
fn ask_each(script: &Arc<ChargeScript>, began: Instant, questions: Vec<WaitingQuestion>) {
    for WaitingQuestion { counted, question, reply } in questions {
        let asking = Arc::clone(script);
        let task = async move {
            let left = asking.connection().timeout().saturating_sub(began.elapsed());
            let answer = asking.ask_within(&counted, &question, left).await;
            let _ = reply.send(answer.map(|answer| answer.verdict));
        };
        let _ = script.connection().spawn(task);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;
    use std::time::Duration;

    use super::*;
    use crate::faulty_server::{FaultyServer, HANGS_UP};
    use crate::limiter::RedisLimiter;
    use tower_api_key::caller::Caller;
    use tower_api_key::clock::Timestamp;
    use tower_api_key::limits::{Charge, ChargeMode, Limiter, LimiterError};
    use tower_api_key::quota::{AppliedQuotas, Quota};

    static MINUTE: [Quota; 1] = [Quota::new("minute", 10, Duration::from_secs(60))];
    /// The answer to one question: one of ten is used.
    const ONE: &str = "*14\r\n:1\r\n:0\r\n:0\r\n:1\r\n:0\r\n:7\r\n:0\r\n\
                       :1\r\n:1\r\n:60000000\r\n:0\r\n:0\r\n:7\r\n:0";
    /// The answer to two questions, each of which had an error.
    const TWO_ERRORS: &str = "*2\r\n$0\r\n\r\n$0\r\n";
    const CROSSSLOT: &str = "-CROSSSLOT Keys in request don't hash to the same slot";
    const OUT_OF_MEMORY: &str = "-OOM command not allowed when used memory > 'maxmemory'.";

    async fn charge(limiter: &RedisLimiter, account: &str) -> Result<Verdict, LimiterError> {
        let record = crate::bare("key_1", account);
        let quotas = AppliedQuotas { general: &MINUTE, route: &[] };
        let (caller, mode, now) =
            (Caller::Key(&record), ChargeMode::IfAllowed, Timestamp::default());
        limiter.charge(Charge { caller, quotas, cost: 1, mode, now }).await
    }

    async fn limiter(server: &FaultyServer, patience: u32) -> RedisLimiter {
        let limiter = RedisLimiter::builder(&server.url).timeout(Duration::from_secs(20));
        let limiter = limiter.patience(patience).build().unwrap();
        limiter.check().await.unwrap();
        limiter
    }

    /// Returns the count of Redis keys of each call.
    fn keys(server: &FaultyServer) -> Vec<String> {
        let keys = |words: &Vec<Vec<u8>>| String::from_utf8(words[2].clone()).unwrap();
        server.heard().iter().map(keys).collect()
    }

    #[tokio::test]
    async fn questions_that_come_while_a_call_is_under_way_share_one() {
        for (answers, expected) in [
            // Each is asked again by itself after its error.
            (&[ONE, TWO_ERRORS, ONE, ONE, ONE, TWO_ERRORS, ONE, ONE][..], "1 2 1 1 1 2 1 1"),
            // A connection that breaks is replaced, as for a single question.
            (
                &[ONE, HANGS_UP, TWO_ERRORS, ONE, ONE, ONE, TWO_ERRORS, ONE, ONE],
                "1 2 2 1 1 1 2 1 1",
            ),
            // A proxy that spreads keys over servers gets one question a call from then on.
            (&[ONE, CROSSSLOT, ONE, ONE, ONE, ONE, ONE], "1 2 1 1 1 1 1"),
        ] {
            let server = FaultyServer::start(answers).await;
            let limiter = limiter(&server, 9).await;
            for _ in 0..2 {
                let (first, second, third) = tokio::join!(
                    charge(&limiter, "acme"),
                    charge(&limiter, "globex"),
                    charge(&limiter, "initech"),
                );
                for verdict in [first, second, third] {
                    assert_eq!(verdict.unwrap().statuses()[0].remaining(), 9, "{expected}");
                }
            }
            assert_eq!(keys(&server).join(" "), expected);
        }
    }

    #[tokio::test]
    async fn a_refusal_counts_for_each_question_of_its_call() {
        let server = FaultyServer::start(&[ONE, OUT_OF_MEMORY]).await;
        let limiter = limiter(&server, 2).await;
        let (first, second, third) = tokio::join!(
            charge(&limiter, "acme"),
            charge(&limiter, "globex"),
            charge(&limiter, "initech"),
        );
        assert!(first.is_ok() && second.is_err() && third.is_err());
        let source = charge(&limiter, "acme").await.unwrap_err();
        let source = std::error::Error::source(&source).unwrap().to_string();
        assert!(source.starts_with("Redis is down"), "{source}");
        assert_eq!(keys(&server), ["1", "2"]);
    }

    #[tokio::test]
    async fn a_client_that_hangs_up_leaves_the_others_with_an_answer() {
        for hangs_up in [1, 2, 3] {
            let server = FaultyServer::start(&[ONE, TWO_ERRORS, ONE, ONE]).await;
            let limiter = limiter(&server, 9).await;
            let mut clients: Vec<_> = ["acme", "globex", "initech", "umbrella"]
                .into_iter()
                .map(|account| Box::pin(charge(&limiter, account)))
                .collect();
            // Each has asked, or waits to be asked. The second one is to ask for all that wait.
            std::future::poll_fn(|context| {
                for client in &mut clients {
                    assert!(client.as_mut().poll(context).is_pending());
                }
                Poll::Ready(())
            })
            .await;
            drop(clients.remove(hangs_up));
            for client in clients {
                assert_eq!(client.await.unwrap().statuses()[0].remaining(), 9, "{hangs_up}");
            }
            assert_eq!(keys(&server), ["1", "2", "1", "1"], "{hangs_up}");
        }
    }
}
