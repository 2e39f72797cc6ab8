//! Shows how many requests keys made, and prunes old counts.

use clap::{Args, Subcommand};
use serde_json::json;
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::decision::RequestDecision;
use tower_api_key::usage::{
    KeyUsage, TopKeysQuery, UsageCount, UsageGroup, UsageQuery, UsageReader,
};
use tower_api_key_sqlx::{SqlStore, UsageRetention};

use crate::at_least_one::at_least_one;
use crate::failure::Failure;
use crate::help;
use crate::moment::{self, Moment, Span};
use crate::output::{Output, print};

/// The requests to count.
#[derive(Debug, Args)]
pub(crate) struct Usage {
    #[command(subcommand)]
    command: Option<UsageCommand>,
    /// Count requests of this account only
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Count requests of the key with this id only
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    /// Count requests of this route pattern only, such as /v1/users/{id}
    #[arg(long, value_name = "PATTERN")]
    route: Option<String>,
    /// Count requests with this decision only
    #[arg(long, value_name = "admitted|anonymous|preflight|refused|unjudged")]
    decision: Option<RequestDecision>,
    /// Count from the hour of this time on
    #[arg(long, default_value = "30 days ago", value_name = "TIME")]
    since: Moment,
    /// Count up to the hour of this time
    #[arg(long, default_value = "in 0s", value_name = "TIME")]
    until: Moment,
    /// Count apart by these, separated by commas; without it the answer is one total
    #[arg(long, value_delimiter = ',', value_name = "hour|day|route|decision")]
    group_by: Vec<UsageGroup>,
    /// Print at most this many rows
    #[arg(long, default_value_t = 10_000, value_parser = at_least_one)]
    limit: usize,
    /// Print comma-separated values
    #[arg(long)]
    csv: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsageCommand {
    /// Show the keys with the most requests, the busiest first
    #[command(after_help = help::USAGE_KEYS)]
    Keys {
        /// Show keys of this account only
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Count from the month of this time on, in UTC [default: this month]
        #[arg(long, value_name = "TIME")]
        since: Option<Moment>,
        /// Count the months that begin before this time
        #[arg(long, default_value = "in 0s", value_name = "TIME")]
        until: Moment,
        /// Print at most this many keys
        #[arg(long, default_value_t = 100, value_parser = at_least_one)]
        limit: usize,
        /// Print comma-separated values
        #[arg(long)]
        csv: bool,
    },
    /// Roll old hours up to days, and delete old days, old sums by month and old last uses with their networks
    #[command(after_help = help::USAGE_PRUNE)]
    Prune {
        /// Keep hours for this long; older ones become days
        #[arg(long, default_value = "35 days", value_name = "DURATION")]
        hours: Span,
        /// Keep days for this long
        #[arg(long, default_value = "400 days", value_name = "DURATION")]
        days: Span,
    },
}

/// Runs the command.
pub(crate) async fn run(store: &SqlStore, usage: Usage, output: &Output) -> Result<(), Failure> {
    let now = SystemClock.now();
    match usage.command {
        Some(UsageCommand::Prune { hours: Span(hours), days: Span(days) }) => {
            let retention = UsageRetention::default().hours(hours).days(days);
            let deleted = store.prune_usage(retention).await?;
            output.say(&format!("rows of usage moved or deleted: {deleted}"));
            return Ok(());
        }
        Some(UsageCommand::Keys { account, since, until: Moment(until), limit, csv }) => {
            let month = || TopKeysQuery::month_of(now).since.start();
            let since = since.map_or_else(month, |Moment(since)| since);
            check_times(since < until)?;
            let mut query = TopKeysQuery::months(since, until).limit(limit);
            query.account = account;
            return print_keys(&store.top_keys(&query).await?, csv, output);
        }
        None => {}
    }
    let (Moment(since), Moment(until)) = (usage.since, usage.until);
    check_times(since < until)?;
    let mut query = UsageQuery::between(since, until).by(usage.group_by);
    // One more shows that rows are missing.
    query.limit = usage.limit.saturating_add(1);
    query.account = usage.account;
    query.key = usage.key;
    query.route = usage.route;
    query.decision = usage.decision;
    let mut counts = store.usage(&query).await?;
    let is_cut = counts.len() > usage.limit;
    counts.truncate(usage.limit);
    print_counts(&counts, usage.csv, output)?;
    if is_cut {
        output.say("there are more rows: raise `--limit`, or shorten the time");
    }
    Ok(())
}

fn check_times(is_fine: bool) -> Result<(), Failure> {
    let text = "`--since` must be before `--until`";
    if is_fine { Ok(()) } else { Err(Failure::Invalid(text.to_owned())) }
}

fn print_counts(counts: &[UsageCount], csv: bool, output: &Output) -> Result<(), Failure> {
    if csv {
        return print(UsageCount::csv(counts).trim_end());
    }
    let value = |count: &UsageCount| {
        json!({
            "start": count.start.map(moment::text),
            "route": count.route,
            "decision": count.decision.map(RequestDecision::name),
            "requests": count.requests,
        })
    };
    output.rows(["start", "route", "decision", "requests"], counts.iter().map(value))
}

fn print_keys(keys: &[KeyUsage], csv: bool, output: &Output) -> Result<(), Failure> {
    if csv {
        return print(KeyUsage::csv(keys).trim_end());
    }
    let value = |key: &KeyUsage| {
        json!({
            "key": key.key,
            "account": key.account,
            "requests": key.requests(),
            "admitted": key.admitted,
            "refused": key.refused,
        })
    };
    output.rows(["key", "account", "requests", "admitted", "refused"], keys.iter().map(value))
}
