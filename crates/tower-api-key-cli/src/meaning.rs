//! Refuses options that have no effect on a command, because the caller expects one.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// The commands that write to the audit trail.
const CHANGING: [&str; 11] = [
    "keys create",
    "keys edit",
    "keys rotate",
    "keys end-earlier-secrets",
    "keys revoke",
    "keys delete",
    "keys import",
    "accounts save",
    "accounts delete",
    "policies set",
    "policies delete",
];
/// The commands that write a reason to the audit trail.
const REASONED: [&str; 8] = [
    "keys create",
    "keys edit",
    "keys rotate",
    "keys end-earlier-secrets",
    "keys revoke",
    "keys delete",
    "accounts save",
    "accounts delete",
];
/// The commands that print a value.
const ANSWERING: [&str; 23] = [
    "keys create",
    "keys list",
    "keys show",
    "keys edit",
    "keys rotate",
    "keys end-earlier-secrets",
    "accounts list",
    "accounts show",
    "policies list",
    "policies show",
    "policies set",
    "policies check",
    "policies sweep",
    "trail",
    "events",
    "events dead",
    "events waiting",
    "usage",
    "usage keys",
    "check",
    "config check",
    "whose",
    "peppers",
];
/// The commands that print the same with and without `--quiet`.
const QUIET: [&str; 14] = [
    "keys list",
    "keys show",
    "accounts list",
    "accounts show",
    "policies list",
    "policies show",
    "trail",
    "peppers",
    "events",
    "events dead",
    "events waiting",
    "usage keys",
    "config schema",
    "config print",
];
/// The commands that print a file.
const FILES: [&str; 2] = ["config schema", "config print"];
/// The options that name a database.
const DATABASE: [&str; 3] = ["store", "table_prefix", "table_schema"];
/// The options that name a default of new keys, and that default.
const DEFAULTS_OF_A_NEW_KEY: [(&str, &str); 6] = [
    ("no_audience", "has no audience"),
    ("inherit_scopes", "inherits its account's scopes"),
    ("any_network", "is accepted from any network"),
    ("inherit_quotas", "is limited by its account's quotas"),
    ("never_expires", "never expires"),
    ("enable", "is enabled"),
];
/// The options of every command.
const GLOBAL: [&str; 7] =
    ["store", "table_prefix", "table_schema", "by", "reason", "json", "quiet"];

/// Returns an error for an option that has no effect on its command; the error says why.
pub(crate) fn check(command: &mut Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let (name, leaf) = named(matches);
    let given = |option: &str| {
        let given = |matches: &ArgMatches| {
            let known = matches.ids().any(|id| id.as_str() == option);
            known && matches.value_source(option) == Some(ValueSource::CommandLine)
        };
        given(matches) || given(leaf)
    };
    let mut refuse = |option: &str, reason: &str| {
        let option = option.replace('_', "-");
        let text = format!("leave out `--{option}`, which has no effect on `{name}`: {reason}");
        Err(command.error(ErrorKind::ArgumentConflict, text))
    };
    let is_one_of = |commands: &[&str]| commands.contains(&name.as_str());
    if given("by") && !is_one_of(&CHANGING) {
        return refuse("by", "the command changes no key, account or policy by your name");
    }
    if given("reason") && !is_one_of(&REASONED) {
        return refuse("reason", "the command writes no reason to the audit trail");
    }
    if given("json") && given("csv") {
        return refuse("json", "`--csv` chooses another form");
    }
    if given("json") && is_one_of(&FILES) {
        return refuse("json", "the command prints a file in its own format");
    }
    if given("json") && !is_one_of(&ANSWERING) {
        return refuse(
            "json",
            "the command prints no value; its exit code says whether it succeeded",
        );
    }
    if let Some(option) =
        DATABASE.iter().find(|option| name.starts_with("config ") && given(option))
    {
        return refuse(option, "the command opens no database");
    }
    if given("quiet") && is_one_of(&QUIET) {
        return refuse("quiet", "the command prints its result alone anyway");
    }
    if name == "keys create" {
        for (option, habit) in DEFAULTS_OF_A_NEW_KEY {
            if given(option) {
                return refuse(option, &format!("a new key {habit} by default"));
            }
        }
    }
    if name == "keys edit" {
        let named = |id: &&clap::Id| {
            let id = id.as_str();
            id != "id"
                && !GLOBAL.contains(&id)
                && leaf.value_source(id) == Some(ValueSource::CommandLine)
        };
        if leaf.ids().find(named).is_none() {
            let text = "`keys edit` has nothing to change: add at least one setting, such as `--name backup`";
            return Err(command.error(ErrorKind::MissingRequiredArgument, text));
        }
    }
    Ok(())
}

/// Returns the name of the command and its arguments.
fn named(matches: &ArgMatches) -> (String, &ArgMatches) {
    let (mut name, mut leaf) = (String::new(), matches);
    while let Some((next, below)) = leaf.subcommand() {
        name = if name.is_empty() { next.to_owned() } else { format!("{name} {next}") };
        leaf = below;
    }
    (name, leaf)
}
