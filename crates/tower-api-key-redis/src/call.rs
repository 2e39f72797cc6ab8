//! A call of a script on the server.

use redis::aio::MultiplexedConnection;
use redis::{Arg, Cmd, FromRedisValue, Script, Value};

use super::failure::{Consequence, Failure};

/// A call of a script.
pub(super) struct Call<'a> {
    pub(super) script: &'a Script,
    /// The command, to which the caller adds keys and arguments.
    pub(super) command: Cmd,
    /// True if the call must not be repeated when its connection breaks.
    pub(super) once: bool,
    /// The count of questions.
    pub(super) questions: u32,
}

impl<'a> Call<'a> {
    pub(super) fn new(script: &'a Script) -> Self {
        let mut command = redis::cmd("EVALSHA");
        command.arg(script.get_hash());
        Self { script, command, once: false, questions: 1 }
    }

    /// Returns the first Redis key. It stands after the command's name, the script's hash and the count of keys.
    pub(super) fn key(&self) -> Option<&[u8]> {
        match self.command.args_iter().nth(3)? {
            Arg::Simple(key) => Some(key),
            _ => None,
        }
    }

    /// Makes the call. If the server does not know the script, loads the script and makes the call again.
    ///
    /// `is_asking` is for a node of a cluster whose slot is moving to it.
    pub(super) async fn make<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
        is_asking: bool,
    ) -> redis::RedisResult<T> {
        match self.send(connection, is_asking).await {
            Err(error) if Failure::new(&error).1 == Consequence::LoadScript => {
                self.script.load_async(connection).await?;
                self.send(connection, is_asking).await
            }
            answer => answer,
        }
    }

    async fn send<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
        is_asking: bool,
    ) -> redis::RedisResult<T> {
        if !is_asking {
            return self.command.query_async(connection).await;
        }
        // The word is for the next command of the connection, so both are sent in one piece.
        let mut pipeline = redis::pipe();
        pipeline.cmd("ASKING").add_command(self.command.clone()).ignore_errors();
        let answers: Vec<redis::RedisResult<Value>> = pipeline.query_async(connection).await?;
        let last = answers.into_iter().next_back();
        let missing = (redis::ErrorKind::UnexpectedReturnType, "no answer").into();
        Ok(redis::from_redis_value(last.unwrap_or(Err(missing))?)?)
    }
}
