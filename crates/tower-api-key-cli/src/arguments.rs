//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::at_least_one::at_least_one;
use crate::check::Check;
use crate::config::Config;
use crate::events::Events;
use crate::filter::Filter;
use crate::help;
use crate::issue::Form;
use crate::moment::Span;
use crate::policies::PolicyCommand;
use crate::settings::{AccountSettings, KeySettings};
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

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Issue a key and print its secret once, on standard output
    #[command(after_help = help::CREATE)]
    Create {
        /// Account of the key; a missing account is created without scopes
        #[arg(long, value_name = "ID")]
        account: String,
        /// Id of the key, unique among the keys [default: a random id]
        #[arg(long)]
        id: Option<String>,
        /// Revoke all other keys of the same account, owner and audience in the same step. WITHOUT --owner THIS
        /// REVOKES EVERY KEY OF THE ACCOUNT THAT HAS NO OWNER (and the same audience)
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        form: Form,
        #[command(flatten)]
        settings: KeySettings,
    },
    /// List keys, in the order of their ids
    #[command(after_help = help::LIST)]
    List {
        #[command(flatten)]
        filter: Filter,
        /// Start after the key with this id
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        /// Print at most this many keys
        #[arg(long, default_value_t = 100, value_parser = at_least_one)]
        limit: usize,
    },
    /// Show a key with its settings and secrets' digests
    Show {
        /// Id of the key
        id: String,
    },
    /// Change settings of a key
    #[command(after_help = help::EDIT)]
    Edit {
        /// Id of the key
        id: String,
        #[command(flatten)]
        settings: KeySettings,
    },
    /// Give an active key a new secret and print it once, on standard output
    #[command(after_help = help::ROTATE)]
    Rotate {
        /// Id of the key
        id: String,
        /// Accept the old secrets for this long, such as "2 days" or 12h; 0s ends them at once
        #[arg(long, default_value = "1 day", value_name = "DURATION")]
        overlap: Span,
        #[command(flatten)]
        form: Form,
    },
    /// End the earlier secrets of a key at once, which a rotation let work on; the newest one works on
    EndEarlierSecrets {
        /// Id of the key
        id: String,
    },
    /// Revoke keys; a revoked key stays listed, and cannot be restored
    #[command(after_help = help::REVOKE)]
    Revoke {
        /// Ids of the keys
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// Write into the trail that the secrets leaked; each key has an event of the kind `key.leaked`, too
        #[arg(long)]
        leaked: bool,
    },
    /// Delete keys with their secrets
    #[command(after_help = help::DELETE)]
    Delete {
        /// Ids of the keys
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Import digests of keys that were issued elsewhere, one JSON object a line
    ///
    /// Keys that the store has already are left unchanged. The command adds 10,000 keys at a time, all of them or
    /// none. If a line is wrong, the keys added before stay, and the error says up to which line.
    #[command(after_help = help::IMPORT)]
    Import {
        /// File to read; `-` is standard input
        file: PathBuf,
        /// Add all keys of the file in one step or none. This needs about 1 kB of memory for each key, and blocks
        /// other changes while the keys are written
        #[arg(long)]
        atomic: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Accounts {
    /// List accounts, in the order of their ids
    List {
        /// Start after the account with this id
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        /// Print at most this many accounts
        #[arg(long, default_value_t = 100, value_parser = at_least_one)]
        limit: usize,
    },
    /// Show an account
    Show {
        /// Id of the account
        id: String,
    },
    /// Create an account or change its settings
    #[command(after_help = help::SAVE)]
    Save {
        /// Id of the account
        id: String,
        #[command(flatten)]
        settings: AccountSettings,
    },
    /// Delete an account with all its keys
    Delete {
        /// Id of the account
        id: String,
    },
}
