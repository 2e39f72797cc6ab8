//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::failure::EXIT_CODES;
use crate::filter::Filter;
use crate::moment::{Moment, Span};
use crate::settings::{AccountSettings, KeySettings};
use crate::vendor::Vendor;

/// Manages API keys in SQLite or PostgreSQL.
#[derive(Debug, Parser)]
#[command(name = "tower-api-key", version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// Where the keys live: sqlite:FILE or postgres://USER@HOST/DATABASE
    #[arg(
        long,
        global = true,
        env = "TOWER_API_KEY_STORE",
        hide_env_values = true,
        default_value = "sqlite:keys.db",
        value_name = "URL"
    )]
    pub(crate) store: String,

    /// What the names of the tables begin with
    #[arg(
        long,
        global = true,
        env = "TOWER_API_KEY_TABLE_PREFIX",
        default_value = "tower_api_key_",
        value_name = "PREFIX"
    )]
    pub(crate) table_prefix: String,

    /// The schema of the tables, in PostgreSQL
    #[arg(long, global = true, env = "TOWER_API_KEY_TABLE_SCHEMA", value_name = "SCHEMA")]
    pub(crate) table_schema: Option<String>,

    /// Who makes the change, for the audit trail
    #[arg(long, global = true, env = "USER", default_value = "command line", value_name = "NAME")]
    pub(crate) by: String,

    /// Print JSON instead of tables
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print nothing but what was asked for: of `keys create` and `keys rotate` the secret alone, of `check` what
    /// becomes of the request, of `whose` the key's id
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // There is one, for as long as the program runs.
pub(crate) enum Command {
    /// Issue, list, change and end keys
    #[command(subcommand)]
    Keys(Keys),
    /// List and change accounts
    #[command(subcommand)]
    Accounts(Accounts),
    /// Show who changed what
    Trail {
        /// Begin after the change of this number
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// Show at most so many changes
        #[arg(long, default_value_t = 100, value_parser = at_least_one)]
        limit: usize,
    },
    /// Explain whether a request with a key would pass, and which check decides
    ///
    /// The key is read from TOWER_API_KEY_KEY or, without it, from standard input: an argument could be
    /// read by every user of the machine.
    Check(Check),
    /// Say whose a secret is, also when it is refused: the key's id, its account and its state
    ///
    /// For a secret that was found where it does not belong. It is read from TOWER_API_KEY_KEY or, without it,
    /// from standard input, alone or in what it was found in (`Authorization: Bearer …`, `USER:KEY`, a line of a log, a
    /// file of settings; 4096 bytes at most), and is never printed. Of several keys the first is told. A key that was revoked, is disabled or has expired is told with its state (exit code 0); of a
    /// secret that no key has, the state is `unknown` (exit code 3). With `--quiet` the key's id alone is printed.
    Whose {
        /// Look for it with the pepper in this file, too; repeatable
        #[arg(long = "pepper-file", value_name = "FILE")]
        pepper_files: Vec<PathBuf>,
    },
    /// Bring the tables up to date; every other command does so, too
    Migrate,
}

impl Command {
    /// Tells whether a database is made for it that is not there.
    pub(crate) const fn creates(&self) -> bool {
        matches!(
            self,
            Self::Keys(Keys::Create { .. } | Keys::Import { .. })
                | Self::Accounts(Accounts::Save { .. })
                | Self::Migrate
        )
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Issue a key; its secret is printed once, on standard output
    Create {
        /// Issue it for this account
        #[arg(long)]
        account: String,
        /// Name it so, instead of by a random id
        #[arg(long)]
        id: Option<String>,
        /// Revoke all other keys of the same owner and audience in the same step
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        form: Form,
        #[command(flatten)]
        settings: KeySettings,
    },
    /// List keys
    List {
        #[command(flatten)]
        filter: Filter,
        /// Begin after the key of this id
        #[arg(long)]
        after: Option<String>,
        /// Show at most so many keys
        #[arg(long, default_value_t = 100, value_parser = at_least_one)]
        limit: usize,
    },
    /// Show a key
    Show { id: String },
    /// Change a key
    Edit {
        id: String,
        #[command(flatten)]
        settings: KeySettings,
    },
    /// Give a key a new secret; it is printed once, on standard output
    Rotate {
        id: String,
        /// Let the old secret serve for so long, as in "2 days"
        #[arg(long, default_value = "1 day")]
        overlap: Span,
        #[command(flatten)]
        form: Form,
    },
    /// Revoke keys for good
    Revoke {
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Delete keys
    Delete {
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Import digests of keys that were issued elsewhere, one JSON object a line:
    /// {"digest":"64 hexadecimal digits","id":"…","account":"…"}, and "name", "owner", "kind",
    /// "environment", "audience", "form", "scopes", "networks", "expires" as needed. Keys that are there already are left as they
    /// are. Ten thousand at a time are added, all of them or none: if a line is wrong, those before stay, and the
    /// error says how many they are
    Import {
        /// Read from this file; `-` is standard input
        file: PathBuf,
        /// Add all keys of the file in one step, or none. Until then they are held in memory, about 1 kB each,
        /// and other changes wait while they are written
        #[arg(long)]
        atomic: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Accounts {
    /// List accounts
    List {
        /// Begin after the account of this id
        #[arg(long)]
        after: Option<String>,
        /// Show at most so many accounts
        #[arg(long, default_value_t = 100, value_parser = at_least_one)]
        limit: usize,
    },
    /// Show an account
    Show { id: String },
    /// Add an account, or change it
    Save {
        id: String,
        #[command(flatten)]
        settings: AccountSettings,
    },
    /// Delete an account with all its keys
    Delete { id: String },
}

/// The form of a secret.
#[derive(Debug, Args)]
pub(crate) struct Form {
    /// Issue it in the form of this vendor; a new key has the form `key_…` unless told otherwise, and a
    /// rotated key keeps its own
    #[arg(long, value_enum, conflicts_with = "prefix")]
    pub(crate) vendor: Option<Vendor>,
    /// Begin it with this, before 29 random characters and a checksum; `{environment}` stands for the key's
    /// environment, as in `acme_{environment}_`
    #[arg(long)]
    pub(crate) prefix: Option<String>,
    /// Mix the pepper in this file into the digest, as the gate does
    #[arg(long, value_name = "FILE")]
    pub(crate) pepper_file: Option<PathBuf>,
}

fn at_least_one(text: &str) -> Result<usize, &'static str> {
    let number = text.parse().ok();
    number.filter(|number| *number > 0).ok_or("must be a number, 1 or more")
}

/// A request to explain.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Decide as this vendor's gate does
    #[arg(long, value_enum)]
    pub(crate) vendor: Vendor,
    /// Send this method
    #[arg(long, default_value = "GET")]
    pub(crate) method: String,
    /// Send this path
    #[arg(long, default_value = "/")]
    pub(crate) path: String,
    /// Send this header, besides the credential; repeatable
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// Send from this address
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) from: std::net::IpAddr,
    /// Send over plain HTTP
    #[arg(long)]
    pub(crate) plain_http: bool,
    /// Send the key by Basic instead of Bearer, under this user name
    #[arg(long, value_name = "USER")]
    pub(crate) basic: Option<String>,
    /// Decide as a gate of this audience does
    #[arg(long, value_name = "NAME")]
    pub(crate) audience: Option<String>,
    /// Ask at this moment instead of now
    #[arg(long)]
    pub(crate) at: Option<Moment>,
    /// Mix the pepper in this file into the digest, as the gate does
    #[arg(long, value_name = "FILE")]
    pub(crate) pepper_file: Option<PathBuf>,
}
