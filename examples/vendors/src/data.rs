//! What the demo's accounts have: rows that only the account of the caller's key can reach.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::{Map, Value};
use tower_api_key::Grant;
use tower_api_key::key::AccountId;

/// The attributes of a row.
pub(crate) type Attributes = Map<String, Value>;

/// Keeps one table for each account. Clones share them.
#[derive(Clone)]
pub(crate) struct Tables {
    sample: fn(&str) -> Table,
    tables: Arc<Mutex<HashMap<AccountId, Table>>>,
}

impl Tables {
    /// Starts every account with a sample of its own.
    pub(crate) fn new(sample: fn(&str) -> Table) -> Self {
        Self { sample, tables: Arc::default() }
    }

    /// Gives access to the table of the caller's account, and there is no other way to one.
    pub(crate) fn of<T>(&self, grant: &Grant, access: impl FnOnce(&mut Table) -> T) -> T {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let account = grant.account();
        let table =
            tables.entry(account.clone()).or_insert_with(|| (self.sample)(account.as_str()));
        access(table)
    }
}

/// Rows of one account by their id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    prefix: String,
    issued: u64,
    rows: BTreeMap<String, Attributes>,
}

impl Table {
    /// Starts a table whose new ids begin with this text.
    pub(crate) fn new(prefix: impl Into<String>, rows: impl IntoIterator<Item = Value>) -> Self {
        let mut table = Self { prefix: prefix.into(), ..Self::default() };
        for row in rows {
            if let Value::Object(row) = row {
                table.add(row);
            }
        }
        table
    }

    /// Adds a row under a new id.
    pub(crate) fn add(&mut self, row: Attributes) -> String {
        loop {
            self.issued += 1;
            let id = format!("{}{}", self.prefix, self.issued);
            if !self.rows.contains_key(&id) {
                self.rows.insert(id.clone(), row);
                return id;
            }
        }
    }

    /// Adds or replaces a row.
    pub(crate) fn put(&mut self, id: String, row: Attributes) {
        self.rows.insert(id, row);
    }

    pub(crate) fn get(&self, id: &str) -> Option<Attributes> {
        self.rows.get(id).cloned()
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.rows.remove(id);
    }

    /// Lists the rows, each as `shape` makes it of id and attributes.
    pub(crate) fn list(&self, shape: impl Fn(&str, &Attributes) -> Value) -> Value {
        self.rows.iter().map(|(id, row)| shape(id, row)).collect()
    }
}

/// Reads a JSON object; no content at all is an empty one.
pub(crate) fn object(content: &Bytes) -> Option<Attributes> {
    if content.is_empty() {
        return Some(Attributes::new());
    }
    serde_json::from_slice(content).ok()
}
