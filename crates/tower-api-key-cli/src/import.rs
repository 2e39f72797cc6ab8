//! Runs `keys import`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::key::{
    Account, InvalidForm, KeyDigest, KeyForm, KeyRecord, PepperName, SecretTail,
};
use tower_api_key::policy::{Policies, PolicyViolation};
use tower_api_key::store::{KeyFilter, KeyManager, ManageError, NewKey};

use crate::failure::Failure;
use crate::output::Output;

/// The number of keys that the store adds at a time: all of them or none.
const CHUNK: usize = 10_000;

/// The same for the first keys of a store without any. A database makes its indexes after them, which takes a third of the
/// time.
const FIRST_CHUNK: usize = 1_000_000;

/// A line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with a digest, an id and an account")]
struct Line {
    digest: String,
    id: String,
    account: String,
    name: Option<String>,
    owner: Option<String>,
    kind: Option<String>,
    environment: Option<String>,
    audience: Option<String>,
    form: Option<String>,
    scopes: Option<Vec<String>>,
    networks: Option<Vec<String>>,
    expires: Option<String>,
    pepper: Option<String>,
    tail: Option<String>,
}

/// The progress of an import.
#[derive(Default)]
struct Progress {
    /// The number of lines read.
    read: u64,
    /// The last line whose keys the store has.
    done: u64,
    /// The number of keys added; the store had the others already.
    added: u64,
}

/// Reads keys line by line and adds those that the store does not have, 10,000 at a time, all of them or none. In a store
/// without keys, the first step is larger. If a line is wrong or the store fails, the keys added before stay, and the error
/// says how many they are. With `atomic`, the whole file is one step and is held in memory until then.
pub(crate) async fn run(
    store: &dyn KeyManager,
    by: &str,
    file: &Path,
    atomic: bool,
    output: &Output,
) -> Result<(), Failure> {
    let reader: Box<dyn BufRead> = if file.as_os_str() == "-" {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let opened = File::open(file);
        let opened = opened.map_err(Failure::io("cannot open the file to import"))?;
        Box::new(BufReader::new(opened))
    };
    let mut progress = Progress::default();
    let (first, most) = if atomic {
        (usize::MAX, usize::MAX)
    } else if store.list(&KeyFilter::default(), None, 1).await?.is_empty() {
        (FIRST_CHUNK, CHUNK)
    } else {
        (CHUNK, CHUNK)
    };
    let bar = bar(output);
    let result = add_all(store, by, reader, (first, most), &mut progress, &bar).await;
    bar.finish_and_clear();
    let Progress { read, added, .. } = progress;
    result.map_err(|failure| Failure::Import {
        status: status(&progress, atomic),
        source: Box::new(failure),
    })?;
    output.say(&format!("{added} keys added, of {read} lines"));
    Ok(())
}

async fn add_all(
    store: &dyn KeyManager,
    by: &str,
    reader: Box<dyn BufRead>,
    (first, most): (usize, usize),
    progress: &mut Progress,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let (mut chunk, mut most_now) = (Chunk::default(), first);
    for line in reader.lines() {
        let number = progress.read + 1;
        let line =
            line.map_err(Failure::io(format!("line {number}: cannot be read, or is not UTF-8")))?;
        progress.read = number;
        if line.trim().is_empty() {
            continue;
        }
        let key = parse(&line)
            .map_err(|problem| Failure::Invalid(format!("line {number}: {problem}")))?;
        chunk.push(number, key);
        if chunk.keys.len() == most_now {
            most_now = most;
            progress.added += std::mem::take(&mut chunk).add(store, by).await?;
            progress.done = number;
            bar.set_position(number);
        }
    }
    progress.added += chunk.add(store, by).await?;
    progress.done = progress.read;
    Ok(())
}

/// Keys that are added in one step, with the numbers of their lines.
#[derive(Default)]
struct Chunk {
    keys: Vec<NewKey>,
    lines: Vec<u64>,
}

impl Chunk {
    fn push(&mut self, line: u64, key: NewKey) {
        self.keys.push(key);
        self.lines.push(line);
    }

    /// Adds the keys, and returns how many are new. An error names the line that breaks a policy.
    async fn add(self, store: &dyn KeyManager, by: &str) -> Result<u64, Failure> {
        // The store refuses the keys that a policy may cover which this version cannot read.
        let policies = Policies::new(store.page_of_policies().await?.found);
        // Copies share their records, and without policies there are none.
        let copies = if policies.is_empty() { Vec::new() } else { self.keys.clone() };
        let violation = match store.import(self.keys, by).await {
            Err(ManageError::PolicyViolated(violation)) => violation,
            other => return Ok(other?),
        };
        let now = SystemClock.now();
        for (key, line) in copies.iter().zip(self.lines) {
            let broken = policies.check_new(&key.record, now).err();
            if broken.is_some_and(|broken| is_alike(&broken, &violation))
                && store.get(key.record.id().as_str()).await?.is_none()
            {
                return Err(Failure::Invalid(format!("line {line}: {violation}")));
            }
        }
        Err(ManageError::PolicyViolated(violation).into())
    }
}

/// Returns true if two violations are of one rule. Their times differ by how long the import took.
fn is_alike(one: &PolicyViolation, other: &PolicyViolation) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other) && one.subject() == other.subject()
}

/// Describes what a failed import has added, and how to go on.
fn status(progress: &Progress, atomic: bool) -> String {
    let Progress { added, done, .. } = progress;
    let again = "correct the file and import it again";
    if atomic {
        return format!("no key is imported, because --atomic imports all keys or none; {again}");
    }
    if *done == 0 {
        return format!("no key is imported yet; {again}");
    }
    format!(
        "the keys of lines 1 to {done} are imported ({added} added, the store had the others), those of later \
        lines are not; {again}: keys that the store has are left unchanged"
    )
}

fn bar(output: &Output) -> ProgressBar {
    if output.is_quiet() || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {human_pos} lines, {per_sec}, {elapsed}");
    ProgressBar::new_spinner()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

fn parse(line: &str) -> Result<NewKey, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| unrepeated(&error.to_string()))?;
    let digest = line.digest.parse::<KeyDigest>().map_err(|error| error.to_string())?;
    let account = Account::builder(line.account).build().map_err(|error| error.to_string())?;
    let mut key = KeyRecord::builder(line.id, account);
    if let Some(name) = line.name {
        key = key.name(name);
    }
    if let Some(owner) = line.owner {
        key = key.owner(owner);
    }
    if let Some(kind) = line.kind {
        key = key.kind(kind);
    }
    if let Some(environment) = line.environment {
        key = key.environment(environment);
    }
    if let Some(audience) = line.audience {
        key = key.audience(audience);
    }
    if let Some(form) = line.form {
        let form: KeyForm = form.parse().map_err(|error: InvalidForm| error.to_string())?;
        key = key.form(form);
    }
    if let Some(scopes) = line.scopes {
        key = key.scopes(scopes);
    }
    if let Some(networks) = line.networks {
        key = key.networks(networks);
    }
    if let Some(expires) = line.expires {
        let moment: crate::moment::Moment = expires.parse()?;
        key = key.expires(moment.0);
    }
    let record = key.build().map_err(|error| error.to_string())?;
    let mut key = NewKey::new(digest, record);
    let pepper = line.pepper.map(PepperName::new).transpose();
    key.pepper = pepper.map_err(|error| error.to_string())?;
    let tail = line.tail.map(SecretTail::new).transpose();
    key.tail = tail.map_err(|error| error.to_string())?;
    Ok(key)
}

/// Removes the value found from an error of serde, because it may be a key. The expected value stays.
fn unrepeated(complaint: &str) -> String {
    let expected = complaint.rsplit_once(", expected ");
    expected.map_or_else(|| complaint.to_owned(), |(_, rest)| format!("expected {rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_whole_or_not_at_all() {
        let digest = "0123456789abcdef".repeat(4);
        let line = format!(r#"{{"digest":"{digest}","id":"k","account":"a","scopes":["read"]}}"#);
        let key = parse(&line).unwrap();
        assert!(key.record.scopes().contains("read") && key.digest.as_bytes()[0] == 0x01);
        let peppered = parse(&line.replace('}', r#","pepper":"2027"}"#)).unwrap();
        assert_eq!((key.pepper, peppered.pepper.unwrap().as_str()), (None, "2027"));
        let with_tail = parse(&line.replace('}', r#","tail":"x7Qa"}"#)).unwrap();
        assert_eq!((key.tail, with_tail.tail.unwrap().as_str()), (None, "x7Qa"));
        for wrong in [
            line.replace('}', r#","pepper":"two words"}"#),
            line.replace('}', r#","tail":"the whole secret"}"#),
            line.replace(&digest, "0123"),
            line.replace(&digest, &"g".repeat(64)),
            line.replace("scopes", "scope"),
            line.replace("read", "two words"),
            line.replace(r#""id":"k","#, ""),
        ] {
            assert!(parse(&wrong).is_err(), "{wrong}");
        }
    }
}
