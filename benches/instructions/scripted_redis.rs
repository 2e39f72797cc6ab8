//! A Redis server that is played in this process: it hands out one lease that never ends. So what a request takes with a
//! lease in hand can be counted without a server.

use std::io;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::Runtime;
use tower_api_key::Reply;
use tower_api_key_redis::{Lease, RedisLimiter, StreamSource};

/// The bytes that a stream holds before its writer waits.
const BUFFER: usize = 1 << 16;
/// The tokens of the lease, more than a run spends.
const TOKENS: u32 = 1_000_000;
/// The microseconds for which the lease can be held. The gate's clock stands still meanwhile.
const LASTS: u64 = 10_000_000;

/// Builds a limiter that gets its leases from here. The connection runs on the runtime.
pub(crate) fn leasing_limiter(runtime: &Runtime) -> RedisLimiter {
    let _entered = runtime.enter();
    let most = NonZeroU32::new(TOKENS).expect("not zero");
    RedisLimiter::builder("redis://scripted")
        .timeout(Duration::from_secs(60))
        .lease(Lease::new().at_most(most))
        .on_request_time()
        .stream_source(ScriptedRedis)
        .build()
        .expect("a valid URL")
}

struct ScriptedRedis;

impl StreamSource for ScriptedRedis {
    fn open(&self, _: &str, _: u16) -> Reply<io::Result<DuplexStream>> {
        Reply::later(async {
            let (ours, theirs) = tokio::io::duplex(BUFFER);
            tokio::spawn(serve(theirs));
            Ok(ours)
        })
    }
}

/// Answers the commands of a client, until it hangs up.
async fn serve(mut stream: DuplexStream) {
    let mut buffer = Vec::new();
    while stream.read_buf(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {
        while let Some(command) = take_command(&mut buffer) {
            if stream.write_all(answer(&command).as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

/// Returns what the server answers to a command: that it is well, or the lease.
fn answer(command: &[Vec<u8>]) -> String {
    let name = command.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
    match &name[..] {
        b"PING" => "+PONG\r\n".to_owned(),
        b"EVALSHA" => lease(),
        // A server that does not know it says nothing of itself.
        b"HELLO" => "-ERR unknown command\r\n".to_owned(),
        _ => "+OK\r\n".to_owned(),
    }
}

/// Returns the numbers of the script's answer: it passes, nothing lies ahead, the tokens and for how long, and the
/// instant. Then, for each quota: it has room, one was used, when it ends, no parts, and a mark.
fn lease() -> String {
    let head = [1, 0, 0, u64::from(TOKENS), LASTS, 1_700_000_000_000_000, 0];
    let minute = [1, 1, 60_000_000, 0, 0, 1, 0];
    let hour = [1, 1, 3_600_000_000, 0, 0, 1, 0];
    let numbers = [head, minute, hour].concat();
    let texts = numbers.iter().map(|number| format!(":{number}\r\n"));
    format!("*{}\r\n{}", numbers.len(), texts.collect::<String>())
}

/// Takes the first command from a buffer. Returns `None` until it is whole.
fn take_command(buffer: &mut Vec<u8>) -> Option<Vec<Vec<u8>>> {
    let mut at = 0;
    let count = number(buffer, &mut at, b'*')?;
    let mut words = Vec::with_capacity(count);
    for _ in 0..count {
        let length = number(buffer, &mut at, b'$')?;
        words.push(buffer.get(at..at + length)?.to_vec());
        at += length + 2;
    }
    if buffer.len() < at {
        return None;
    }
    buffer.drain(..at);
    Some(words)
}

fn number(buffer: &[u8], at: &mut usize, kind: u8) -> Option<usize> {
    let rest = buffer.get(*at..)?;
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    assert_eq!(rest.first(), Some(&kind), "the client speaks another protocol");
    *at += end + 1;
    std::str::from_utf8(rest.get(1..end - 1)?).ok()?.parse().ok()
}
