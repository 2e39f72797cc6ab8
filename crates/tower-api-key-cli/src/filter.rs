//! Which keys to list.

use clap::Args;
use tower_api_key::key::SecretTail;
use tower_api_key::store::{KeyFilter, KeyState};

use crate::moment::Moment;

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
    /// List keys with this metadata only
    #[arg(long, value_parser = tag, value_name = "NAME=VALUE")]
    tag: Option<(String, String)>,
    /// List keys whose name begins with this text only
    #[arg(long, value_name = "TEXT")]
    name_prefix: Option<String>,
    /// List keys that expire before this time only, expired ones too
    #[arg(long, value_name = "TIME")]
    expires_before: Option<Moment>,
    /// List keys of which a secret ends with these 4 characters only; finds those issued with --keep-tail
    #[arg(long, value_name = "CHARACTERS")]
    tail: Option<SecretTail>,
}

fn tag(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn state(text: &str) -> Result<KeyState, &'static str> {
    let found = KeyState::ALL.into_iter().find(|state| state.name() == text);
    found.ok_or("write active, disabled, revoked or expired")
}

impl From<Filter> for KeyFilter {
    fn from(filter: Filter) -> Self {
        Self {
            account: filter.account,
            owner: filter.owner,
            kind: filter.kind,
            environment: filter.environment,
            state: filter.state,
            tag: filter.tag,
            name_prefix: filter.name_prefix,
            expires_before: filter.expires_before.map(|Moment(at)| at),
            tail: filter.tail,
            ..Self::default()
        }
    }
}
