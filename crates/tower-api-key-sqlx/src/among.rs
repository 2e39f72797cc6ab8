//! Asks which of many values a column has.

use std::fmt::Write;

use super::dialect::Dialect;
use super::statement::{Statement, Value};

impl Dialect {
    /// Returns a statement of which `text` is the part up to the column that must have one of these values.
    ///
    /// PostgreSQL gets one parameter, because it parses and plans each one: the text of an array, which a statement
    /// with its values inside can hold, too. SQLite has no arrays.
    pub(super) fn among(self, text: &str, values: impl Iterator<Item = Value>) -> Statement {
        match self {
            Self::Sqlite => {
                let mut asked = Statement::from("");
                asked.values.extend(values);
                let placeholders = self.placeholders(1, asked.values.len());
                Statement {
                    values: asked.values,
                    ..Statement::made(format!("{text} IN ({placeholders})"))
                }
            }
            Self::Postgres => {
                let mut values = values.peekable();
                let kind = match values.peek() {
                    Some(Value::Number(_)) => "BIGINT",
                    Some(Value::Bytes(_)) => "BYTEA",
                    Some(Value::Text(_)) | None => "TEXT",
                };
                let asked = Statement::made(format!("{text} = ANY(CAST($1 AS {kind}[]))"));
                asked.bind(array(values))
            }
        }
    }
}

/// Returns the text of an array, as PostgreSQL reads it.
fn array(values: impl Iterator<Item = Value>) -> String {
    let mut text = String::from("{");
    for value in values {
        if text.len() > 1 {
            text.push(',');
        }
        // Writing to a `String` never fails.
        let _ = match value {
            Value::Text(Some(value)) => {
                write_quoted(&mut text, &value);
                Ok(())
            }
            Value::Number(Some(value)) => write!(text, "{value}"),
            Value::Bytes(value) => {
                text.push_str("\"\\\\x");
                for byte in value {
                    let _ = write!(text, "{byte:02x}");
                }
                text.write_str("\"")
            }
            Value::Text(None) | Value::Number(None) => text.write_str("NULL"),
        };
    }
    text.push('}');
    text
}

/// In quotes, only a quote and a backslash have a meaning.
fn write_quoted(text: &mut String, value: &str) {
    text.push('"');
    for letter in value.chars() {
        if matches!(letter, '"' | '\\') {
            text.push('\\');
        }
        text.push(letter);
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_holds_any_text() {
        let values = ["a", "", "NULL", "a,b}", "\"\\", " é\n"].map(Value::from);
        let asked = Dialect::Postgres.among("DELETE FROM x WHERE id", values.into_iter());
        assert_eq!(asked.sql.as_str(), "DELETE FROM x WHERE id = ANY(CAST($1 AS TEXT[]))");
        let Value::Text(Some(text)) = &asked.values[0] else { panic!("a text") };
        assert_eq!(text, "{\"a\",\"\",\"NULL\",\"a,b}\",\"\\\"\\\\\",\" é\n\"}");
        let asked =
            Dialect::Postgres.among("", [vec![0_u8, 255], vec![7]].map(Value::from).into_iter());
        let Value::Text(Some(text)) = &asked.values[0] else { panic!("a text") };
        assert_eq!(text, r#"{"\\x00ff","\\x07"}"#);
        let asked = Dialect::Sqlite.among("x", [1_i64, 2].map(Value::from).into_iter());
        assert_eq!((asked.sql.as_str(), asked.values.len()), ("x IN (?, ?)", 2));
    }
}
