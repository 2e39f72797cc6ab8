//! Importing digests.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use tower_api_key::key::{Account, KeyDigest, KeyRecord};
use tower_api_key::store::{KeyManager, NewKey};

use crate::failure::Failure;
use crate::output::Output;

/// Keys that are given to the store at a time; all of them are added, or none.
const CHUNK: usize = 10_000;

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
    scopes: Option<Vec<String>>,
    networks: Option<Vec<String>>,
    expires: Option<String>,
}

/// Reads keys line by line and adds those that are not there yet. Every line is read before the first
/// chunk is written only as far as that chunk goes: an error names its line, and what was added before
/// it stays, so that the same file can be imported again.
pub(crate) async fn run(
    store: &dyn KeyManager,
    by: &str,
    file: &Path,
    output: &Output,
) -> Result<(), Failure> {
    let reader: Box<dyn BufRead> = if file.as_os_str() == "-" {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let opened = File::open(file);
        let opened = opened.map_err(Failure::io("cannot open the file of keys"))?;
        Box::new(BufReader::new(opened))
    };
    let progress = progress(output);
    let (mut chunk, mut read, mut added) = (Vec::with_capacity(CHUNK), 0u64, 0u64);
    for line in reader.lines() {
        let line = line.map_err(Failure::io("cannot read the file of keys"))?;
        read += 1;
        if line.trim().is_empty() {
            continue;
        }
        let key =
            parse(&line).map_err(|problem| Failure::Invalid(format!("line {read}: {problem}")))?;
        chunk.push(key);
        if chunk.len() == CHUNK {
            added += store.import(std::mem::take(&mut chunk), by).await?;
            progress.set_position(read);
        }
    }
    added += store.import(chunk, by).await?;
    progress.finish_and_clear();
    output.say(&format!("{added} keys added, of {read} lines"));
    Ok(())
}

fn progress(output: &Output) -> ProgressBar {
    if output.is_quiet() || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {human_pos} keys, {per_sec}, {elapsed}");
    ProgressBar::new_spinner()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

fn parse(line: &str) -> Result<NewKey, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| unrepeated(&error.to_string()))?;
    let digest =
        KeyDigest::from_hex(&line.digest).ok_or("the digest is not 64 hexadecimal digits")?;
    let account = Account::builder(line.account).build().map_err(|error| error.to_string())?;
    let mut key = KeyRecord::builder(line.id, Arc::new(account));
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
    if let Some(scopes) = line.scopes {
        key = key.scopes(scopes);
    }
    if let Some(networks) = line.networks {
        key = key.networks(networks.iter().map(String::as_str));
    }
    if let Some(expires) = line.expires {
        let moment: crate::moment::Moment = expires.parse()?;
        key = key.expires(moment.0);
    }
    let record = key.build().map_err(|error| error.to_string())?;
    Ok(NewKey::new(digest, record))
}

/// Leaves out of a complaint what was found where something else belongs, for it may be a key; what
/// was expected is said.
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
        for wrong in [
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
