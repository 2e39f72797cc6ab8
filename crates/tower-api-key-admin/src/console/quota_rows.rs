//! The quotas of an account in its form: one row for each.

use std::time::Duration;

use tower_api_key::key::{Account, KeyHasher};
use tower_api_key::quota::{Quota, Quotas};

use super::fields::Fields;
use super::text;
use crate::management::{ManagementError, QuotaDraft};

/// The empty rows of a form, for quotas to add.
const ROOM: usize = 2;

/// The algorithms, each with its name for people.
const ALGORITHMS: [(&str, &str); 5] = [
    ("fixed_window", "Fixed window"),
    ("leaky_bucket", "Leaky bucket"),
    ("sliding_window", "Sliding window"),
    ("calendar_day", "Each day (UTC)"),
    ("calendar_month", "Each month (UTC)"),
];

const WINDOW: &str = "write its window in seconds, or as a time such as 1 minute";

/// The quotas of an account as its form has them.
#[derive(Clone, Default, PartialEq)]
pub(super) struct QuotaRows {
    /// Whether the account has quotas of its own.
    pub(super) are_own: bool,
    pub(super) rows: Vec<QuotaRow>,
    /// The rows as the page first showed them, so that rows which somebody has written are never left out in silence.
    pub(super) shown: String,
}

/// A quota as texts.
#[derive(Clone, PartialEq)]
pub(super) struct QuotaRow {
    pub(super) name: String,
    pub(super) limit: String,
    pub(super) window: String,
    pub(super) algorithm: String,
    pub(super) per: String,
    pub(super) shadow: bool,
    pub(super) on_failure: String,
}

impl QuotaRows {
    /// Returns the rows of a stored account.
    pub(super) fn of(account: &Account) -> Self {
        let own = account.quotas();
        let rows = own.map(|own| own.as_slice().iter().map(QuotaRow::of).collect());
        let rows: Vec<_> = rows.unwrap_or_default();
        let shown = fingerprint(&rows);
        Self { are_own: own.is_some(), rows, shown }
    }

    /// Fills the rows of an account without quotas of its own with those of its plan, so that one of them can be changed
    /// without writing the others again. They stay the plan's until somebody chooses that the account has its own.
    pub(super) fn with_plan(self, plan: Option<&Quotas>) -> Self {
        let rows: Vec<_> = match plan {
            Some(plan) if !self.are_own => plan.as_slice().iter().map(QuotaRow::of).collect(),
            _ => return self,
        };
        Self { shown: fingerprint(&rows), rows, ..self }
    }

    /// Returns the rows that were sent, without empty ones.
    pub(super) fn sent(fields: &Fields) -> Self {
        let all = |name| fields.all(name).collect::<Vec<_>>();
        let [names, limits, windows] = ["quota_name", "quota_limit", "quota_window"].map(all);
        let [algorithms, pers, modes] = ["quota_algorithm", "quota_per", "quota_mode"].map(all);
        let failures = all("quota_failure");
        let at = |values: &[&str], row: usize| (*values.get(row).unwrap_or(&"")).to_owned();
        let row = |row| QuotaRow {
            name: at(&names, row),
            limit: at(&limits, row),
            window: at(&windows, row),
            algorithm: at(&algorithms, row),
            per: at(&pers, row),
            shadow: at(&modes, row) == "shadow",
            on_failure: at(&failures, row),
        };
        let rows = (0..names.len()).map(row).filter(|row| !row.is_empty()).collect();
        let shown = fields.text("quotas_shown").to_owned();
        Self { are_own: fields.text("quotas_from") == "account", rows, shown }
    }

    /// Returns the quotas of the account's own; `None` for those of its plan. Refuses rows that were written beside the
    /// choice of the plan. Rows that are as the page showed them are given up by that choice.
    pub(super) fn chosen(&self) -> Result<Option<Vec<Quota>>, ManagementError> {
        if !self.are_own && !self.rows.is_empty() && self.shown != fingerprint(&self.rows) {
            let problem =
                "they are written beside “Those of the plan”: choose “Only these”, or clear them";
            return Err(ManagementError::invalid("quotas", problem));
        }
        self.quotas()
    }

    fn quotas(&self) -> Result<Option<Vec<Quota>>, ManagementError> {
        let rows = self.rows.iter().enumerate();
        let quotas = rows.map(|(index, row)| row.quota(index + 1)).collect::<Result<_, _>>()?;
        Ok(self.are_own.then_some(quotas))
    }

    /// Adds empty rows, as a form shows them.
    pub(super) fn with_room(mut self) -> Self {
        self.rows.extend((0..ROOM).map(|_| QuotaRow::empty()));
        self
    }

    /// Describes the quotas in one line.
    pub(super) fn text(&self) -> String {
        match self.quotas() {
            Ok(None) => "those of its plan".to_owned(),
            Ok(Some(quotas)) if quotas.is_empty() => "none".to_owned(),
            Ok(Some(quotas)) => text::joined(quotas),
            Err(_) => "not valid".to_owned(),
        }
    }
}

impl QuotaRow {
    fn of(quota: &Quota) -> Self {
        let draft = QuotaDraft::of(quota);
        Self {
            name: draft.name,
            limit: draft.limit.to_string(),
            window: draft.window_seconds.map(text::window_text).unwrap_or_default(),
            algorithm: draft.algorithm.unwrap_or_default(),
            per: draft.per.unwrap_or_default(),
            shadow: draft.shadow,
            on_failure: draft.on_limiter_failure.unwrap_or_default(),
        }
    }

    /// Returns a row without a name and numbers, and with the choices that a quota has unless set.
    fn empty() -> Self {
        let (name, limit, window) = (String::new(), String::new(), String::new());
        Self { name, limit, window, ..Self::of(&Quota::named("quota", 1, Duration::from_secs(60))) }
    }

    const fn is_empty(&self) -> bool {
        self.name.is_empty() && self.limit.is_empty() && self.window.is_empty()
    }

    fn quota(&self, place: usize) -> Result<Quota, ManagementError> {
        let invalid = |what: &str| {
            ManagementError::invalid("quotas", format!("quota {place} of the list: {what}"))
        };
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let limit = self.limit.parse().map_err(|_| invalid("write a whole number as its limit"))?;
        let window_seconds = some(&self.window)
            .map(|text| text::read_window(&text).ok_or_else(|| invalid(WINDOW)))
            .transpose()?;
        let draft = QuotaDraft {
            name: self.name.clone(),
            limit,
            window_seconds,
            algorithm: some(&self.algorithm),
            per: some(&self.per),
            shadow: self.shadow,
            on_limiter_failure: some(&self.on_failure),
        };
        draft.quota()
    }

    /// Lists the algorithms: the name, the name for people, and whether it is the one of this row.
    pub(super) fn algorithms(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        let own = self.algorithm.clone();
        ALGORITHMS.into_iter().map(move |(name, text)| (name, text, name == own))
    }

    pub(super) fn is_per_key(&self) -> bool {
        self.per == "key"
    }
}

/// Returns a digest of rows.
fn fingerprint(rows: &[QuotaRow]) -> String {
    let text = rows.iter().fold(String::new(), |text, row| {
        let mode = if row.shadow { "shadow" } else { "enforced" };
        let QuotaRow { name, limit, window, algorithm, per, on_failure, .. } = row;
        let values = [name, limit, window, algorithm, per, mode, on_failure];
        values.iter().fold(text, |text, value| text + &format!("{} {value}\n", value.len()))
    });
    KeyHasher::sha256().digest(text.as_bytes()).to_hex()
}

#[cfg(test)]
mod tests {
    use tower_api_key::quota::{Algorithm, OnLimiterFailure, Per};

    use super::*;

    fn fields(rows: &QuotaRows) -> Fields {
        let from = if rows.are_own { "account" } else { "plan" };
        let mut fields = vec![
            ("quotas_from".to_owned(), from.to_owned()),
            ("quotas_shown".to_owned(), rows.shown.clone()),
        ];
        for row in rows.rows.clone() {
            let mode = if row.shadow { "shadow" } else { "enforced" }.to_owned();
            for (name, value) in [
                ("quota_name", row.name),
                ("quota_limit", row.limit),
                ("quota_window", row.window),
                ("quota_algorithm", row.algorithm),
                ("quota_per", row.per),
                ("quota_mode", mode),
                ("quota_failure", row.on_failure),
            ] {
                fields.push((name.to_owned(), value));
            }
        }
        Fields(fields)
    }

    #[test]
    fn quotas_come_back_as_they_were_shown() {
        let all = [
            Quota::named("second", 5, Duration::from_millis(1_500)),
            Quota::by_day("day", 10).with_per(Per::Key).in_shadow(),
            Quota::by_month("month", u32::MAX).with_failure_choice(OnLimiterFailure::Deny),
            Quota::named("bucket", 7, Duration::from_secs(60))
                .with_algorithm(Algorithm::LeakyBucket),
        ];
        for own in [None, Some(&all[..]), Some(&all[..1]), Some(&[])] {
            let account = Account::builder("acme");
            let account = own.map_or(account.clone(), |own| account.quotas(own.iter().cloned()));
            let shown = QuotaRows::of(&account.build().unwrap());
            let sent = QuotaRows::sent(&fields(&shown.clone().with_room()));
            assert!(sent == shown, "empty rows are left out");
            assert_eq!(sent.quotas().unwrap().as_deref(), own);
        }
    }

    #[test]
    fn wrong_rows_are_named_by_their_place() {
        let row = |name: &str, limit: &str, window: &str| {
            let (name, limit, window) = (name.to_owned(), limit.to_owned(), window.to_owned());
            QuotaRow { name, limit, window, ..QuotaRow::empty() }
        };
        for (wrong, problem) in [
            (row("minute", "", "60"), "quota 2 of the list: write a whole number"),
            (row("minute", "-1", "60"), "quota 2 of the list: write a whole number"),
            (row("minute", "1.5", "60"), "quota 2 of the list: write a whole number"),
            (row("minute", "1", "soon"), "quota 2 of the list: write its window"),
            (row("minute", "1", ""), "`window_seconds` is required"),
            (row("minute", "1", "-1"), "must be a positive number"),
            (QuotaRow { per: "ip".into(), ..row("minute", "1", "60") }, "quotas"),
            (QuotaRow { algorithm: "x".into(), ..row("minute", "1", "60") }, "quotas"),
            (QuotaRow { on_failure: "x".into(), ..row("minute", "1", "60") }, "quotas"),
        ] {
            let shown = String::new();
            let rows = vec![row("second", "1", "1"), wrong];
            let rows = QuotaRows { are_own: true, rows, shown };
            let found = rows.quotas().unwrap_err().to_string();
            assert!(found.contains(problem), "{found}");
        }
    }
}
