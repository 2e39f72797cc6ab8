//! The script that charges a request, and its calls.

use std::sync::Arc;
use std::time::Duration;

use redis::Script;
use tokio::time::Instant;

use super::answer::Answer;
use super::call::Call;
use super::connection::Connection;
use super::counted::Counted;
use super::failure::Failure;
use super::observer::RedisObserver;
use super::question::Question;
use super::question_queue::QuestionQueue;
use super::script_parts::{ScriptParts, Scripts};
use tower_api_key::clock::Timestamp;

/// The form in which counters are stored. It is part of the names of Redis keys, so that processes of two versions, which
/// do not read each other's counters, can run at the same time. A new form begins all counters anew.
const FORM: &str = "2:";

/// The script that charges requests to all of their quotas, on the server.
pub(super) struct ChargeScript {
    connection: Connection,
    scripts: Scripts,
    /// The prefix of all Redis keys of counters, with their form.
    prefix: String,
    on_request_time: bool,
    observer: Option<Arc<dyn RedisObserver>>,
    queue: QuestionQueue,
    shares_calls: bool,
}

impl ChargeScript {
    pub(super) fn new(connection: Connection, prefix: &str, on_request_time: bool) -> Self {
        let prefix = format!("{prefix}{FORM}");
        let (scripts, queue) = (Scripts::new(), QuestionQueue::default());
        Self {
            connection,
            scripts,
            prefix,
            on_request_time,
            observer: None,
            queue,
            shares_calls: true,
        }
    }

    /// Reports charges and calls to an observer.
    pub(super) fn with_observer(self, observer: Option<Arc<dyn RedisObserver>>) -> Self {
        Self { observer, ..self }
    }

    /// Lets each call have one question.
    pub(super) fn with_separate_calls(self, separate: bool) -> Self {
        Self { shares_calls: !separate, ..self }
    }

    /// Returns true if a call may have questions of several accounts: one server has the Redis keys of all.
    pub(super) fn is_shared(&self) -> bool {
        self.shares_calls && self.connection.alone().is_some()
    }

    /// Calls the observer, if one is set.
    #[inline]
    pub(super) fn observe(&self, call: impl FnOnce(&dyn RedisObserver)) {
        if let Some(observer) = &self.observer {
            call(&**observer);
        }
    }

    /// Returns the connection.
    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns true if calls for who is counted may fail, because the last one failed.
    pub(super) fn is_in_doubt(&self, counted: &Counted) -> bool {
        self.connection.is_in_doubt(|| counted.key(&self.prefix))
    }

    /// Returns true if calls for who is counted fail at once.
    pub(super) fn is_down(&self, counted: &Counted) -> bool {
        self.connection.is_down(|| counted.key(&self.prefix))
    }

    /// Returns the prefix of all Redis keys.
    pub(super) fn prefix(&self) -> &str {
        self.prefix.strip_suffix(FORM).unwrap_or(&self.prefix)
    }

    /// Returns the instant of a request; `None` if the server's clock counts.
    pub(super) fn now(&self, now: Timestamp) -> Option<Timestamp> {
        self.on_request_time.then_some(now)
    }

    /// Returns true if the server's clock counts.
    pub(super) const fn on_server_time(&self) -> bool {
        !self.on_request_time
    }

    /// Returns the prefix of the Redis keys of counters.
    pub(super) fn full_prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the questions that wait to be asked together.
    pub(super) const fn queue(&self) -> &QuestionQueue {
        &self.queue
    }

    /// Returns the script with these parts.
    pub(super) fn script(&self, parts: ScriptParts) -> &Script {
        self.scripts.of(parts)
    }

    /// Calls the script with a question.
    pub(super) async fn ask(
        &self,
        counted: &Counted,
        question: &Question<'_>,
    ) -> Result<Answer, Failure> {
        self.ask_within(counted, question, self.connection.timeout()).await
    }

    /// Calls the script with a question, in at most this time.
    pub(super) async fn ask_within(
        &self,
        counted: &Counted,
        question: &Question<'_>,
        within: Duration,
    ) -> Result<Answer, Failure> {
        let mut call = Call::new(self.script(ScriptParts::new(counted, question)));
        counted.ask(question, &mut call.command, &self.prefix);
        // What is given back twice would be spent twice.
        call.once = question.back.is_some() || question.refund.is_some();
        let began = self.observer.as_ref().map(|_| Instant::now());
        let answer = self.connection.call_within(&call, within).await;
        let answer = answer.and_then(|answer| Answer::read(&answer, counted, question));
        if let Some(began) = began {
            self.observe(|observer| observer.called(began.elapsed(), answer.is_err()));
        }
        answer
    }
}
