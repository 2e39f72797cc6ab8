//! The fields of a form that choose permissions: a box for each one of the catalogue, and a field for others.

use std::collections::BTreeSet;

use tower_api_key::key::ScopeSet;
use tower_api_key::policy::Policies;

use super::fields::Fields;
use super::rules;
use super::text;
use crate::management::ManagementError;

/// What the fields of permissions hold.
#[derive(Default)]
pub(super) struct Permissions {
    /// Whether none are listed: a key has those of its account, and a policy allows all.
    pub(super) unlisted: bool,
    /// Whether policies do not allow that.
    pub(super) unlisted_closed: bool,
    /// The subjects of the policies that bound scopes; empty without such a policy.
    pub(super) bounded_by: String,
    pub(super) choices: Vec<Choice>,
    /// The scopes that are not in the catalogue.
    pub(super) more: String,
    /// The list as the page first showed it, so that a list which somebody has written is never left out in silence.
    pub(super) shown: String,
}

/// A scope of the catalogue.
pub(super) struct Choice {
    pub(super) scope: String,
    pub(super) description: String,
    pub(super) checked: bool,
    /// Whether policies do not allow the scope.
    pub(super) closed: bool,
}

impl Permissions {
    /// Returns the fields for a list of scopes; `None` if there is no list.
    pub(super) fn of(scopes: Option<&ScopeSet>, catalogue: &[(String, String)]) -> Self {
        let has = |scope: &str| scopes.is_some_and(|scopes| scopes.contains(scope));
        let known = |scope: &str| catalogue.iter().any(|(name, _)| name == scope);
        let more = scopes.into_iter().flat_map(ScopeSet::iter).filter(|scope| !known(scope));
        Self {
            unlisted: scopes.is_none(),
            choices: choices(catalogue, has),
            more: text::joined(more),
            shown: text::joined(scopes.into_iter().flat_map(ScopeSet::iter)),
            ..Self::default()
        }
    }

    /// Returns the fields as they were sent.
    pub(super) fn sent(fields: &Fields, catalogue: &[(String, String)]) -> Self {
        // A box of another catalogue, as before a reload, is kept: nothing that was sent is left out in silence.
        let known = |scope: &str| catalogue.iter().any(|(name, _)| name == scope);
        let unknown = fields.all("scopes").filter(|scope| !known(scope));
        Self {
            unlisted: fields.text("scopes_from") != "key",
            choices: choices(catalogue, |scope| fields.has("scopes", scope)),
            more: text::joined(fields.words("more_scopes").chain(unknown)),
            shown: text::joined(fields.words("scopes_shown")),
            ..Self::default()
        }
    }

    /// Returns the scopes that are chosen; `None` if none are listed.
    pub(super) fn scopes(&self) -> Option<Vec<String>> {
        (!self.unlisted).then(|| self.list().collect())
    }

    /// Returns the scopes that are chosen, or refuses a list beside the choice that uses no list. A list that is as the page
    /// showed it is given up by that choice. `unlisted` is the choice's name.
    pub(super) fn chosen(&self, unlisted: &str) -> Result<Option<Vec<String>>, ManagementError> {
        let sorted = |scopes: &mut dyn Iterator<Item = String>| scopes.collect::<BTreeSet<_>>();
        let list = sorted(&mut self.list());
        let shown = sorted(&mut self.shown.split_whitespace().map(str::to_owned));
        if self.unlisted && !list.is_empty() && list != shown {
            let problem = format!(
                "permissions are chosen beside “{unlisted}”: choose “Only these”, or clear them"
            );
            return Err(ManagementError::invalid("scopes", problem));
        }
        Ok(self.scopes())
    }

    fn list(&self) -> impl Iterator<Item = String> {
        let checked = self.choices.iter().filter(|choice| choice.checked);
        let checked = checked.map(|choice| choice.scope.clone());
        checked.chain(self.more.split_whitespace().map(str::to_owned))
    }

    /// Returns the scopes as a text for a table, with a word for no list.
    pub(super) fn text(&self, unlisted: &str) -> String {
        match self.scopes() {
            Some(scopes) if scopes.is_empty() => "none".to_owned(),
            Some(scopes) => scopes.join(" "),
            None => unlisted.to_owned(),
        }
    }

    /// Begins with a list if a policy demands one.
    pub(super) fn list_if_bounded(&mut self, policies: &Policies) {
        self.unlisted &= policies.iter().all(|policy| policy.scopes().is_none());
    }

    /// Closes what policies do not allow. What is chosen already stays open: a closed box would not be sent, and the
    /// key would lose the scope.
    pub(super) fn close(&mut self, policies: &Policies) {
        let bounding: Vec<_> =
            policies.iter().filter_map(|policy| Some((policy, policy.scopes()?))).collect();
        if bounding.is_empty() {
            return;
        }
        let names = bounding.iter().map(|(policy, _)| rules::subject(policy.subject()));
        self.bounded_by = names.collect::<Vec<_>>().join(" and for ");
        self.unlisted_closed = !self.unlisted;
        for choice in &mut self.choices {
            let allowed = bounding.iter().all(|(_, scopes)| scopes.contains(&choice.scope));
            choice.closed = !allowed && !choice.checked;
        }
    }
}

fn choices(catalogue: &[(String, String)], checked: impl Fn(&str) -> bool) -> Vec<Choice> {
    let choice = |(scope, description): &(String, String)| Choice {
        scope: scope.clone(),
        description: description.clone(),
        checked: checked(scope),
        closed: false,
    };
    catalogue.iter().map(choice).collect()
}
