//! Which keys to list.

use clap::Args;
use tower_api_key::store::{KeyFilter, KeyState};

/// Which keys to list.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Keys of this account
    #[arg(long)]
    account: Option<String>,
    /// Keys of this owner
    #[arg(long)]
    owner: Option<String>,
    /// Keys of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Keys of this environment
    #[arg(long)]
    environment: Option<String>,
    /// Keys in this state
    #[arg(long, value_parser = state, value_name = "active|disabled|revoked|expired")]
    state: Option<KeyState>,
}

fn state(text: &str) -> Result<KeyState, &'static str> {
    let found = KeyState::ALL.into_iter().find(|state| state.name() == text);
    found.ok_or("not a state")
}

impl From<Filter> for KeyFilter {
    fn from(filter: Filter) -> Self {
        let Filter { account, owner, kind, environment, state } = filter;
        Self { account, owner, kind, environment, state }
    }
}
