//! A call of a script on the server.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Script};

use super::failure::{Consequence, Failure};

/// A call of a script.
pub(super) struct Call<'a> {
    pub(super) script: &'a Script,
    /// The command, to which the caller adds keys and arguments.
    pub(super) command: Cmd,
    /// True if the call must not be repeated when its connection breaks.
    pub(super) once: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(script: &'a Script) -> Self {
        let mut command = redis::cmd("EVALSHA");
        command.arg(script.get_hash());
        Self { script, command, once: false }
    }

    /// Makes the call. If the server does not know the script, loads the script and makes the call again.
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
