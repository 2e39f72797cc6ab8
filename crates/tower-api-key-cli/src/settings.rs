//! The settings of keys and accounts.

use clap::Args;
use tower_api_key::key::{Account, KeyRecordBuilder};

use crate::failure::Failure;
use crate::moment::Moment;
use crate::quota::QuotaText;

/// The settings of a key. Settings that are not given stay as they are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Settings of the key")]
#[allow(clippy::struct_excessive_bools)] // Each is a flag of the command line.
pub(crate) struct KeySettings {
    /// Name of the key, for people: one line
    #[arg(long)]
    name: Option<String>,
    /// Description of the key, for people: one line
    #[arg(long)]
    description: Option<String>,
    /// Owner of the key within the account, such as a user's id
    #[arg(long)]
    owner: Option<String>,
    /// Kind of the key; the gates of some vendors admit only certain kinds
    #[arg(long)]
    kind: Option<String>,
    /// Environment of the key; a gate that is set to an environment admits only keys of that one
    #[arg(long)]
    environment: Option<String>,
    /// Accept the key at gates with this audience only
    #[arg(long, value_name = "NAME", conflicts_with = "no_audience")]
    audience: Option<String>,
    /// Accept the key at gates without an audience only, as for a new key
    #[arg(long)]
    no_audience: bool,
    /// Grant this scope instead of the account's scopes; repeatable
    #[arg(long = "scope", value_name = "SCOPE", conflicts_with = "inherit_scopes")]
    scopes: Vec<String>,
    /// Grant the key no scope at all, not even the account's
    #[arg(long, conflicts_with_all = ["scopes", "inherit_scopes"])]
    no_scopes: bool,
    /// Grant the account's scopes, as for a new key
    #[arg(long)]
    inherit_scopes: bool,
    /// Accept the key from this network only, such as 10.0.0.0/8 or 2001:db8::/32; repeatable
    #[arg(long = "network", value_name = "CIDR", conflicts_with = "any_network")]
    networks: Vec<String>,
    /// Accept the key from any network, as for a new key
    #[arg(long)]
    any_network: bool,
    /// Limit the key by this quota, such as minute=100/60s, instead of its account's quotas; repeatable
    #[arg(long = "quota", value_name = "QUOTA", conflicts_with = "inherit_quotas")]
    quotas: Vec<QuotaText>,
    /// Limit the key by its account's quotas, as for a new key
    #[arg(long)]
    inherit_quotas: bool,
    /// Refuse the key from this time on, such as 2027-01-31T12:00:00Z or "in 90 days"
    #[arg(long, value_name = "TIME", conflicts_with = "never_expires")]
    expires: Option<Moment>,
    /// Let the key never expire, as for a new key
    #[arg(long)]
    never_expires: bool,
    /// Refuse the key before this time, such as 2027-01-31T12:00:00Z or "in 2 days"
    #[arg(long, value_name = "TIME")]
    not_before: Option<Moment>,
    /// Disable the key: gates refuse it until it is enabled
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// Enable the key, as for a new key
    #[arg(long)]
    enable: bool,
    /// Store a value of your own with the key; an empty value removes the name; repeatable
    #[arg(long = "metadata", value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl KeySettings {
    pub(crate) fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    pub(crate) fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// Applies the settings that are given.
    pub(crate) fn apply(self, mut key: KeyRecordBuilder) -> KeyRecordBuilder {
        let set = |key: KeyRecordBuilder,
                   value: Option<String>,
                   set: fn(KeyRecordBuilder, String) -> KeyRecordBuilder| {
            match value {
                Some(value) => set(key, value),
                None => key,
            }
        };
        key = set(key, self.name, KeyRecordBuilder::name);
        key = set(key, self.description, KeyRecordBuilder::description);
        key = set(key, self.owner, KeyRecordBuilder::owner);
        key = set(key, self.kind, KeyRecordBuilder::kind);
        key = set(key, self.environment, KeyRecordBuilder::environment);
        key = set(key, self.audience, KeyRecordBuilder::audience);
        if self.no_audience {
            key = key.without_audience();
        }
        if !self.scopes.is_empty() || self.no_scopes {
            key = key.scopes(self.scopes);
        }
        if self.inherit_scopes {
            key = key.inherit_scopes();
        }
        if !self.networks.is_empty() || self.any_network {
            key = key.networks(&self.networks);
        }
        if !self.quotas.is_empty() {
            key = key.quotas(self.quotas.into_iter().map(|QuotaText(quota)| quota));
        }
        if self.inherit_quotas {
            key = key.inherit_quotas();
        }
        if let Some(Moment(at)) = self.expires {
            key = key.expires(at);
        }
        if self.never_expires {
            key = key.never_expires();
        }
        if let Some(Moment(at)) = self.not_before {
            key = key.not_before(at);
        }
        if self.disable || self.enable {
            key = key.disabled(self.disable);
        }
        for (name, value) in self.metadata {
            key = if value.is_empty() {
                key.without_metadata(&name)
            } else {
                key.metadata(name, value)
            };
        }
        key
    }
}

/// The settings of an account. Settings that are not given stay as they are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Settings of the account")]
#[allow(clippy::struct_excessive_bools)] // Each is a flag of the command line.
pub(crate) struct AccountSettings {
    /// Grant this scope to the account's keys, instead of the former scopes; repeatable
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Grant no scope to the account's keys, as for a new account
    #[arg(long, conflicts_with = "scopes")]
    no_scopes: bool,
    /// Limit the account by this quota, such as minute=100/60s, instead of the former quotas; repeatable
    #[arg(long = "quota", value_name = "QUOTA")]
    quotas: Vec<QuotaText>,
    /// Limit the account by the quotas of its plan, or else of the gate's profile, as for a new account
    #[arg(long, conflicts_with = "quotas")]
    default_quotas: bool,
    /// Put the account on this plan; the server's configuration defines the plan's quotas
    #[arg(long, value_name = "NAME")]
    plan: Option<String>,
    /// Take the account off its plan
    #[arg(long, conflicts_with = "plan")]
    no_plan: bool,
    /// Disable the account: gates refuse all its keys until it is enabled
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// Enable the account, as for a new account
    #[arg(long)]
    enable: bool,
}

impl AccountSettings {
    /// Makes the account from its former state and the settings that are given.
    pub(crate) fn apply(self, id: &str, former: Option<&Account>) -> Result<Account, Failure> {
        let mut account = Account::builder(id);
        if !self.scopes.is_empty() {
            account = account.scopes(self.scopes);
        } else if let Some(former) = former.filter(|_| !self.no_scopes) {
            account = account.scopes(former.scopes().iter());
        }
        if !self.quotas.is_empty() {
            account = account.quotas(self.quotas.into_iter().map(|QuotaText(quota)| quota));
        } else if let Some(quotas) =
            former.filter(|_| !self.default_quotas).and_then(Account::quotas)
        {
            account = account.quotas(quotas.as_slice().iter().cloned());
        }
        if let Some(plan) = self.plan {
            account = account.plan(plan);
        } else if let Some(plan) = former.filter(|_| !self.no_plan).and_then(Account::plan) {
            account = account.plan(plan.as_str());
        }
        let disabled = former.is_some_and(Account::is_disabled);
        Ok(account.disabled((disabled || self.disable) && !self.enable).build()?)
    }
}
