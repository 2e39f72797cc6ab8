//! Lists the keys that break a rule of a policy, and what a sweep would do with them.

use clap::Args;
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::policy::PolicySubject;
use tower_api_key::store::{KeyFilter, KeyManager, sweep_preview};

use crate::at_least_one::at_least_one;
use crate::failure::Failure;
use crate::output::{Output, complain};
use crate::policy_findings::{Finding, Findings};
use crate::policy_rules::PolicyRules;

/// The keys that are read at a time.
const PAGE: usize = 1_000;

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct PolicyCheck {
    /// Check only the keys that `account:ID` or `kind:NAME` covers. With rules: check as if they were set for this subject
    #[arg(value_name = "SUBJECT")]
    subject: Option<PolicySubject>,
    #[command(flatten)]
    rules: PolicyRules,
    /// Print at most this many keys; all keys are checked and counted
    #[arg(long, default_value_t = 1_000, value_parser = at_least_one)]
    limit: usize,
    /// Print comma-separated values
    #[arg(long)]
    csv: bool,
}

pub(crate) async fn run(
    store: &dyn KeyManager,
    check: PolicyCheck,
    output: &Output,
) -> Result<(), Failure> {
    let mut policies = store.policies().await?;
    if let Some(subject) = check.subject.as_ref().filter(|_| !check.rules.is_empty()) {
        let policy = check.rules.policy(subject.clone());
        policies.save(policy.map_err(|error| Failure::Invalid(error.to_string()))?);
    }
    let filter = filter(check.subject.as_ref());
    let now = SystemClock.now();
    let mut findings = Findings::new(check.limit);
    let mut after: Option<String> = None;
    loop {
        let page = store.page(&filter, after.as_deref(), PAGE).await?;
        output.broken("key", &page.broken);
        for entry in &page.found {
            let actions = sweep_preview(store, &policies, entry, now).await?;
            findings.add(&policies, entry, actions, now);
        }
        match page.found.last() {
            Some(last) if page.found.len() == PAGE => {
                after = Some(last.record.id().to_string());
            }
            _ => break,
        }
    }
    let summary = findings.end(&policies);
    print(&findings.kept, check.csv, output)?;
    output.say(&summary.to_string());
    if findings.all > findings.kept.len() {
        output.say("there are more: raise `--limit`");
    }
    if summary.switched_off > 0 && !findings.has_uses {
        complain(
            "this check sees no recorded use of these keys; it does not look at those that only a `UsageRecorder` saw. A \
             sweep switches no key off until uses were recorded for the whole time of the rule: let the gates record uses",
        );
    }
    Ok(())
}

/// Chooses the keys that a policy for a subject would cover.
fn filter(subject: Option<&PolicySubject>) -> KeyFilter {
    let mut filter = KeyFilter::default();
    match subject {
        Some(PolicySubject::Account(id)) => filter.account = Some(id.to_string()),
        Some(PolicySubject::Kind(name)) => filter.kind = Some(name.to_string()),
        Some(PolicySubject::All | PolicySubject::Unknown(_)) | None => {}
    }
    filter
}

fn print(findings: &[Finding], csv: bool, output: &Output) -> Result<(), Failure> {
    if csv {
        return crate::output::print(Finding::csv(findings).trim_end());
    }
    output.rows(Finding::COLUMNS, findings.iter().map(Finding::json))
}
