//! The demo server under a long mixed load: not one wrong decision, and no more memory at the end than
//! after the start.
//!
//! A child process serves, as its users run it, and is driven over real TLS with good, unknown,
//! damaged, revoked, forced-out and over-limit keys, wrong scopes, plain HTTP, and clients that
//! hang up. Each answer is checked against a model written from the vendors' contract; what limits let
//! through and refused, against the arithmetic of the limits.
//!
//! ```text
//! SOAK_SECONDS=1800 cargo test --release -p vendors-demo --test soak -- --nocapture
//! ```

#![cfg(target_os = "linux")] // Memory and open files are read from /proc.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod case;
mod churn;
mod client;
mod expectation;
mod journal;
mod journals;
mod limit;
mod load;
mod plan;
#[allow(dead_code)]
#[path = "../demo/server.rs"]
mod server;
mod tally;
mod vendors;
mod vitals;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use churn::{ISSUED_KEY, User};
use client::{Client, Protocol};
use journal::Outcome;
use journals::Journals;
use load::Load;
use plan::Plan;
use server::Demo;
use vitals::{Memory, Vitals};

/// More than are busy at once: some requests take seconds.
const WORKERS: u64 = 48;
/// What may grow without being a leak, in KiB: the allocator's pools, the trail of changes.
const SPARE: u64 = 6 * 1024;
/// What an issued key takes, in KiB at most: a store keeps those that were revoked.
const PER_KEY: u64 = 2;
/// As many faults as help to find out what is wrong.
const TOLD: usize = 40;
/// How long the demo may hold on to clients that are gone; its own longest wait is for a drain.
const LONGEST_END: Duration = Duration::from_secs(25);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_mixed_load_leaves_no_trace() {
    let plan = Plan::from_environment();
    println!("{plan:?}");
    let mut demo = Demo::start(&["--on-premises"]);
    let process = demo.child.id();
    let client = Client::of(&demo);
    for protocol in [Protocol::Http1, Protocol::Http2, Protocol::Plain] {
        drop(client.connect(protocol).await);
    }
    sleep(Duration::from_millis(500)).await;
    let before = Vitals::of(process);

    let journals = Journals::new();
    let cases = vendors::cases(&demo, &journals);
    let load = Arc::new(Load::new(client, cases, plan.length, plan.rate, plan.seed));
    let memory = drive(&load, &demo, &plan).await;

    let after = settled(process, &before).await;
    report(&load, &journals, &memory, &before, &after);
    let ended = end(&mut demo).await;

    let mut faults = load.tally.faults();
    faults.extend(journals.all().iter().flat_map(|journal| journal.faults()));
    if !after.is_as_before(&before) {
        faults.push(format!("{before:?} became {after:?}"));
    }
    if !ended.success() {
        faults.push(format!("the demo ended: {ended}"));
    }
    if plan.is_long() {
        faults.extend(unseen(&load, &journals));
        faults.extend(growth(&memory, load.churn.issued() as u64));
    }
    let told = faults[..faults.len().min(TOLD)].join("\n");
    assert!(faults.is_empty(), "{} are wrong, among them\n{told}", faults.len());
}

/// Runs the load to its end, and looks at the demo's memory meanwhile.
async fn drive(load: &Arc<Load>, demo: &Demo, plan: &Plan) -> Memory {
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        let (load, seed) = (Arc::clone(load), plan.seed + 1 + number);
        workers.spawn(async move { load.work(seed).await });
    }
    for (number, user) in (0..).zip(User::all(demo)) {
        let (load, seed) = (Arc::clone(load), plan.seed + 1_000 + number);
        workers.spawn(async move {
            user.churn(&load.client, &load.churn, &load.tally, load.end, seed).await;
        });
    }
    let mut memory = Memory::default();
    let mut next = load.start + plan.interval();
    while next <= load.end {
        tokio::select! {
            () = tokio::time::sleep_until(next.into()) => {
                memory.note(Vitals::of(demo.child.id()).memory, load.tally.requests());
                next += plan.interval();
            }
            Some(ended) = workers.join_next() => ended.expect("a worker panicked"),
        }
    }
    while let Some(ended) = workers.join_next().await {
        ended.expect("a worker panicked");
    }
    memory
}

/// Waits until the demo has let go of all clients, but not for ever.
async fn settled(process: u32, before: &Vitals) -> Vitals {
    let deadline = Instant::now() + LONGEST_END;
    loop {
        let vitals = Vitals::of(process);
        if vitals.is_as_before(before) || Instant::now() > deadline {
            return vitals;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Tells the demo to end, and waits until it has.
async fn end(demo: &mut Demo) -> std::process::ExitStatus {
    assert!(demo.child.try_wait().unwrap().is_none(), "the demo runs");
    demo.signal("TERM");
    let deadline = Instant::now() + LONGEST_END;
    loop {
        if let Some(status) = demo.child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        sleep(Duration::from_millis(50)).await;
    }
}

fn report(load: &Load, journals: &Journals, memory: &Memory, before: &Vitals, after: &Vitals) {
    load.tally.print();
    for journal in journals.all() {
        let [passed, refused, unknown] = [Outcome::Passed, Outcome::Refused, Outcome::Unknown]
            .map(|outcome| journal.count(outcome));
        println!("{}: {passed} passed, {refused} refused, {unknown} hung up", journal.name);
    }
    let requests = load.tally.requests();
    let seconds = load.end.duration_since(load.start).as_secs().max(1);
    println!(
        "{requests} requests, {} a second; {} keys issued",
        requests as u64 / seconds,
        load.churn.issued()
    );
    println!("most resident memory by quarter, in KiB, and requests: {:?}", memory.quarters());
    println!("before: {before:?}\nafter:  {after:?}");
}

/// Lists the kinds of requests that were never sent, and the limits that were not reached: of those
/// nothing was shown.
fn unseen(load: &Load, journals: &Journals) -> Vec<String> {
    let never = load.cases.iter().filter(|case| load.tally.of(case.name) == [0; 3]);
    let mut unseen: Vec<String> =
        never.map(|case| format!("{} was never sent", case.name)).collect();
    for journal in journals.pressed() {
        let counts = [Outcome::Passed, Outcome::Refused].map(|outcome| journal.count(outcome));
        if counts.contains(&0) {
            unseen.push(format!("{} passed and refused {counts:?}", journal.name));
        }
    }
    let [served, refused, _] = load.tally.of(ISSUED_KEY);
    if served == 0 || refused == 0 {
        unseen.push(format!("issued keys: {served} served and {refused} refused"));
    }
    unseen
}

/// Says how the demo takes more memory than in its second quarter, or that this cannot be told.
fn growth(memory: &Memory, issued: u64) -> Option<String> {
    let [_, (settled, from), _, (last, to)] = memory.quarters();
    let (allowed, grown) = (SPARE + PER_KEY * issued, last.saturating_sub(settled));
    let requests = to - from;
    println!("grown by {grown} KiB in {requests} requests; {allowed} KiB are allowed");
    if requests as u64 <= allowed {
        return Some("too few requests to see a leak of 1 KiB for each".to_owned());
    }
    (grown > allowed).then(|| format!("grown by {grown} KiB in {requests} requests"))
}
