//! The scripts of a server, run by the Lua that Redis has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use mlua::{Function, Lua, Value, Variadic};

use super::keyspace::{Keyspace, Returned};
use super::lua_struct;

/// Scripts that clients have loaded.
pub(super) struct Scripts {
    lua: Lua,
    loaded: HashMap<String, Function>,
}

impl Scripts {
    /// Creates an interpreter whose `redis.call` changes these keys.
    pub(super) fn new(keys: &Arc<Mutex<Keyspace>>) -> mlua::Result<Self> {
        let lua = Lua::new();
        let keys = Arc::clone(keys);
        let call = lua.create_function(move |lua, words: Variadic<Value>| {
            let words: Result<Vec<Vec<u8>>, mlua::Error> =
                words.iter().map(|word| bytes(lua, word)).collect();
            let returned = keys.lock().unwrap().run(&words?);
            value(lua, returned.map_err(mlua::Error::runtime)?)
        })?;
        let redis = lua.create_table()?;
        redis.set("call", call)?;
        lua.globals().set("redis", redis)?;
        lua.globals().set("struct", lua_struct::library(&lua)?)?;
        Ok(Self { lua, loaded: HashMap::new() })
    }

    /// Loads a script, and returns its digest.
    pub(super) fn load(&mut self, text: &[u8]) -> mlua::Result<String> {
        let digest = redis::Script::new(&String::from_utf8_lossy(text)).get_hash().to_owned();
        self.loaded.insert(digest.clone(), self.lua.load(text).into_function()?);
        Ok(digest)
    }

    /// Runs a script. Returns `None` if it was not loaded.
    pub(super) fn run(
        &self,
        digest: &str,
        keys: &[Vec<u8>],
        arguments: &[Vec<u8>],
    ) -> Option<mlua::Result<Vec<i64>>> {
        let script = self.loaded.get(digest)?;
        let run = || {
            let globals = self.lua.globals();
            globals.raw_set("KEYS", self.texts(keys)?)?;
            globals.raw_set("ARGV", self.texts(arguments)?)?;
            let answer: Vec<f64> = script.call(())?;
            // Redis cuts numbers to integers.
            Ok(answer.into_iter().map(|number| number as i64).collect())
        };
        Some(run())
    }

    fn texts(&self, words: &[Vec<u8>]) -> mlua::Result<mlua::Table> {
        let texts: mlua::Result<Vec<_>> =
            words.iter().map(|word| self.lua.create_string(word)).collect();
        self.lua.create_sequence_from(texts?)
    }
}

/// Returns an argument of a command. Redis writes numbers with 17 digits, which shows a whole number exactly.
fn bytes(lua: &Lua, word: &Value) -> mlua::Result<Vec<u8>> {
    let text = match word {
        Value::Integer(number) => return Ok(number.to_string().into()),
        Value::Number(number) if number.fract() == 0.0 => return Ok(format!("{number}").into()),
        Value::Number(_) => None,
        word => lua.coerce_string(word.clone())?,
    };
    let text = text.ok_or_else(|| mlua::Error::runtime("arguments are strings or integers"))?;
    Ok(text.as_bytes().to_vec())
}

fn value(lua: &Lua, returned: Returned) -> mlua::Result<Value> {
    Ok(match returned {
        Returned::Number(number) => Value::Number(number as f64),
        Returned::Texts(texts) => {
            let table = lua.create_table_with_capacity(texts.len(), 0)?;
            for (index, text) in texts.iter().enumerate() {
                let value = match text {
                    Some(text) => Value::String(lua.create_string(text)?),
                    None => Value::Boolean(false),
                };
                table.raw_set(index + 1, value)?;
            }
            Value::Table(table)
        }
    })
}
