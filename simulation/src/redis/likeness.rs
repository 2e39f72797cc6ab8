//! The simulated commands answer as those of a real Redis: random commands on both, by the same script.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;

use super::keyspace::Keyspace;
use super::scripts::Scripts;

/// Runs a command, and returns its reply as numbers. The fields of HGETALL have no order.
const SCRIPT: &str = r"
local words = {}
for place = 3, #ARGV do
  words[place - 2] = ARGV[2] == 'numbers' and tonumber(ARGV[place]) or ARGV[place]
end
local reply = redis.call(ARGV[1], KEYS[1], unpack(words))
if ARGV[1] == 'HGETALL' then
  local pairs = {}
  for place = 1, #reply, 2 do
    pairs[#pairs + 1] = { reply[place], reply[place + 1] }
  end
  table.sort(pairs, function(one, other) return one[1] < other[1] end)
  reply = pairs
end
local out = {}
local function say(value)
  local kind = type(value)
  out[#out + 1] = ({ number = 1, string = 2, table = 3, boolean = 4 })[kind] or 5
  if kind == 'number' then
    out[#out + 1] = value
  elseif kind == 'string' then
    out[#out + 1] = #value
    for place = 1, #value do
      out[#out + 1] = string.byte(value, place)
    end
  elseif kind == 'table' then
    out[#out + 1] = #value
    for _, each in ipairs(value) do
      say(each)
    end
  end
end
say(reply)
return out
";

/// What may pass between two commands, one of which asks for the rest of a life, in milliseconds.
const SLACK: i64 = 60_000;
/// A life during which no test ends.
const LONG: u64 = 1_000_000;

#[derive(Debug, Clone)]
enum Op {
    Read(&'static str, usize, Vec<&'static str>),
    /// Sets fields to texts or numbers.
    Set(usize, Vec<(&'static str, i64)>, bool),
    Delete(usize, Vec<&'static str>),
    Live(usize, u64),
    /// The key expires.
    Expire(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let field = || prop::sample::select(vec!["a", "b", "account:fixed_1", "\u{0}é"]);
    let fields = || prop::collection::vec(field(), 1..5);
    let exact = -9_007_199_254_740_992..=9_007_199_254_740_992_i64;
    let number = prop_oneof![exact, -10..10_i64, Just(1_795_600_020_000_000)];
    let key = 0..3_usize;
    prop_oneof![
        4 => (key.clone(), prop::collection::vec((field(), number), 1..4), any::<bool>())
            .prop_map(|(key, pairs, numbers)| Op::Set(key, pairs, numbers)),
        3 => (key.clone(), fields()).prop_map(|(key, fields)| Op::Read("HMGET", key, fields)),
        2 => key.clone().prop_map(|key| Op::Read("HGETALL", key, Vec::new())),
        2 => key.clone().prop_map(|key| Op::Read("HLEN", key, Vec::new())),
        2 => key.clone().prop_map(|key| Op::Read("PTTL", key, Vec::new())),
        2 => (key.clone(), fields()).prop_map(|(key, fields)| Op::Delete(key, fields)),
        2 => (key.clone(), LONG..3 * LONG).prop_map(|(key, life)| Op::Live(key, life)),
        1 => key.prop_map(Op::Expire),
    ]
}

/// A server on a socket in a folder of its own, and the simulated one.
struct Both {
    server: Child,
    folder: PathBuf,
    connection: redis::Connection,
    keys: Arc<Mutex<Keyspace>>,
    scripts: Scripts,
    digest: String,
}

impl Both {
    fn start(name: &str) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let socket = folder.join("redis.sock");
        let program = std::env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned());
        let started = Command::new(program)
            .args(["--port", "0", "--save", "", "--unixsocket"])
            .arg(&socket)
            .current_dir(&folder)
            .stdout(Stdio::null())
            .spawn();
        let Ok(server) = started else {
            assert!(std::env::var("REQUIRE_SERVERS").as_deref() != Ok("1"), "Redis is missing");
            println!("SKIPPED: Redis is not installed");
            return None;
        };
        let client = redis::Client::open(format!("unix:{}", socket.display())).unwrap();
        let give_up = Instant::now() + Duration::from_secs(30);
        let connection = loop {
            match client.get_connection() {
                Ok(connection) => break connection,
                Err(error) => assert!(Instant::now() < give_up, "Redis does not start: {error}"),
            }
            sleep(Duration::from_millis(10));
        };
        let keys = Arc::default();
        let mut scripts = Scripts::new(&keys).unwrap();
        let digest = scripts.load(SCRIPT.as_bytes()).unwrap();
        Some(Self { server, folder, connection, keys, scripts, digest })
    }

    fn clear(&mut self) {
        redis::cmd("FLUSHALL").exec(&mut self.connection).unwrap();
        *self.keys.lock().unwrap() = Keyspace::default();
    }

    /// Runs a command on both, and returns the replies of the simulated and of the real server.
    fn run(&mut self, name: &str, key: usize, words: &[String], numbers: bool) -> [Vec<i64>; 2] {
        let key = format!("key_{key}");
        let how = if numbers { "numbers" } else { "texts" };
        let arguments: Vec<_> =
            [name, how].into_iter().chain(words.iter().map(|word| &**word)).collect();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        self.keys.lock().unwrap().now = u64::try_from(now.as_micros()).unwrap();
        let bytes: Vec<_> = arguments.iter().map(|word| word.as_bytes().to_vec()).collect();
        let simulated = self.scripts.run(&self.digest, &[key.clone().into_bytes()], &bytes);
        let mut eval = redis::cmd("EVAL");
        let eval = eval.arg(SCRIPT).arg(1).arg(key).arg(&arguments);
        [simulated.unwrap().unwrap(), eval.query(&mut self.connection).unwrap()]
    }

    fn step(&mut self, op: &Op) {
        let texts =
            |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let [simulated, real] = match op {
            Op::Read(name, key, fields) => self.run(name, *key, &texts(fields), false),
            Op::Delete(key, fields) => self.run("HDEL", *key, &texts(fields), false),
            Op::Set(key, pairs, numbers) => {
                let words =
                    pairs.iter().flat_map(|(name, value)| [(*name).to_owned(), value.to_string()]);
                self.run("HSET", *key, &words.collect::<Vec<_>>(), *numbers)
            }
            Op::Live(key, life) => self.run("PEXPIRE", *key, &[life.to_string()], true),
            Op::Expire(key) => {
                let replies = self.run("PEXPIRE", *key, &["1".to_owned()], true);
                sleep(Duration::from_millis(5));
                replies
            }
        };
        if let (Op::Read("PTTL", ..), [1, one], [1, other]) = (op, &simulated[..], &real[..])
            && *one > 0
        {
            assert!(one.abs_diff(*other) < SLACK.unsigned_abs(), "{op:?}: {one}, {other}");
        } else {
            assert_eq!(simulated, real, "{op:?}");
        }
    }
}

impl Drop for Both {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn commands_answer_as_those_of_a_real_redis() {
    let Some(both) = Both::start("commands") else { return };
    let both = Mutex::new(both);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) };
    proptest!(config, |(ops in prop::collection::vec(op(), 1..40))| {
        let mut both = both.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        both.clear();
        for op in &ops {
            both.step(op);
        }
    });
}

/// Packs numbers, and returns the bytes and the numbers that they unpack to.
const PACKS: &str = "
local packed = struct.pack('<BHI4ddB', ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
local out = { #packed, string.byte(packed, 1, -1) }
for _, value in ipairs({ struct.unpack('<BHI4dd', packed) }) do
  out[#out + 1] = value
end
local last, place = struct.unpack('<B', packed, 24)
out[#out + 1], out[#out + 2] = last, place
return out";

#[test]
fn both_pack_and_unpack_the_same_bytes() {
    let Some(mut both) = Both::start("struct") else { return };
    let digest = both.scripts.load(PACKS.as_bytes()).unwrap();
    for numbers in [
        ["0", "0", "0", "0", "-1", "0"],
        ["255", "65535", "4294967295", "9007199254740991", "1796041132297542", "1"],
    ] {
        let real: Vec<i64> =
            redis::cmd("EVAL").arg(PACKS).arg(0).arg(&numbers).query(&mut both.connection).unwrap();
        let words = numbers.map(|number| number.as_bytes().to_vec());
        let simulated = both.scripts.run(&digest, &[], &words).unwrap().unwrap();
        assert_eq!(simulated, real, "{numbers:?}");
    }
}

#[test]
fn both_tell_the_same_time() {
    let Some(mut both) = Both::start("time") else { return };
    let time: Vec<i64> = redis::cmd("EVAL")
        .arg("local time = redis.call('TIME') return { tonumber(time[1]), tonumber(time[2]) }")
        .arg(0)
        .query(&mut both.connection)
        .unwrap();
    let text = b"local time = redis.call('TIME') return { tonumber(time[1]), tonumber(time[2]) }";
    let digest = both.scripts.load(text).unwrap();
    let micros = u64::try_from(time[0]).unwrap() * 1_000_000 + u64::try_from(time[1]).unwrap();
    both.keys.lock().unwrap().now = micros;
    assert_eq!(both.scripts.run(&digest, &[], &[]).unwrap().unwrap(), time);
}
