//! What is set of a key or an account.

use clap::Args;
use tower_api_key::key::{Account, KeyRecordBuilder};

use crate::failure::Failure;
use crate::moment::Moment;
use crate::quota::QuotaText;

/// What is set of a key; what is not named stays as it is.
#[derive(Debug, Clone, Args)]
#[allow(clippy::struct_excessive_bools)] // A flag each.
pub(crate) struct KeySettings {
    /// Name it
    #[arg(long)]
    name: Option<String>,
    /// Describe it
    #[arg(long)]
    description: Option<String>,
    /// Say whom it is issued to within the account
    #[arg(long)]
    owner: Option<String>,
    /// Make it one of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Make it one of this environment
    #[arg(long)]
    environment: Option<String>,
    /// Let it serve at gates of this audience only
    #[arg(long, value_name = "NAME", conflicts_with = "no_audience")]
    audience: Option<String>,
    /// Let it serve at gates without an audience
    #[arg(long)]
    no_audience: bool,
    /// Let it do this, and what else is listed, instead of what its account may; repeatable
    #[arg(long = "scope", value_name = "SCOPE", conflicts_with = "inherit_scopes")]
    scopes: Vec<String>,
    /// Let it do nothing that needs a scope
    #[arg(long, conflicts_with_all = ["scopes", "inherit_scopes"])]
    no_scopes: bool,
    /// Let it do what its account may
    #[arg(long)]
    inherit_scopes: bool,
    /// Let it serve from this network, and what else is listed, only; repeatable
    #[arg(long = "network", value_name = "CIDR", conflicts_with = "any_network")]
    networks: Vec<String>,
    /// Let it serve from any network
    #[arg(long)]
    any_network: bool,
    /// Count it so, instead of by its account's quotas: NAME=LIMIT/WINDOW[:leaky_bucket|:sliding_window][@key][+shadow]
    /// [+deny|+allow|+local/NODES], or calendar_day or calendar_month (UTC) as WINDOW; repeatable
    #[arg(long = "quota", value_name = "QUOTA", conflicts_with = "inherit_quotas")]
    quotas: Vec<QuotaText>,
    /// Count it by its account's quotas
    #[arg(long)]
    inherit_quotas: bool,
    /// End it at this moment: 2027-01-31T12:00:00Z, or "in 90 days"
    #[arg(long, conflicts_with = "never_expires")]
    expires: Option<Moment>,
    /// Let it serve for ever
    #[arg(long)]
    never_expires: bool,
    /// Let it serve from this moment on
    #[arg(long)]
    not_before: Option<Moment>,
    /// Switch it off
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// Switch it on
    #[arg(long)]
    enable: bool,
    /// Keep a value of your own with it; an empty one removes it; repeatable
    #[arg(long = "metadata", value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl KeySettings {
    pub(crate) fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    pub(crate) fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// Sets what is named.
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

/// What is set of an account; what is not named stays as it is.
#[derive(Debug, Clone, Args)]
#[allow(clippy::struct_excessive_bools)] // A flag each.
pub(crate) struct AccountSettings {
    /// Let it do this, and what else is listed; repeatable
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Let it do nothing that needs a scope
    #[arg(long, conflicts_with = "scopes")]
    no_scopes: bool,
    /// Count it so: NAME=LIMIT/WINDOW[:leaky_bucket|:sliding_window][@key][+shadow]
    /// [+deny|+allow|+local/NODES], or calendar_day or calendar_month (UTC) as WINDOW; repeatable
    #[arg(long = "quota", value_name = "QUOTA")]
    quotas: Vec<QuotaText>,
    /// Count it by its plan's quotas, or the profile's
    #[arg(long, conflicts_with = "quotas")]
    default_quotas: bool,
    /// Put it on this plan, whose quotas the program that serves knows
    #[arg(long, value_name = "NAME")]
    plan: Option<String>,
    /// Take it off its plan
    #[arg(long, conflicts_with = "plan")]
    no_plan: bool,
    /// Switch it off, with all its keys
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// Switch it on
    #[arg(long)]
    enable: bool,
}

impl AccountSettings {
    /// Makes the account's new state from its former one.
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
