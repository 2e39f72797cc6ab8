//! Options that mean nothing to a command: a caller who names one expects what it does not do.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// The commands that change something, and note by whom.
const CHANGING: [&str; 8] = [
    "keys create",
    "keys edit",
    "keys rotate",
    "keys revoke",
    "keys delete",
    "keys import",
    "accounts save",
    "accounts delete",
];
/// The commands that answer with a value.
const ANSWERING: [&str; 10] = [
    "keys create",
    "keys list",
    "keys show",
    "keys edit",
    "keys rotate",
    "accounts list",
    "accounts show",
    "trail",
    "check",
    "whose",
];
/// The commands that print nothing but what was asked for, whether they are to be quiet or not.
const QUIET: [&str; 5] = ["keys list", "keys show", "accounts list", "accounts show", "trail"];
/// What a new key does unless it is told otherwise.
const OF_A_NEW_KEY: [(&str, &str); 6] = [
    ("no_audience", "serves at gates without an audience"),
    ("inherit_scopes", "inherits its account's scopes"),
    ("any_network", "serves from any network"),
    ("inherit_quotas", "is counted by its account's quotas"),
    ("never_expires", "serves for ever"),
    ("enable", "is switched on"),
];
/// The options of all commands.
const GLOBAL: [&str; 6] = ["store", "table_prefix", "table_schema", "by", "json", "quiet"];

/// Refuses options that were given to a command to which they mean nothing, and says why.
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
        let text = format!("`--{option}` means nothing to `{name}`: {reason}");
        Err(command.error(ErrorKind::ArgumentConflict, text))
    };
    let is_one_of = |commands: &[&str]| commands.contains(&name.as_str());
    if given("by") && !is_one_of(&CHANGING) {
        return refuse("by", "it changes nothing, so the trail does not name anybody");
    }
    if given("json") && !is_one_of(&ANSWERING) {
        return refuse(
            "json",
            "it prints nothing but words; its exit code says whether it was done",
        );
    }
    if given("quiet") && is_one_of(&QUIET) {
        return refuse("quiet", "it prints nothing but what was asked for");
    }
    if name == "keys create" {
        for (option, habit) in OF_A_NEW_KEY {
            if given(option) {
                return refuse(option, &format!("a new key {habit} unless told otherwise"));
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
            let text =
                "`keys edit` changes nothing: name what is to be changed, as `--name backup`";
            return Err(command.error(ErrorKind::MissingRequiredArgument, text));
        }
    }
    Ok(())
}

/// Returns the name of the command, and what was given to it.
fn named(matches: &ArgMatches) -> (String, &ArgMatches) {
    let (mut name, mut leaf) = (String::new(), matches);
    while let Some((next, below)) = leaf.subcommand() {
        name = if name.is_empty() { next.to_owned() } else { format!("{name} {next}") };
        leaf = below;
    }
    (name, leaf)
}
