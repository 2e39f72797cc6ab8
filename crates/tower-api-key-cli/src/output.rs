//! Prints tables for people and JSON for scripts.

use std::io::{self, Write};
use std::sync::Arc;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Value, json};
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::decision::{Explanation, Outcome};
use tower_api_key::key::{Account, Audience, Environment, KeyKind, PepperName, PlanName};
use tower_api_key::store::{BrokenRow, KeyEntry};

use crate::escape;
use crate::failure::Failure;
use crate::moment;

/// Prints results on standard output and messages on standard error.
pub(crate) struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    pub(crate) const fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    pub(crate) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints a message on standard error, unless `--quiet` is set.
    pub(crate) fn say(&self, words: &str) {
        if !self.quiet {
            complain(words);
        }
    }

    /// Prints a new key with its secret; with `--quiet` the secret alone.
    pub(crate) fn issued(&self, entry: &KeyEntry, secret: &str) -> Result<(), Failure> {
        self.print_issued(entry, secret).map_err(|failure| Failure::SecretLost {
            id: entry.record.id().to_string(),
            source: Box::new(failure),
        })
    }

    fn print_issued(&self, entry: &KeyEntry, secret: &str) -> Result<(), Failure> {
        if self.json {
            let mut value = key_json(entry);
            if let Value::Object(fields) = &mut value {
                fields.insert("secret".to_owned(), secret.into());
            }
            return print(&escape::json(&value));
        }
        self.say(&format!("{} is issued. Its secret is shown only this once:", entry.record.id()));
        print(secret)
    }

    /// Prints a key that was changed; with `--quiet` nothing, except as JSON.
    pub(crate) fn changed(&self, entry: &KeyEntry) -> Result<(), Failure> {
        if self.quiet && !self.json { Ok(()) } else { self.key(entry) }
    }

    pub(crate) fn key(&self, entry: &KeyEntry) -> Result<(), Failure> {
        self.one(&key_json(entry))
    }

    /// Prints one object, with one name and value per line in a table.
    pub(crate) fn one(&self, value: &Value) -> Result<(), Failure> {
        if self.json { print(&escape::json(value)) } else { Self::fields(value) }
    }

    /// Prints one name and value per line.
    fn fields(value: &Value) -> Result<(), Failure> {
        let mut table = table(&[]);
        for (name, value) in value.as_object().into_iter().flatten() {
            table.add_row([name.clone(), cell(value)]);
        }
        print(&table.to_string())
    }

    pub(crate) fn keys(&self, entries: &[KeyEntry]) -> Result<(), Failure> {
        let columns = [
            "id",
            "account",
            "owner",
            "name",
            "kind",
            "environment",
            "state",
            "created",
            "expires",
            "last_used",
        ];
        self.rows(columns, entries.iter().map(key_json))
    }

    /// Prints the key that a secret belongs to; with `--quiet` its id alone.
    pub(crate) fn found(&self, found: &Value) -> Result<(), Failure> {
        if self.json {
            return print(&escape::json(found));
        }
        if self.quiet {
            return match found.get("id") {
                Some(Value::String(id)) => print(&escape::one_line(id)),
                _ => Ok(()),
            };
        }
        Self::fields(found)
    }

    pub(crate) fn accounts(&self, accounts: &[Arc<Account>]) -> Result<(), Failure> {
        let columns = ["id", "disabled", "scopes", "plan", "quotas"];
        self.rows(columns, accounts.iter().map(|account| account_json(account)))
    }

    /// Names rows that cannot be read, on standard error. A list skips them.
    #[allow(clippy::unused_self)] // A method like the other prints.
    pub(crate) fn broken(&self, what: &str, rows: &[BrokenRow]) {
        for BrokenRow { id, problem, .. } in rows {
            complain(&format!("the {what} {id} is broken, so gates refuse it: {problem}"));
        }
    }

    /// Prints whole objects as JSON, or the fields of these columns as a table.
    pub(crate) fn rows<const N: usize>(
        &self,
        columns: [&str; N],
        values: impl Iterator<Item = Value>,
    ) -> Result<(), Failure> {
        if self.json {
            return print(&escape::json(&values.collect()));
        }
        let mut table = table(&columns);
        for value in values {
            table.add_row(columns.map(|column| value.get(column).map_or_else(String::new, cell)));
        }
        print(&table.to_string())
    }

    /// Prints every check; with `--quiet` only the last line, which has the decision.
    pub(crate) fn explanation(&self, explanation: &Explanation) -> Result<(), Failure> {
        if !self.json {
            let text = explanation.to_string();
            let verdict = text.lines().next_back().unwrap_or_default();
            return print(if self.quiet { verdict } else { &text });
        }
        let checks = explanation.checks().iter().map(|(check, outcome)| {
            let (outcome, denial) = match outcome {
                Outcome::Passed => ("passed", None),
                Outcome::Refused(denial) => ("refused", Some(denial.name())),
                Outcome::Depends => ("depends", None),
                _ => ("not reached", None),
            };
            json!({ "check": format!("{check:?}"), "outcome": outcome, "denial": denial })
        });
        let answer = explanation.answer();
        let value = json!({
            "passes": explanation.decision().is_ok(),
            "denial": explanation.decision().err().map(tower_api_key::Denial::name),
            "status": answer.map(|answer| answer.status().as_u16()),
            "checks": checks.collect::<Value>(),
        });
        print(&escape::json(&value))
    }
}

/// Prints lines on standard output, escaped. All output goes through this function.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let text = escape::lines(text);
    writeln!(io::stdout(), "{text}").map_err(Failure::io("cannot write to standard output"))
}

/// Prints a line on standard error, escaped. All messages go through this function.
pub(crate) fn complain(words: &str) {
    // A failure to print has no other place to go; the exit code remains.
    let _ = writeln!(io::stderr(), "{}", escape::one_line(words));
}

fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    if !columns.is_empty() {
        table.set_header(columns.iter().map(|column| column.replace('_', " ").to_uppercase()));
    }
    table
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => escape::one_line(text),
        // An empty list differs from a missing one: no scopes, or the account's scopes.
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let pairs = fields
                .iter()
                .map(|(name, value)| format!("{}={}", escape::one_line(name), cell(value)));
            pairs.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn key_json(entry: &KeyEntry) -> Value {
    let KeyEntry { record, created, secrets, .. } = entry;
    let when = |moment: Option<Timestamp>| moment.map(moment::text);
    let secrets = secrets.iter().map(|secret| {
        json!({
            // Enough to tell secrets apart, too little to search for one.
            "digest_begins": secret.digest.to_hex().get(..8),
            "created": moment::text(secret.created),
            "expires": when(secret.expires),
            "last_used": when(secret.last_used),
            "pepper": secret.pepper.as_ref().map(PepperName::as_str),
            "tail": secret.tail.map(|tail| tail.to_string()),
        })
    });
    let networks = record
        .networks()
        .map(|networks| networks.iter().map(ToString::to_string).collect::<Vec<_>>());
    let quotas = record.own_quotas();
    json!({
        "id": record.id().as_str(),
        "account": record.account().id().as_str(),
        "owner": record.owner(),
        "name": record.name(),
        "description": record.description(),
        "kind": record.kind().map(KeyKind::as_str),
        "environment": record.environment().map(Environment::as_str),
        "audience": record.audience().map(Audience::as_str),
        "form": record.form().map(ToString::to_string),
        "state": entry.state(SystemClock.now()).name(),
        "scopes": record.own_scopes().map(|scopes| scopes.iter().collect::<Vec<_>>()),
        "networks": networks,
        "quotas": quotas.map(|quotas| quotas.as_slice().iter().map(ToString::to_string).collect::<Vec<_>>()),
        "not_before": when(record.not_before()),
        "expires": when(record.expires()),
        "created": moment::text(*created),
        "last_used": when(entry.last_used()),
        "last_network": entry.last_network.map(|network| network.to_string()),
        "metadata": record.all_metadata().collect::<std::collections::BTreeMap<_, _>>(),
        "secrets": secrets.collect::<Value>(),
    })
}

fn account_json(account: &Account) -> Value {
    let quotas = account.quotas();
    json!({
        "id": account.id().as_str(),
        "disabled": account.is_disabled(),
        "scopes": account.scopes().iter().collect::<Vec<_>>(),
        "plan": account.plan().map(PlanName::as_str),
        "quotas": quotas.map(|quotas| quotas.as_slice().iter().map(ToString::to_string).collect::<Vec<_>>()),
    })
}
