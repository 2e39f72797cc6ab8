//! The data of a server: hashes that expire.

use std::collections::{BTreeMap, HashMap};

type Bytes = Vec<u8>;

/// A hash, and the instant at which it expires.
#[derive(Debug, Clone, Default)]
struct Hash {
    fields: BTreeMap<Bytes, Bytes>,
    /// In milliseconds since 1970.
    expires: Option<u64>,
}

/// The keys of a server.
#[derive(Debug, Clone, Default)]
pub(super) struct Keyspace {
    hashes: HashMap<Bytes, Hash>,
    /// The ends of the fixed windows of each key, in microseconds since 1970.
    pub(super) windows: BTreeMap<Bytes, Vec<u64>>,
    /// The present instant by the server's clock, in microseconds since 1970.
    pub(super) now: u64,
}

/// What a command returns to a script.
pub(super) enum Returned {
    Number(i64),
    Texts(Vec<Option<Bytes>>),
}

impl Keyspace {
    /// Returns the number of keys that have not expired.
    pub(super) fn len(&self) -> usize {
        let lives = |hash: &&Hash| hash.expires.is_none_or(|at| at > self.now / 1_000);
        self.hashes.values().filter(lives).count()
    }

    /// Runs a command.
    pub(super) fn run(&mut self, command: &[Bytes]) -> Result<Returned, String> {
        let name = String::from_utf8_lossy(&command[0]).to_ascii_uppercase();
        if name == "TIME" {
            let parts = [self.now / 1_000_000, self.now % 1_000_000];
            let texts = parts.map(|part| Some(part.to_string().into_bytes()));
            return Ok(Returned::Texts(texts.into()));
        }
        let (key, rest) = (command[1].clone(), &command[2..]);
        let now = self.now / 1_000;
        if self.hashes.get(&key).is_some_and(|hash| hash.expires.is_some_and(|at| at <= now)) {
            self.hashes.remove(&key);
        }
        let found = self.hashes.get(&key);
        Ok(match &*name {
            "HMGET" => Returned::Texts(
                rest.iter().map(|field| found?.fields.get(field).cloned()).collect(),
            ),
            "HGETALL" => {
                let pairs = found.into_iter().flat_map(|hash| &hash.fields);
                Returned::Texts(
                    pairs.flat_map(|(name, value)| [name, value]).cloned().map(Some).collect(),
                )
            }
            "HLEN" => number(found.map_or(0, |hash| hash.fields.len())),
            "HSET" => {
                self.note_windows(&key, rest);
                let hash = self.hashes.entry(key).or_default();
                let before = hash.fields.len();
                for pair in rest.chunks_exact(2) {
                    hash.fields.insert(pair[0].clone(), pair[1].clone());
                }
                number(hash.fields.len() - before)
            }
            "HDEL" => {
                let Some(hash) = self.hashes.get_mut(&key) else { return Ok(number(0)) };
                let gone = rest.iter().filter(|field| hash.fields.remove(*field).is_some()).count();
                if hash.fields.is_empty() {
                    self.hashes.remove(&key);
                }
                number(gone)
            }
            "PTTL" => Returned::Number(match found {
                None => -2,
                Some(hash) => hash.expires.map_or(-1, |at| (at - now) as i64),
            }),
            "PEXPIRE" => {
                let span: u64 =
                    String::from_utf8_lossy(&rest[0]).parse().map_err(|_| "no number")?;
                let hash = self.hashes.get_mut(&key);
                number(hash.map(|hash| hash.expires = Some(now + span)).into_iter().count())
            }
            _ => return Err(format!("ERR unknown command '{name}'")),
        })
    }

    /// Notes the windows that a write opens.
    fn note_windows(&mut self, key: &Bytes, fields: &[Bytes]) {
        for pair in fields.chunks_exact(2).filter(|pair| pair[0].starts_with(b"account:fixed_")) {
            // A counter begins with the instant at which it is over.
            let end = pair[1].first_chunk().map_or(0, |end| f64::from_le_bytes(*end) as u64);
            let ends = self.windows.entry(key.clone()).or_default();
            if end > ends.last().copied().unwrap_or(0) {
                ends.push(end);
            }
        }
    }
}

fn number(count: usize) -> Returned {
    Returned::Number(count as i64)
}
