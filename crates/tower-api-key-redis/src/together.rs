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
use super::failure::Failure;
use super::question::{Counted, Question};
use super::question_queue::WaitingQuestion;
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
    let under_way = if parts.takes_many() && script.connection().alone().is_some() {
        queue.begin_only()
    } else {
        Some(queue.begin())
    };
    if let Some(_under_way) = under_way {
        return script.ask(&counted, &question).await.map(|answer| answer.verdict);
    }
    let (receiver, is_first) = queue.push(parts, counted, question);
    if is_first {
        let mut asking = Asking { script: Some(Arc::clone(&script)), parts };
        yield_now().await;
        asking.script = None;
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
    receiver.await.unwrap_or(Err(Failure::Abandoned))
}

/// The task that will ask the questions of a script. If the task is dropped before, they are asked even so.
struct Asking {
    script: Option<Arc<ChargeScript>>,
    parts: ScriptParts,
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(script) = &self.script {
            start(script, self.parts, script.queue().take(self.parts));
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
