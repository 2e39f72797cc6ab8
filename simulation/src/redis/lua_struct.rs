//! The library `struct` of Redis' Lua, as far as the limiter uses it: `<`, then `B`, `H`, `I4` and `d`.

use mlua::{Lua, Table, Value, Variadic};

/// A kind of number in bytes.
#[derive(Debug, Clone, Copy)]
enum Form {
    Byte,
    Short,
    Long,
    Double,
}

/// Returns the library.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let pack = lua.create_function(|lua, (form, numbers): (String, Variadic<f64>)| {
        let forms = forms(&form)?;
        if numbers.len() < forms.len() {
            return Err(mlua::Error::runtime("a number is missing"));
        }
        let bytes: Vec<u8> =
            forms.iter().zip(numbers).flat_map(|(form, it)| form.bytes(it)).collect();
        lua.create_string(bytes)
    })?;
    let unpack =
        lua.create_function(|_, (form, text, place): (String, mlua::LuaString, Option<usize>)| {
            let (text, mut at) = (text.as_bytes(), place.unwrap_or(1) - 1);
            let mut values = Variadic::new();
            for form in forms(&form)? {
                let bytes = text.get(at..at + form.size());
                let bytes = bytes.ok_or_else(|| mlua::Error::runtime("data string too short"))?;
                values.push(Value::Number(form.number(bytes)));
                at += form.size();
            }
            values.push(Value::Number((at + 1) as f64));
            Ok(values)
        })?;
    let library = lua.create_table()?;
    library.set("pack", pack)?;
    library.set("unpack", unpack)?;
    Ok(library)
}

fn forms(text: &str) -> mlua::Result<Vec<Form>> {
    let mut forms = Vec::new();
    let mut rest = text.strip_prefix('<').unwrap_or("?");
    while !rest.is_empty() {
        let known =
            [("B", Form::Byte), ("H", Form::Short), ("I4", Form::Long), ("d", Form::Double)];
        let found = known.iter().find_map(|(name, form)| Some((rest.strip_prefix(name)?, *form)));
        let Some((after, form)) = found else {
            return Err(mlua::Error::runtime(format!("the simulation does not know '{text}'")));
        };
        rest = after;
        forms.push(form);
    }
    Ok(forms)
}

impl Form {
    const fn size(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Short => 2,
            Self::Long => 4,
            Self::Double => 8,
        }
    }

    fn bytes(self, number: f64) -> Vec<u8> {
        match self {
            Self::Double => number.to_le_bytes().to_vec(),
            _ => (number as u64).to_le_bytes()[..self.size()].to_vec(),
        }
    }

    fn number(self, bytes: &[u8]) -> f64 {
        let mut whole = [0; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        match self {
            Self::Double => f64::from_le_bytes(whole),
            _ => u64::from_le_bytes(whole) as f64,
        }
    }
}
