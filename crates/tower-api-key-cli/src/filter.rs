//! Which keys to list.

use clap::Args;
use tower_api_key::store::{KeyFilter, KeyState};

/// The keys to list.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// List keys of this account only
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// List keys of this owner only
    #[arg(long)]
    owner: Option<String>,
    /// List keys of this kind only
    #[arg(long)]
    kind: Option<String>,
    /// List keys of this environment only
    #[arg(long)]
    environment: Option<String>,
    /// List keys in this state only
    #[arg(long, value_parser = state, value_name = "active|disabled|revoked|expired")]
    state: Option<KeyState>,
}

fn state(text: &str) -> Result<KeyState, &'static str> {
    let found = KeyState::ALL.into_iter().find(|state| state.name() == text);
    found.ok_or("write active, disabled, revoked or expired")
}

impl From<Filter> for KeyFilter {
    fn from(filter: Filter) -> Self {
        let Filter { account, owner, kind, environment, state } = filter;
        Self { account, owner, kind, environment, state, ..Self::default() }
    }
}
