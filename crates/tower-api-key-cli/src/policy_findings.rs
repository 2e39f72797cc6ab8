//! What a check of policies finds.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::KeyKind;
use tower_api_key::policy::{KeyPolicy, Policies, PolicyAction, PolicySubject, PolicyViolation};
use tower_api_key::store::KeyEntry;
use tower_api_key::usage::csv_line;

use crate::moment;

/// A key that breaks a rule or is due for a sweep, or an account with too many keys.
pub(crate) struct Finding {
    key: Option<String>,
    account: String,
    kind: Option<String>,
    breaks: Vec<String>,
    sweep: Vec<String>,
}

impl Finding {
    pub(crate) const COLUMNS: [&str; 5] = ["key", "account", "kind", "breaks", "sweep"];

    pub(crate) fn json(&self) -> Value {
        json!({
            "key": self.key,
            "account": self.account,
            "kind": self.kind,
            "breaks": self.breaks,
            "sweep": self.sweep,
        })
    }

    pub(crate) fn csv(findings: &[Self]) -> String {
        let mut lines = csv_line(Self::COLUMNS);
        for finding in findings {
            let (breaks, sweep) = (finding.breaks.join("; "), finding.sweep.join("; "));
            let (key, kind) = (finding.key.as_deref(), finding.kind.as_deref());
            lines += &csv_line([
                key.unwrap_or_default(),
                &finding.account,
                kind.unwrap_or_default(),
                &breaks,
                &sweep,
            ]);
        }
        lines
    }
}

/// The findings so far.
pub(crate) struct Findings {
    limit: usize,
    /// The first findings.
    pub(crate) kept: Vec<Finding>,
    pub(crate) all: usize,
    /// Whether a use of a key was recorded.
    pub(crate) has_uses: bool,
    /// How many keys of an account a bounded policy covers.
    counts: BTreeMap<(PolicySubject, String), u32>,
    summary: Summary,
}

/// The numbers of a check.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Summary {
    keys: usize,
    breaking: usize,
    crowded: usize,
    pub(crate) switched_off: usize,
    expiring: usize,
    reminded: usize,
}

impl Findings {
    pub(crate) const fn new(limit: usize) -> Self {
        let summary =
            Summary { keys: 0, breaking: 0, crowded: 0, switched_off: 0, expiring: 0, reminded: 0 };
        let counts = BTreeMap::new();
        Self { limit, kept: Vec::new(), all: 0, has_uses: false, counts, summary }
    }

    /// Adds what was found of a key. Keys that are revoked or expired break no rule.
    pub(crate) fn add(
        &mut self,
        policies: &Policies,
        entry: &KeyEntry,
        actions: Vec<PolicyAction>,
        now: Timestamp,
    ) {
        let record = &entry.record;
        self.summary.keys += 1;
        self.has_uses |= entry.last_used().is_some();
        if !Policies::counts(record, now) {
            return;
        }
        for policy in policies.covering(record).filter(|policy| policy.most_keys().is_some()) {
            let place = (policy.subject().clone(), record.account().id().to_string());
            *self.counts.entry(place).or_default() += 1;
        }
        let breaks: Vec<_> = policies
            .violations(record, entry.newest_secret())
            .map(|broken| told(&broken))
            .collect();
        if breaks.is_empty() && actions.is_empty() {
            return;
        }
        self.summary.breaking += usize::from(!breaks.is_empty());
        let sweep = actions.into_iter().map(|action| self.due(action)).collect();
        self.keep(Finding {
            key: Some(record.id().to_string()),
            account: record.account().id().to_string(),
            kind: record.kind().map(|kind| KeyKind::as_str(kind).to_owned()),
            breaks,
            sweep,
        });
    }

    /// Adds the accounts with too many keys, and returns the numbers of all findings.
    pub(crate) fn end(&mut self, policies: &Policies) -> Summary {
        for ((subject, account), count) in std::mem::take(&mut self.counts) {
            let most = policies.find(&subject).and_then(KeyPolicy::most_keys);
            if let Some(most) = most.filter(|most| count > *most) {
                self.summary.crowded += 1;
                let breaks = vec![format!("{count} keys of at most {most} ({subject})")];
                self.keep(Finding { key: None, account, kind: None, breaks, sweep: Vec::new() });
            }
        }
        self.summary
    }

    fn keep(&mut self, finding: Finding) {
        self.all += 1;
        if self.kept.len() < self.limit {
            self.kept.push(finding);
        }
    }

    /// Counts what a sweep would do, and returns it in words.
    fn due(&mut self, action: PolicyAction) -> String {
        match action {
            PolicyAction::SwitchOff { unused_since } => {
                self.summary.switched_off += 1;
                format!("switch off: unused since {}", moment::text(unused_since))
            }
            PolicyAction::Expire { at } => {
                self.summary.expiring += 1;
                format!("expire at {}", moment::text(at))
            }
            PolicyAction::RemindOfRotation { made } => {
                self.summary.reminded += 1;
                format!("remind of rotation: secret of {}", moment::text(made))
            }
            _ => "another action, which this version cannot name".to_owned(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { keys, breaking, crowded, switched_off, expiring, reminded } = self;
        write!(
            formatter,
            "keys checked: {keys}; keys that break a rule: {breaking}; accounts with too many keys: {crowded}; \
             a sweep would switch off {switched_off}, expire {expiring} and remind of {reminded}"
        )
    }
}

/// Returns a broken rule in few words, with the subject of its policy.
fn told(violation: &PolicyViolation) -> String {
    let subject = violation.subject();
    match violation {
        PolicyViolation::ExpiryRequired { .. } => format!("no expiry ({subject})"),
        PolicyViolation::LivesTooLong { latest, .. } => {
            format!("expires after {} ({subject})", moment::text(*latest))
        }
        PolicyViolation::ScopesRequired { .. } => format!("inherits scopes ({subject})"),
        PolicyViolation::Scope { scope, .. } => format!("scope {scope} ({subject})"),
        other => other.to_string(),
    }
}
