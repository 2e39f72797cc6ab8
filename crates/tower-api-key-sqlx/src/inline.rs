//! Statements with their values inside, for a pooler that hands each transaction to another session.
//!
//! A prepared statement lives in one session of the server, and sqlx sends even an unnamed one in two messages.
//! Behind PgBouncer in transaction mode the second message may reach another session. A simple query is one
//! message and one round trip. Its values are written as digits only, so none can end a literal.

use std::fmt::Write;
use std::time::Duration;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::statement::{Statement, Value};

/// Makes a session write bytes in the only form that sqlx reads, whatever the role, database or URL says.
pub(super) const BYTES_AS_HEX: &str = "SET LOCAL bytea_output = 'hex'";

/// Returns the statement with its values. If there is a limit, the server enforces it for this statement, and
/// answers in the form that sqlx reads. Without one, a transaction has seen to both.
pub(super) fn inline(statement: &Statement, limit: Option<Duration>) -> SqlStr {
    let mut text = limit.map_or_else(String::new, |limit| {
        format!("SET LOCAL statement_timeout = {}; {BYTES_AS_HEX}; ", milliseconds(limit))
    });
    let mut rest = statement.sql.as_str();
    // A quoted name or text may hold what looks like a parameter.
    let mut quoted_by = None;
    while let Some(place) = rest.find(['$', '"', '\'']) {
        let (before, after) = rest.split_at(place);
        text.push_str(before);
        let mark = after.chars().next().unwrap_or_default();
        let after = after.get(1..).unwrap_or_default();
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let number = after.get(..digits).and_then(|digits| digits.parse::<usize>().ok());
        let value = number.and_then(|number| statement.values.get(number.checked_sub(1)?));
        match (mark, quoted_by, value) {
            ('$', None, Some(value)) => {
                write_value(&mut text, value);
                rest = after.get(digits..).unwrap_or_default();
                continue;
            }
            ('$', _, _) => {}
            (quote, None, _) => quoted_by = Some(quote),
            (quote, Some(begun), _) if quote == begun => quoted_by = None,
            _ => {}
        }
        text.push(mark);
        rest = after;
    }
    text.push_str(rest);
    AssertSqlSafe(text).into_sql_str()
}

/// Returns a limit as PostgreSQL's timeouts take it: 1 millisecond or more, because 0 means none.
pub(super) fn milliseconds(limit: Duration) -> i32 {
    i32::try_from(limit.as_millis()).unwrap_or(i32::MAX).max(1)
}

fn write_value(text: &mut String, value: &Value) {
    // Writing to a `String` never fails.
    let _ = match value {
        Value::Text(Some(value)) => {
            text.push_str("convert_from(decode('");
            write_hex(text, value.as_bytes());
            text.write_str("', 'hex'), 'UTF8')")
        }
        Value::Text(None) => text.write_str("CAST(NULL AS TEXT)"),
        Value::Number(Some(value)) => write!(text, "CAST({value} AS BIGINT)"),
        Value::Number(None) => text.write_str("CAST(NULL AS BIGINT)"),
        Value::Bytes(value) => {
            text.push_str("decode('");
            write_hex(text, value);
            text.write_str("', 'hex')")
        }
    };
}

fn write_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_digits() {
        let statement =
            Statement::from("SELECT $1, $2 FROM \"a$1\"\"'\" WHERE x = '$2' AND y = $3")
                .bind("it's")
                .bind(-7_i64)
                .bind(vec![0_u8, 255]);
        assert_eq!(
            inline(&statement, None).as_str(),
            "SELECT convert_from(decode('69742773', 'hex'), 'UTF8'), CAST(-7 AS BIGINT) \
             FROM \"a$1\"\"'\" WHERE x = '$2' AND y = decode('00ff', 'hex')"
        );
        let ten = (0..10).fold(Statement::from("$10 $1 $11"), Statement::bind);
        let ten = inline(&ten.bind(None::<String>), Some(Duration::from_millis(1500)));
        assert_eq!(
            ten.as_str(),
            "SET LOCAL statement_timeout = 1500; SET LOCAL bytea_output = 'hex'; \
             CAST(9 AS BIGINT) CAST(0 AS BIGINT) CAST(NULL AS TEXT)"
        );
    }

    #[test]
    fn a_limit_is_never_off() {
        for (limit, expected) in [
            (Duration::ZERO, 1),
            (Duration::from_micros(1), 1),
            (Duration::from_secs(2), 2_000),
            (Duration::MAX, i32::MAX),
        ] {
            assert_eq!(milliseconds(limit), expected);
        }
    }
}
