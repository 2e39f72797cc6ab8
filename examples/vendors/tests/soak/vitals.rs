//! What the demo takes of its machine, as `/proc` has it.

use std::fs;

/// What a leak or a lost task would raise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vitals {
    /// Resident memory in KiB.
    pub(crate) memory: u64,
    pub(crate) threads: u64,
    pub(crate) descriptors: usize,
}

impl Vitals {
    pub(crate) fn of(process: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        Self {
            memory: number("VmRSS:"),
            threads: number("Threads:"),
            descriptors: fs::read_dir(format!("/proc/{process}/fd")).unwrap().count(),
        }
    }

    /// Tells whether there are as many threads and open files as before; memory is another matter.
    pub(crate) fn is_as_before(&self, before: &Self) -> bool {
        (self.threads, self.descriptors) == (before.threads, before.descriptors)
    }
}

/// The demo's memory over a run.
#[derive(Debug, Default)]
pub(crate) struct Memory(Vec<(u64, usize)>);

impl Memory {
    /// Notes the resident memory in KiB, and how many requests there have been.
    pub(crate) fn note(&mut self, memory: u64, requests: usize) {
        self.0.push((memory, requests));
    }

    /// Returns the most KiB of each quarter of the run, and the requests until its end.
    pub(crate) fn quarters(&self) -> [(u64, usize); 4] {
        [0, 1, 2, 3].map(|quarter| {
            let samples = &self.0[self.0.len() * quarter / 4..self.0.len() * (quarter + 1) / 4];
            let most = samples.iter().map(|(memory, _)| *memory).max();
            let requests = samples.last().map(|(_, requests)| *requests);
            (most.unwrap_or_default(), requests.unwrap_or_default())
        })
    }
}
