//! What was asked and answered, and what was wrong.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Served,
    Refused,
    HungUp,
}

#[derive(Default)]
pub(crate) struct Tally {
    requests: AtomicUsize,
    answers: Mutex<BTreeMap<&'static str, [usize; 3]>>,
    wrong: Mutex<BTreeMap<String, usize>>,
}

impl Tally {
    pub(crate) fn count(&self, name: &'static str, told: Told) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().unwrap();
        answers.entry(name).or_default()[told as usize] += 1;
    }

    /// Notes an answer that vendors.md does not have.
    pub(crate) fn complain(&self, name: &str, complaint: &str) {
        let mut wrong = self.wrong.lock().unwrap();
        *wrong.entry(format!("{name}: {complaint}")).or_default() += 1;
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn of(&self, name: &str) -> [usize; 3] {
        self.answers.lock().unwrap().get(name).copied().unwrap_or_default()
    }

    pub(crate) fn print(&self) {
        println!("{:<32} {:>9} {:>9} {:>9}", "", "served", "refused", "hung up");
        for (name, [served, refused, hung_up]) in &*self.answers.lock().unwrap() {
            println!("{name:<32} {served:>9} {refused:>9} {hung_up:>9}");
        }
    }

    /// Lists the kinds of wrong answers, and how often each came.
    pub(crate) fn faults(&self) -> Vec<String> {
        let wrong = self.wrong.lock().unwrap();
        wrong.iter().map(|(fault, times)| format!("{fault} ({times} times)")).collect()
    }
}
