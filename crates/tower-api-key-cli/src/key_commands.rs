//! The commands of `keys`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::at_least_one::at_least_one;
use crate::filter::Filter;
use crate::help;
use crate::issue::Form;
use crate::moment::Span;
use crate::settings::KeySettings;

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
    ///
    /// The first step into a store without keys has up to 1,000,000 of them, which is three times as fast. In
    /// PostgreSQL, lookups wait until its end, some seconds. It needs as much memory as `--atomic`.
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
