//! The questions that wait to be asked together.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot::{self, Receiver};

use super::counted::Counted;
use super::failure::Failure;
use super::lock::lock;
use super::question::Question;
use super::script_parts::ScriptParts;
use tower_api_key::quota::Verdict;

/// Receives the answer to a question that waits.
pub(super) type AnswerReceiver = Receiver<Result<Verdict, Failure>>;

/// A question that waits to be asked, and where its answer goes.
pub(super) struct WaitingQuestion {
    pub(super) counted: Counted,
    pub(super) question: Question<'static>,
    pub(super) reply: oneshot::Sender<Result<Verdict, Failure>>,
}

/// The questions that wait to be asked together: those that came while a call was under way.
#[derive(Default)]
pub(super) struct QuestionQueue {
    calls: AtomicUsize,
    /// The questions by their script. A script leaves with its questions.
    waiting: Mutex<Vec<(ScriptParts, Vec<WaitingQuestion>)>>,
}

impl QuestionQueue {
    /// Begins a call, unless one is under way.
    pub(super) fn begin_only(&self) -> Option<UnderWay<'_>> {
        let begun = self.calls.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed);
        begun.is_ok().then(|| UnderWay(self))
    }

    /// Begins a call beside others.
    pub(super) fn begin(&self) -> UnderWay<'_> {
        self.calls.fetch_add(1, Ordering::AcqRel);
        UnderWay(self)
    }

    /// Adds a question. Returns the receiver of its answer, and true if it is the first one of its script: its caller
    /// then takes all questions and asks them.
    pub(super) fn push(
        &self,
        parts: ScriptParts,
        counted: Counted,
        question: Question<'static>,
    ) -> (AnswerReceiver, bool) {
        let (reply, receiver) = oneshot::channel();
        let asked = WaitingQuestion { counted, question, reply };
        let mut waiting = lock(&self.waiting);
        let others = waiting.iter_mut().find(|(others, _)| *others == parts);
        let is_first = others.is_none();
        if let Some((_, others)) = others {
            others.push(asked);
        } else {
            waiting.push((parts, vec![asked]));
        }
        (receiver, is_first)
    }

    /// Takes the questions of a script, without those that nothing waits for any more.
    pub(super) fn take(&self, parts: ScriptParts) -> Vec<WaitingQuestion> {
        let mut waiting = lock(&self.waiting);
        let place = waiting.iter().position(|(others, _)| *others == parts);
        let mut taken = place.map(|place| waiting.swap_remove(place).1).unwrap_or_default();
        drop(waiting);
        taken.retain(|asked| !asked.reply.is_closed());
        taken
    }
}

/// A call that is under way, until this is dropped.
pub(super) struct UnderWay<'a>(&'a QuestionQueue);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::AcqRel);
    }
}
