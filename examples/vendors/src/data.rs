//! The data of the demo's accounts. A key reaches only the rows of its own account.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::{Map, Value};
use tokio::sync::watch;
use tower_api_key::Grant;
use tower_api_key::key::AccountId;

/// The attributes of a row.
pub(crate) type Attributes = Map<String, Value>;

/// One table for each account. Clones share the tables.
#[derive(Clone)]
pub(crate) struct Tables {
    sample: fn(&str) -> Table,
    accounts: Arc<Mutex<HashMap<AccountId, Table>>>,
    changes: watch::Sender<()>,
}

impl Tables {
    /// Returns tables that start with a sample for each account.
    pub(crate) fn new(sample: fn(&str) -> Table) -> Self {
        Self { sample, accounts: Arc::default(), changes: watch::Sender::default() }
    }

    /// Adds a row to the table of the caller's account, and wakes those who [watch](Self::watch).
    pub(crate) fn add(&self, grant: &Grant, row: Attributes) -> String {
        let id = self.of(grant, |table| table.add(row));
        self.changes.send_replace(());
        id
    }

    /// Returns a receiver that wakes when a row is added to any table.
    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Calls `access` with the table of the caller's account. No other method returns a table.
    pub(crate) fn of<T>(&self, grant: &Grant, access: impl FnOnce(&mut Table) -> T) -> T {
        let mut tables = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let account = grant.account();
        let table =
            tables.entry(account.clone()).or_insert_with(|| (self.sample)(account.as_str()));
        access(table)
    }
}

/// The rows of one account by their ids.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    prefix: String,
    issued: u64,
    rows: BTreeMap<String, Attributes>,
}

impl Table {
    /// Returns a table with these rows, whose new ids begin with a prefix.
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

    /// Returns a copy of all rows with their ids.
    pub(crate) fn rows(&self) -> BTreeMap<String, Attributes> {
        self.rows.clone()
    }

    /// Lists the rows. `shape` makes an item from id and attributes.
    pub(crate) fn list(&self, shape: impl Fn(&str, &Attributes) -> Value) -> Value {
        self.rows.iter().map(|(id, row)| shape(id, row)).collect()
    }
}

/// Reads a JSON object. Empty content is an empty object.
pub(crate) fn object(content: &Bytes) -> Option<Attributes> {
    if content.is_empty() {
        return Some(Attributes::new());
    }
    serde_json::from_slice(content).ok()
}
