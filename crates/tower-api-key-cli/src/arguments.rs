//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::account_commands::Accounts;
use crate::check::Check;
use crate::config::Config;
use crate::events::Events;
use crate::help;
use crate::key_commands::Keys;
use crate::policies::PolicyCommand;
use crate::trail::TrailCommand;
use crate::usage::Usage;

/// The heading of the options that all commands share.
const GLOBAL: &str = "Common options";

/// Manages API keys in SQLite or PostgreSQL.
#[derive(Debug, Parser)]
#[command(name = "tower-api-key", version, after_help = help::PROGRAM)]
pub(crate) struct Arguments {
    /// Database of the keys: sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE. Put a URL with a password
    /// into the environment variable: every user of the machine can read arguments
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        env = "TOWER_API_KEY_STORE",
        hide_env_values = true,
        default_value = "sqlite:keys.db",
        value_name = "URL"
    )]
    pub(crate) store: String,

    #[arg(skip)]
    pub(crate) store_is_default: bool,

    /// Prefix of the table names: 1 to 40 lower-case letters, digits and underscores
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        env = "TOWER_API_KEY_TABLE_PREFIX",
        default_value = "tower_api_key_",
        value_name = "PREFIX"
    )]
    pub(crate) table_prefix: String,

    /// PostgreSQL schema of the tables; created if missing. Without it, the schema in which the connection's
    /// search_path finds the tables, or else the first of the search_path
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        env = "TOWER_API_KEY_TABLE_SCHEMA",
        value_name = "SCHEMA"
    )]
    pub(crate) table_schema: Option<String>,

    /// Author of the change in the audit trail; for commands that change keys, accounts or policies
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        env = "USER",
        default_value = "command line",
        value_name = "NAME"
    )]
    pub(crate) by: String,

    /// Reason of the change in the audit trail, not a secret; for commands that change keys or accounts
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "TEXT")]
    pub(crate) reason: Option<String>,

    /// Print JSON instead of tables
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,

    /// Print the result alone: the secret (`keys create`, `keys rotate`), the decision (`check`) or the key's
    /// id (`whose`)
    #[arg(long, short, global = true, help_heading = GLOBAL)]
    pub(crate) quiet: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // The program makes one.
pub(crate) enum Command {
    /// Create, list, edit, rotate, revoke, delete and import keys
    #[command(subcommand)]
    Keys(Keys),
    /// List, show, save and delete accounts
    #[command(subcommand)]
    Accounts(Accounts),
    /// List, show, set and delete policies: rules for the keys of all accounts, one account or one kind; check keys
    #[command(subcommand)]
    Policies(PolicyCommand),
    /// Show the audit trail: who changed what and when, the oldest change first
    #[command(after_help = help::TRAIL)]
    Trail(TrailCommand),
    /// Show events of keys: created, rotated, expiring, near their limit and more; the oldest first
    #[command(after_help = help::EVENTS)]
    Events(Events),
    /// Explain whether a request with a key would be admitted, and which check decides
    ///
    /// The command reads the key from TOWER_API_KEY_KEY or, without it, from standard input. The key is never
    /// an argument, because every user of the machine can read arguments. Limits are neither checked nor
    /// charged.
    #[command(after_help = help::CHECK)]
    Check(Check),
    /// Find the key that a leaked secret belongs to: its id, account and state
    ///
    /// The command reads the secret from TOWER_API_KEY_KEY or, without it, from standard input. The secret may
    /// stand alone or in the text in which it leaked: `Authorization: Bearer …`, `USER:KEY`, a line of a log
    /// or a settings file. The text may have 4096 bytes. The secret is never printed.
    ///
    /// If the text holds several keys, the first one found is printed. A revoked, disabled or expired key is
    /// found, too (exit code 0). If no key has the secret, the state is `unknown` (exit code 3).
    #[command(after_help = help::WHOSE)]
    Whose {
        /// Search also for digests made with the pepper in this file; repeatable
        #[arg(long = "pepper-file", value_name = "FILE")]
        pepper_files: Vec<PathBuf>,
    },
    /// Count the secrets under each pepper, and show the day on which a pepper can go
    #[command(after_help = help::PEPPERS)]
    Peppers {
        /// Front door whose keyring is compared with the store; it names the database, too
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Table of that file which belongs to the program that serves it, as `gateway`
        #[arg(long, value_name = "NAME", requires = "config")]
        table: Option<String>,
    },
    /// Show how many requests were made, by key, account, route pattern, decision, hour or day
    #[command(after_help = help::USAGE, args_conflicts_with_subcommands = true)]
    Usage(Usage),
    /// Check the file of a front door, and print what helps to write one
    #[command(subcommand)]
    Config(Config),
    /// Create the tables or bring them up to date, as every other command does before it runs
    Migrate,
}

impl Command {
    /// Returns true if the command creates a missing SQLite file.
    pub(crate) const fn creates(&self) -> bool {
        matches!(
            self,
            Self::Keys(Keys::Create { .. } | Keys::Import { .. })
                | Self::Accounts(Accounts::Save { .. })
                | Self::Policies(PolicyCommand::Set { .. })
                | Self::Migrate
        )
    }
}
