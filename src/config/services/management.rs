//! Management over HTTP, as it stands in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::console::ConsoleSettings;
use super::mount;
use super::owners::OwnerSettings;
use crate::config::backends::StoreSettings;
use crate::config::named::NamedTable;
use crate::config::read::{Contradiction, Path};
use crate::key::{AccountId, ScopeSet};

/// The table `[management]`: the management API of the keys in `[store]`, behind a gate of its own.
///
/// The core serves nothing. `tower-api-key-front-door` makes a router of this table, and a program mounts it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ManagementSettings {
    /// The path of the API for operators, as `/manage`. All operations are below it.
    pub path: String,
    /// The accounts whose keys are operators. An operator reaches every account, as far as the scopes of its key go.
    pub operators: Vec<String>,
    /// The host of all paths of this table, without a port. That host then serves nothing else. Without this field,
    /// every host has these paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The scopes that a key may get, each with a description. The console offers them. Without this table, any scope.
    #[serde(default, skip_serializing_if = "NamedTable::is_empty")]
    pub(in crate::config) catalogue: NamedTable<String>,
    /// Whether the store keeps the last 4 characters of each new secret, so that people can tell keys apart and find them by
    /// these. Who reads the store then learns up to 27 of the random bits of a key, which has at least 128.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_tails: bool,
    /// The API for customers, who manage the keys of their own account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owners: Option<OwnerSettings>,
    /// Web pages for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<ConsoleSettings>,
}

impl ManagementSettings {
    /// Returns the scopes of the catalogue, each with its description, in the order of the file.
    pub fn catalogue(&self) -> impl Iterator<Item = (&str, &str)> {
        self.catalogue.0.iter().map(|(scope, text)| (scope.as_str(), text.as_str()))
    }

    /// Returns the paths of the APIs, without that of the console.
    pub fn api_paths(&self) -> impl Iterator<Item = &str> {
        let owners = self.owners.as_ref().map(|owners| owners.path.as_str());
        [Some(self.path.as_str()), owners].into_iter().flatten()
    }

    /// Returns the paths of the APIs and of the console. All that is below one of them is management.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.api_paths().chain(self.console.as_ref().map(ConsoleSettings::path))
    }

    /// Returns true if a request belongs to management: its path is one of [`paths`](Self::paths) or lies below it. With
    /// `host`, all requests for that host belong to management, and no others.
    ///
    /// `host` is that of the request, with or without a port. The client chooses it, so it protects nothing: the gates do.
    pub fn takes(&self, host: &str, path: &str) -> bool {
        match &self.host {
            Some(own) => mount::is_same_host(own, host),
            None => self.paths().any(|mounted| mount::is_below(path, mounted)),
        }
    }

    /// Finds what contradicts itself.
    pub(in crate::config) fn check(
        &self,
        store: Option<&StoreSettings>,
        found: &mut Vec<Contradiction>,
    ) {
        let path = Path::default().field("management");
        if store.is_some_and(|store| store.scheme() == "memory") {
            let problem = "a store in memory has no key that could manage it";
            let url = Path::default().field("store").field("url");
            let contradiction = Contradiction::new(path.clone(), &problem).beside(url);
            found.push(contradiction.remedy("name a database in `store.url`, or remove the table"));
        }
        self.check_paths(&path, found);
        if self.operators.is_empty() {
            let problem = "no key could manage anything: name the account of the operators";
            found.push(Contradiction::new(path.field("operators"), &problem));
        }
        for (index, account) in self.operators.iter().enumerate() {
            let problem = AccountId::new(account).err();
            let place = || path.field("operators").item(index);
            found.extend(problem.map(|problem| Contradiction::new(place(), &problem)));
        }
        if self.host.as_ref().is_some_and(|host| !mount::is_host(host)) {
            let problem = "this is no host: write its name without scheme, port and path, as `keys.example.com`";
            found.push(Contradiction::new(path.field("host"), &problem));
        }
        for (scope, _) in &self.catalogue.0 {
            let problem = ScopeSet::new([scope]).err();
            let place = || path.field("catalogue").field(scope);
            found.extend(problem.map(|problem| Contradiction::new(place(), &problem).at_name()));
        }
        if let Some(owners) = &self.owners {
            owners.check(&path.field("owners"), found);
        }
        if let Some(console) = &self.console {
            console.check(self.owners.is_some(), &path.field("console"), found);
        }
    }

    /// Finds paths that are none, and paths that lie below one another.
    fn check_paths(&self, path: &Path, found: &mut Vec<Contradiction>) {
        let mut mounts = vec![(self.path.as_str(), path.field("path"))];
        if let Some(owners) = &self.owners {
            mounts.push((&owners.path, path.field("owners").field("path")));
        }
        if let Some(console) = &self.console {
            let table = path.field("console");
            let place = if console.path.is_some() { table.field("path") } else { table };
            mounts.push((console.path(), place));
        }
        for (index, (mounted, place)) in mounts.iter().enumerate() {
            if !mount::is_path(mounted) {
                let problem = "this is no path to mount at: write one as `/manage`, of letters, digits, `.`, `_`, \
                    `~` and `-`, without a slash at its end";
                found.push(Contradiction::new(place.clone(), &problem));
                continue;
            }
            let earlier = mounts.iter().take(index);
            let mut clashing = earlier.filter(|(other, _)| mount::overlap(mounted, other));
            if let Some((_, other)) = clashing.next() {
                let problem = "this path and that of another part of `management` lie below one another: write one \
                    that begins otherwise";
                found.push(Contradiction::new(place.clone(), &problem).beside(other.clone()));
            }
        }
    }
}
