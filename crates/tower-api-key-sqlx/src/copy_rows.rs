//! Rows as PostgreSQL's `COPY` takes them: its binary format.
//!
//! A statement with a parameter for each value costs the server more than the rows: it parses, plans and starts
//! thousands of expressions. `COPY` reads rows. It needs no prepared statement, so it works behind every pooler.

use super::statement::{Statement, Value};

/// The signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The number of columns of the end.
const END: i16 = -1;

/// The length of NULL.
const NULL: i32 = -1;

/// Rows of one statement.
#[derive(Debug)]
pub(super) struct CopyRows {
    bytes: Vec<u8>,
}

impl CopyRows {
    /// Returns room for this number of rows.
    pub(super) fn with_capacity(rows: usize) -> Self {
        let mut bytes = Vec::with_capacity(rows * 256);
        bytes.extend_from_slice(HEADER);
        Self { bytes }
    }

    /// Adds a row with the values of a statement, and takes them out of it. Columns must be TEXT, BIGINT or BYTEA, as
    /// their values are.
    pub(super) fn add(&mut self, row: &mut Statement) {
        // A table has at most 1,600 columns.
        self.bytes.extend_from_slice(&i16::try_from(row.values.len()).unwrap_or(END).to_be_bytes());
        for value in row.values.drain(..) {
            match value {
                Value::Text(Some(text)) => self.field(text.as_bytes()),
                Value::Number(Some(number)) => self.field(&number.to_be_bytes()),
                Value::Bytes(bytes) => self.field(&bytes),
                Value::Text(None) | Value::Number(None) => {
                    self.bytes.extend_from_slice(&NULL.to_be_bytes());
                }
            }
        }
    }

    fn field(&mut self, field: &[u8]) {
        // The server refuses a field of more than 1 GiB, whatever length is said here.
        let length = i32::try_from(field.len()).unwrap_or(i32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(field);
    }

    /// Returns the rows with their end.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&END.to_be_bytes());
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_as_the_server_documents_them() {
        let mut rows = CopyRows::with_capacity(2);
        let mut row = Statement::from("").bind("é").bind(None::<String>).bind(-2_i64);
        rows.add(&mut row);
        assert!(row.values.is_empty());
        rows.add(&mut row.bind(None::<i64>).bind(vec![0_u8, 255]));
        let mut expected = b"PGCOPY\n\xff\r\n\0".to_vec();
        expected.extend([0; 8]);
        expected.extend([0, 3, 0, 0, 0, 2, 0xc3, 0xa9, 255, 255, 255, 255]);
        expected.extend([0, 0, 0, 8, 255, 255, 255, 255, 255, 255, 255, 254]);
        expected.extend([0, 2, 255, 255, 255, 255, 0, 0, 0, 2, 0, 255]);
        expected.extend([255, 255]);
        assert_eq!(rows.finish(), expected);
    }
}
