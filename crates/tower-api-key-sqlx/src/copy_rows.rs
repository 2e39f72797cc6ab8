//! Rows as PostgreSQL's `COPY` takes them: its binary format.
//!
//! A statement with a parameter for each value costs the server more than the rows: it parses, plans and starts
//! thousands of expressions. `COPY` reads rows. It needs no prepared statement, so it works behind every pooler.

use std::slice;

use super::statement::{Statement, Value};

/// The signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The number of columns of the end.
const END: i16 = -1;

/// The length of NULL.
const NULL: i32 = -1;

/// The bytes after which a part ends.
const PART: usize = 128 * 1024;

/// Rows of one statement, which are written when their part is asked for. The server then takes rows while this program
/// writes others.
pub(super) struct CopyRows<'r, T, B> {
    rows: slice::Iter<'r, T>,
    bind: B,
    place: CopyPlace,
}

/// How far rows are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CopyPlace {
    Header,
    Rows,
    End,
}

impl<'r, T, B: Fn(Statement, &T) -> Statement> CopyRows<'r, T, B> {
    /// Writes rows whose values `bind` binds. Columns must be TEXT, BIGINT or BYTEA, as their values are.
    pub(super) fn new(rows: &'r [T], bind: B) -> Self {
        Self { rows: rows.iter(), bind, place: CopyPlace::Header }
    }
}

impl<T, B: Fn(Statement, &T) -> Statement> Iterator for CopyRows<'_, T, B> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut part = match self.place {
            CopyPlace::Header => HEADER.to_vec(),
            CopyPlace::Rows => Vec::new(),
            CopyPlace::End => return None,
        };
        part.reserve(PART + PART / 8);
        self.place = CopyPlace::Rows;
        let mut row = Statement::from("");
        while part.len() < PART {
            let Some(values) = self.rows.next() else {
                part.extend_from_slice(&END.to_be_bytes());
                self.place = CopyPlace::End;
                break;
            };
            row = (self.bind)(row, values);
            write_row(&mut part, &mut row);
        }
        Some(part)
    }
}

/// Writes a row with the values of a statement, and takes them out of it.
fn write_row(part: &mut Vec<u8>, row: &mut Statement) {
    // A table has at most 1,600 columns.
    part.extend_from_slice(&i16::try_from(row.values.len()).unwrap_or(END).to_be_bytes());
    for value in row.values.drain(..) {
        match value {
            Value::Text(Some(text)) => write_field(part, text.as_bytes()),
            Value::Number(Some(number)) => write_field(part, &number.to_be_bytes()),
            Value::Bytes(bytes) => write_field(part, &bytes),
            Value::Text(None) | Value::Number(None) => part.extend_from_slice(&NULL.to_be_bytes()),
        }
    }
}

fn write_field(part: &mut Vec<u8>, field: &[u8]) {
    // The server refuses a field of more than 1 GiB, whatever length is said here.
    let length = i32::try_from(field.len()).unwrap_or(i32::MAX);
    part.extend_from_slice(&length.to_be_bytes());
    part.extend_from_slice(field);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_as_the_server_documents_them() {
        let bind = |row: Statement, first: &bool| {
            if *first {
                row.bind("é").bind(None::<String>).bind(-2_i64)
            } else {
                row.bind(None::<i64>).bind(vec![0_u8, 255])
            }
        };
        let mut rows = CopyRows::new(&[true, false], bind);
        let mut expected = b"PGCOPY\n\xff\r\n\0".to_vec();
        expected.extend([0; 8]);
        expected.extend([0, 3, 0, 0, 0, 2, 0xc3, 0xa9, 255, 255, 255, 255]);
        expected.extend([0, 0, 0, 8, 255, 255, 255, 255, 255, 255, 255, 254]);
        expected.extend([0, 2, 255, 255, 255, 255, 0, 0, 0, 2, 0, 255]);
        expected.extend([255, 255]);
        assert_eq!(rows.next(), Some(expected));
        assert_eq!(rows.next(), None);
    }

    #[test]
    fn many_rows_are_written_in_parts() {
        let texts = vec!["x".repeat(1_000); 1_000];
        let parts = || CopyRows::new(&texts, |row, text| row.bind(text.as_str()));
        assert_eq!(parts().count(), 8);
        assert!(parts().all(|part| part.len() < PART + PART / 8));
        let all: Vec<u8> = parts().flatten().collect();
        assert_eq!(all.len(), HEADER.len() + 1_000 * (2 + 4 + 1_000) + 2);
        assert_eq!(parts().filter(|part| part.starts_with(HEADER)).count(), 1);
        assert!(all.ends_with(&END.to_be_bytes()));
    }
}
