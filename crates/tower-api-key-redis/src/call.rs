//! A call of a script.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Script};

use super::failure::{Consequence, Failure};

/// A call of a script.
pub(super) struct Call<'a> {
    pub(super) script: &'a Script,
    /// To which keys and arguments are added.
    pub(super) command: Cmd,
    /// Whether it must never be made twice, as it may be if its connection breaks.
    pub(super) once: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(script: &'a Script) -> Self {
        let mut command = redis::cmd("EVALSHA");
        command.arg(script.get_hash());
        Self { script, command, once: false }
    }

    /// Makes the call: once, or twice if the server does not know the script yet.
    pub(super) async fn make(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> redis::RedisResult<Vec<i64>> {
        match self.command.query_async(connection).await {
            Err(error) if Failure::new(&error).1 == Consequence::LoadScript => {
                self.script.load_async(connection).await?;
                self.command.query_async(connection).await
            }
            answer => answer,
        }
    }
}
