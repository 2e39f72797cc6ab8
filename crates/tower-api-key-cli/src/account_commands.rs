//! The commands of `accounts`.

use clap::Subcommand;

use crate::at_least_one::at_least_one;
use crate::help;
use crate::settings::AccountSettings;

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
