//! One path of the gate, run a given number of times, for `benches/instructions-check` to count the
//! instructions, the allocations and the atomic operations of.
//!
//! `instructions PATH GATED TOTAL` makes TOTAL requests, GATED of them through the gate and the rest
//! past it, straight to the service. Two runs with the same total and other shares therefore differ
//! by what the gate costs, and by nothing else: requests and the service cancel out. What comes before them is not
//! counted: a recorder of metrics reads the system's clock until it knows its speed, which takes as long as it takes.
//!
//! `instructions agreement` fails if the straight function, which is counted beside the gate, checks less than the gate.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod paths;
mod scripted_redis;
#[path = "../subject/mod.rs"]
mod subject;

use std::convert::Infallible;
use std::env;
use std::hint::black_box;
use std::time::Instant;

use http::{Request, Response};
use tower::Service;

use paths::PATHS;
use subject::{Nothing, assert_agreement, call, free_served};

/// Requests of each path when nobody counts: enough to see that they are answered as they should be.
const TRIED: usize = 5_000;

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["paths"] => PATHS.iter().for_each(|path| println!("{}", path.name)),
        ["agreement"] => assert_agreement(),
        [name, gated, total] => {
            let path = PATHS.iter().find(|path| path.name == name).expect("no such path");
            let number = |text: &str| text.parse::<usize>().expect("not a number");
            path.run(number(gated), number(total));
        }
        // Also what `cargo bench -- WORD` asks of every bench.
        _ => {
            assert_agreement();
            for path in &PATHS {
                let began = Instant::now();
                path.run(TRIED, TRIED);
                println!("{:<17} {TRIED} requests in {:?}", path.name, began.elapsed());
            }
            println!("benches/instructions-check counts what each takes, with valgrind.");
        }
    }
}

/// Makes the requests that are counted. Callgrind finds this function by its name.
#[inline(never)]
fn counted_requests<S, B>(
    gate: &mut S,
    service: &mut Nothing,
    requests: &[Request<()>],
    gated: usize,
    total: usize,
) where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    let mut next = requests.iter().cycle().cloned();
    for request in next.by_ref().take(gated) {
        black_box(call(gate, black_box(request)));
        free_served();
    }
    for request in next.take(total.saturating_sub(gated)) {
        black_box(call(service, black_box(request)));
        free_served();
    }
}
