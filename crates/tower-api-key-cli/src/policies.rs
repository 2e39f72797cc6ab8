//! Runs the commands of `policies`.

use std::convert::Infallible;
use std::iter::repeat;

use clap::Subcommand;
use serde_json::{Map, Value, json};
use tower_api_key::policy::{KeyPolicy, PolicySubject};
use tower_api_key::store::{
    BrokenRow, Command, CommandOptions, KeyManager, ManageError, Page, Precondition, Version,
};
use tower_api_key_sqlx::SqlStore;

use crate::failure::Failure;
use crate::help;
use crate::output::{Output, complain};
use crate::policy_check::{self, PolicyCheck};
use crate::policy_rules::{PolicyRules, rules};
use crate::policy_sweep::SweepOnce;

const SUBJECT: &str = "SUBJECT";

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // The program makes one.
pub(crate) enum PolicyCommand {
    /// List all policies: the one for all keys, then those for accounts and for kinds
    List,
    /// Show the policy for a subject
    Show {
        /// Which keys the policy covers: `all`, `account:ID` or `kind:NAME`
        #[arg(value_name = SUBJECT)]
        subject: PolicySubject,
    },
    /// Set the policy for a subject, in place of the one that it has
    ///
    /// Keys that exist stay as they are until a sweep runs: `policies check` shows what it would do. From now on, every
    /// new key and every changed key must follow the rules.
    #[command(after_help = help::SET_POLICY)]
    Set {
        /// Which keys the policy covers: `all`, `account:ID` or `kind:NAME`
        #[arg(value_name = SUBJECT)]
        subject: PolicySubject,
        #[command(flatten)]
        rules: PolicyRules,
    },
    /// Delete the policy for a subject; keys that a sweep has changed stay so
    Delete {
        /// Which keys the policy covers: `all`, `account:ID` or `kind:NAME`; or the subject of an unreadable policy, as `policies
        /// list` names it
        #[arg(value_name = SUBJECT, value_parser = |text: &str| Ok::<_, Infallible>(PolicySubject::stored(text)))]
        subject: PolicySubject,
    },
    /// List the keys that break a rule today, and what a sweep would do with them; changes nothing
    #[command(after_help = help::CHECK_POLICIES)]
    Check(PolicyCheck),
    /// Sweep once: switch off unused keys, set expiries, and remind of rotations
    ///
    /// Programs that run a `PolicySweep` do so every hour. Without one, run this command once a day.
    #[command(after_help = help::SWEEP_POLICIES)]
    Sweep(SweepOnce),
}

pub(crate) async fn run(
    store: &SqlStore,
    by: &str,
    command: PolicyCommand,
    output: &Output,
) -> Result<(), Failure> {
    let is_json = output.is_json();
    match command {
        PolicyCommand::List => {
            let page = store.page_of_policies().await?;
            for BrokenRow { id, problem, .. } in page.broken {
                let unreadable = ManageError::PolicyUnreadable { subject: id, problem };
                complain(&unreadable.to_string());
            }
            let columns = [
                "subject",
                "require_expiry",
                "longest_life",
                "switch_off_unused",
                "most_keys",
                "scopes",
                "remind_of_rotation",
            ];
            output.rows(columns, page.found.iter().map(|policy| whole(policy, is_json)))
        }
        PolicyCommand::Show { subject } => {
            output.one(&whole(&stored(store, &subject).await?.ok_or(Failure::NoPolicy)?, is_json))
        }
        PolicyCommand::Set { subject, rules } => set(store, by, subject, rules, output).await,
        PolicyCommand::Delete { subject } => {
            let text = format!("the policy for {subject} is deleted");
            let deleted = store.apply(Command::DeletePolicy(subject), CommandOptions::by(by)).await;
            deleted.map_err(|error| match error {
                ManageError::NotFound => Failure::NoPolicy,
                other => other.into(),
            })?;
            output.say(&text);
            Ok(())
        }
        PolicyCommand::Check(check) => policy_check::run(store, check, output).await,
        PolicyCommand::Sweep(sweep) => sweep.run(store, output).await,
    }
}

/// Sets a policy, unless another program changes it meanwhile: what is printed as the policy before is what was replaced.
async fn set(
    store: &dyn KeyManager,
    by: &str,
    subject: PolicySubject,
    given: PolicyRules,
    output: &Output,
) -> Result<(), Failure> {
    let policy =
        given.policy(subject.clone()).map_err(|error| Failure::Invalid(error.to_string()))?;
    let before = stored(store, &subject).await?;
    let precondition = match &before {
        Some(before) => Precondition::Version(Version::of_policy(before)),
        None => Precondition::Absent,
    };
    let options = CommandOptions::by(by).when(precondition);
    store.apply(Command::SavePolicy(policy.clone()), options).await?;
    output.say(&format!("the policy for {subject} is set"));
    let before = before.as_ref();
    if output.is_json() {
        let (before, after) = (before.map(|before| object(before, true)), object(&policy, true));
        return output
            .one(&json!({ "subject": subject.to_string(), "before": before, "after": after }));
    }
    if output.is_quiet() {
        return Ok(());
    }
    let before =
        before.map(|before| rules(before, false)).into_iter().flatten().map(|(_, value)| value);
    let before = before.chain(repeat(Value::Null));
    let changes = rules(&policy, false).into_iter().zip(before);
    let is_set = |(after, before): &((&str, Value), Value)| !after.1.is_null() || !before.is_null();
    let row = |((rule, after), before): ((&str, Value), Value)| json!({ "rule": rule, "before": before, "after": after });
    output.rows(["rule", "before", "after"], changes.filter(is_set).map(row))
}

/// Returns the policy for a subject, whatever other policies are.
async fn stored(
    store: &dyn KeyManager,
    subject: &PolicySubject,
) -> Result<Option<KeyPolicy>, ManageError> {
    let Page { found, broken } = store.page_of_policies().await?;
    let text = subject.to_string();
    if let Some(BrokenRow { id, problem, .. }) = broken.into_iter().find(|row| row.id == text) {
        return Err(ManageError::PolicyUnreadable { subject: id, problem });
    }
    Ok(found.into_iter().find(|policy| policy.subject() == subject))
}

/// Returns the subject and the rules of a policy.
fn whole(policy: &KeyPolicy, is_json: bool) -> Value {
    let mut value = object(policy, is_json);
    value.insert("subject".to_owned(), policy.subject().to_string().into());
    value.into()
}

/// Returns the rules of a policy.
fn object(policy: &KeyPolicy, is_json: bool) -> Map<String, Value> {
    rules(policy, is_json).into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
