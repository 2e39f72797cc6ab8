//! Workers that send the mixed load, each over a connection of its own, and judge what comes back.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep_until, timeout};

use crate::case::{Case, HangUp, Share};
use crate::churn::Churn;
use crate::client::{Client, Connection, Protocol, Question};
use crate::journal::{Event, Outcome};
use crate::tally::{Tally, Told};

/// More than any request takes.
const LONGEST: Duration = Duration::from_secs(40);
/// How far a load that could not keep up may rush to catch up.
const BACKLOG: Duration = Duration::from_millis(200);
/// The part of requests that carry a key which was issued at run time.
const ISSUED: f64 = 0.06;

/// What all workers have in common.
pub(crate) struct Load {
    pub(crate) client: Client,
    pub(crate) cases: Vec<Case>,
    pub(crate) churn: Churn,
    pub(crate) tally: Tally,
    pub(crate) start: Instant,
    pub(crate) end: Instant,
    interval: Duration,
    turns: Mutex<Turns>,
}

/// When the next request is due: of all, and of the cases that have a rate of their own.
struct Turns {
    next: Instant,
    cases: Vec<Instant>,
    random: StdRng,
}

impl Load {
    pub(crate) fn new(
        client: Client,
        cases: Vec<Case>,
        length: Duration,
        rate: f64,
        seed: u64,
    ) -> Self {
        let start = Instant::now();
        let first = |case: &Case| match case.share {
            Share::PerSecond(rate) => start + Duration::from_secs_f64(1.0 / rate),
            Share::Weight(_) => start,
        };
        let random = StdRng::seed_from_u64(seed);
        let turns = Turns { next: start, cases: cases.iter().map(first).collect(), random };
        Self {
            client,
            cases,
            churn: Churn::default(),
            tally: Tally::default(),
            start,
            end: start + length,
            interval: Duration::from_secs_f64(1.0 / rate),
            turns: Mutex::new(turns),
        }
    }

    /// Takes a turn: when it is, and which case is due or was chosen; none is for an issued key.
    fn turn(&self) -> (Instant, Option<&Case>) {
        let mut turns = self.turns.lock().unwrap();
        let now = Instant::now();
        let at = turns.next.max(now.checked_sub(BACKLOG).unwrap_or(now));
        turns.next = at + self.interval;
        for (place, case) in self.cases.iter().enumerate() {
            if let Share::PerSecond(rate) = case.share
                && turns.cases[place] <= at
            {
                let wait = turns.random.random_range(0.5..1.5) / rate;
                turns.cases[place] = at + Duration::from_secs_f64(wait);
                return (at, Some(case));
            }
        }
        if turns.random.random_bool(ISSUED) {
            return (at, None);
        }
        let weight = |case: &Case| match case.share {
            Share::Weight(weight) => weight,
            Share::PerSecond(_) => 0.0,
        };
        let all: f64 = self.cases.iter().map(weight).sum();
        let mut left = turns.random.random_range(0.0..all);
        let chosen = self.cases.iter().find(|case| {
            left -= weight(case);
            left < 0.0
        });
        (at, chosen)
    }

    /// Sends requests until the run ends.
    pub(crate) async fn work(&self, seed: u64) {
        let mut worker = Worker {
            load: self,
            random: StdRng::seed_from_u64(seed),
            secure: None,
            plain: None,
            left: 0,
        };
        loop {
            let (at, case) = self.turn();
            if at >= self.end {
                return;
            }
            sleep_until(at.into()).await;
            match case {
                Some(case) if case.hangs_up => worker.hang_up(case).await,
                Some(case) => worker.ask(case).await,
                None => worker.ask_issued().await,
            }
        }
    }

    fn judge(&self, case: &Case, sent: Instant, answer: Result<crate::client::Answer, String>) {
        let judged = answer.and_then(|answer| case.expected.judge(&answer));
        match judged {
            Ok(true) => self.note(case, sent, Outcome::Passed),
            Ok(false) => self.note(case, sent, Outcome::Refused),
            Err(complaint) => self.tally.complain(case.name, &complaint),
        }
    }

    fn note(&self, case: &Case, sent: Instant, outcome: Outcome) {
        let told = match outcome {
            Outcome::Passed => Told::Served,
            Outcome::Refused => Told::Refused,
            Outcome::Unknown => Told::HungUp,
        };
        self.tally.count(case.name, told);
        if let Some(journal) = &case.journal {
            let (sent, ended) = (sent - self.start, self.start.elapsed());
            journal.note(Event { sent, ended, outcome, runs: case.runs });
        }
    }
}

/// One client, with a kept connection to each port.
struct Worker<'a> {
    load: &'a Load,
    random: StdRng,
    secure: Option<Connection>,
    plain: Option<Connection>,
    /// Requests until it makes a new connection.
    left: u32,
}

impl Worker<'_> {
    async fn connection(&mut self, plain: bool) -> &mut Connection {
        let client = &self.load.client;
        if plain {
            let kept = self.plain.take().filter(Connection::serves);
            let connection =
                if let Some(kept) = kept { kept } else { client.connect(Protocol::Plain).await };
            return self.plain.insert(connection);
        }
        let kept = self.secure.take().filter(|kept| kept.serves() && self.left > 0);
        let connection = if let Some(kept) = kept {
            kept
        } else {
            self.left = self.random.random_range(20..400);
            let http1 = self.random.random_bool(0.5);
            client.connect(if http1 { Protocol::Http1 } else { Protocol::Http2 }).await
        };
        self.left -= 1;
        self.secure.insert(connection)
    }

    async fn ask(&mut self, case: &Case) {
        let (load, question) = (self.load, case.question(&mut self.random));
        let connection = self.connection(case.plain).await;
        let sent = Instant::now();
        let answer = timeout(LONGEST, connection.send(&question)).await;
        let answer = answer.map_err(|_| "no answer".to_owned());
        load.judge(case, sent, answer.and_then(|sent| sent.map_err(|error| error.to_string())));
    }

    async fn ask_issued(&mut self) {
        let Some(issued) = self.load.churn.any(&mut self.random) else { return };
        let tally = &self.load.tally;
        issued.ask(self.connection(false).await, tally).await;
    }

    async fn hang_up(&mut self, case: &Case) {
        let question = case.question(&mut self.random);
        let how = HangUp::ALL[self.random.random_range(0..HangUp::ALL.len())];
        let sent = Instant::now();
        if how == HangUp::Reset {
            self.reset(case, &question).await;
            return;
        }
        // What a broken-off exchange answers is nobody's to read, so errors are none either.
        let _ = timeout(LONGEST, self.break_off(how, &question.bytes())).await;
        self.load.note(case, sent, Outcome::Unknown);
    }

    /// Gives up a request, which ends its stream over HTTP/2, and the connection over HTTP/1.1.
    async fn reset(&mut self, case: &Case, question: &Question) {
        let (load, most) = (self.load, case.runs + Duration::from_millis(5));
        let patience = self.random.random_range(Duration::ZERO..most);
        let connection = self.connection(false).await;
        let sent = Instant::now();
        if let Ok(answer) = timeout(patience, connection.send(question)).await {
            load.judge(case, sent, answer.map_err(|error| error.to_string()));
            return;
        }
        load.note(case, sent, Outcome::Unknown);
        if self.random.random_bool(0.5) || !self.secure.as_ref().is_some_and(Connection::survives) {
            self.secure = None;
        }
    }

    async fn break_off(&mut self, how: HangUp, request: &[u8]) -> std::io::Result<()> {
        let client = &self.load.client;
        if how == HangUp::Handshake {
            let mut stream = client.dial().await;
            // The beginning of a record that never comes, or nothing at all.
            let hello = [22, 3, 1, 2, 0, 1, 0, 1, 252];
            return stream.write_all(&hello[..self.random.random_range(0..=hello.len())]).await;
        }
        let mut stream = client.raw().await;
        let cut = self.random.random_range(1..request.len());
        let sent = if how == HangUp::Request { &request[..cut] } else { request };
        stream.write_all(sent).await?;
        stream.flush().await?;
        if how == HangUp::Response {
            let mut few = [0; 12];
            stream.read_exact(&mut few).await?;
        }
        // With a word of goodbye, or without.
        if self.random.random_bool(0.5) { stream.shutdown().await } else { Ok(()) }
    }
}
