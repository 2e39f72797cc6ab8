//! What a caller may give to a key: no more than its own key has.

use tower_api_key::clock::Timestamp;
use tower_api_key::key::{KeyRecord, Networks};
use tower_api_key::quota::{Quota, Quotas};
use tower_api_key::rules::Roles;

use super::caller::Caller;
use super::error::ManagementError;
use super::owner_policy::OwnerPolicy;
use super::quota_bounds;
use super::scope_name::{ScopeName, is_known};
use super::scopes::KEYS_GRANT_ANY;

/// The facts that decide what a caller may give to a key.
pub(super) struct Bounds<'a> {
    pub(super) caller: &'a Caller,
    pub(super) roles: Option<&'a Roles>,
    pub(super) catalogue: &'a [(String, String)],
    pub(super) policy: Option<OwnerPolicy>,
    /// Whether the key is one of an operator account.
    pub(super) of_operators: bool,
    pub(super) now: Timestamp,
}

impl Bounds<'_> {
    /// Returns the quotas that a new key gets unless it names some: those of the caller's key, if that bounds it.
    pub(super) fn quotas(&self) -> Option<Vec<Quota>> {
        let own = self.caller.record();
        let own = own.own_quotas().filter(|_| self.is_bounded() && !is_free(own));
        own.map(|own| own.as_slice().to_vec())
    }

    /// Checks a new key.
    pub(super) fn check_new(&self, key: &KeyRecord) -> Result<(), ManagementError> {
        self.check_scopes(None, key)?;
        self.check_reach(key)?;
        if !self.is_bounded() {
            return check_quotas(self.caller, key.own_quotas());
        }
        self.check_alike(key)?;
        if self.caller.is_operator() {
            return Ok(());
        }
        if key.all_metadata().next().is_some() {
            self.check_metadata()?;
        }
        self.check_life(key)
    }

    /// Checks an edit of a key that the caller may change. What the edit changes must be allowed; if the key becomes able to
    /// do more, the whole key must be one whose secret the caller may have.
    pub(super) fn check_edit(
        &self,
        before: &KeyRecord,
        after: &KeyRecord,
    ) -> Result<(), ManagementError> {
        self.check_scopes(Some(before), after)?;
        if before.networks() != after.networks() {
            self.check_networks(after)?;
        }
        let expiry = before.expires() != after.expires();
        if expiry {
            self.check_expiry(after)?;
        }
        if !self.is_bounded() {
            let same = before.own_quotas() == after.own_quotas();
            return if same { Ok(()) } else { check_quotas(self.caller, after.own_quotas()) };
        }
        let of_owner = !self.caller.is_operator();
        for (field, changed) in [
            ("owner", before.owner() != after.owner()),
            ("kind", before.kind() != after.kind()),
            ("quotas", before.own_quotas() != after.own_quotas()),
            ("not_before", of_owner && before.not_before() > after.not_before()),
            ("disabled", of_owner && is_enabled_by(before, after)),
        ] {
            if changed {
                let who = if of_owner { "operators" } else { "keys with `keys.grant-any`" };
                return Err(not_grantable(field, &format!("only {who} may change this")));
            }
        }
        if of_owner && !before.all_metadata().eq(after.all_metadata()) {
            self.check_metadata()?;
        }
        if is_widened_by(before, after) {
            self.check_rotation(after)?;
        }
        if of_owner && expiry { self.check_life(after) } else { Ok(()) }
    }

    /// Checks a key whose new secret the caller will get: the caller gets all that the key may do.
    pub(super) fn check_rotation(&self, key: &KeyRecord) -> Result<(), ManagementError> {
        self.check_scopes(None, key)?;
        self.check_reach(key)?;
        if self.caller.key_id() == key.id().as_str() {
            return Ok(());
        }
        if !self.is_bounded() {
            return check_quotas(self.caller, key.own_quotas());
        }
        self.check_alike(key)?;
        if !self.caller.is_operator() && key.all_metadata().next().is_some() {
            self.check_metadata()?;
        }
        Ok(())
    }

    /// Checks a key that the caller changes or ends: one of operators may do no more than the caller's.
    pub(super) fn check_ending(&self, key: &KeyRecord) -> Result<(), ManagementError> {
        let own = self.caller.key_id() == key.id().as_str();
        if own || !self.of_operators || !self.is_bounded() || self.check_scopes(None, key).is_ok() {
            return Ok(());
        }
        Err(ManagementError::MissingScope(KEYS_GRANT_ANY))
    }

    /// Checks that quota of the key may be given back, by a caller whose key counts for these quotas. A caller whom quotas
    /// hold back lifts them neither for its own key nor for another one of operators, which may be its own as well.
    pub(super) fn check_refund(&self, own: &[Quota]) -> Result<(), ManagementError> {
        if own.is_empty() || !self.is_bounded() {
            return Ok(());
        }
        let problem =
            "your key has quotas: only keys with `keys.grant-any` give back those of operators";
        Err(not_grantable("quotas", problem))
    }

    /// Checks that a key is like the caller's where neither of two values is more than the other.
    fn check_alike(&self, key: &KeyRecord) -> Result<(), ManagementError> {
        let own = self.caller.record();
        for (field, same) in [
            ("owner", own.owner() == key.owner()),
            ("kind", own.kind() == key.kind()),
            ("environment", own.environment() == key.environment()),
            ("audience", own.audience() == key.audience()),
            // Quotas without any hold nothing back, and those of the account may.
            (
                "quotas",
                own.own_quotas() == key.own_quotas()
                    || (is_free(own) && key.own_quotas().is_none()),
            ),
        ] {
            if !same {
                return Err(not_grantable(field, "your key may only give what it has itself"));
            }
        }
        Ok(())
    }

    /// Checks the scopes that a key gets.
    fn check_scopes(
        &self,
        before: Option<&KeyRecord>,
        after: &KeyRecord,
    ) -> Result<(), ManagementError> {
        let caller = self.caller;
        let had = |scope: &str| before.is_some_and(|before| before.scopes().contains(scope));
        for (index, scope) in after.scopes().iter().enumerate() {
            if !had(scope) && !caller.may_grant(scope, self.roles) {
                let is_known = is_known(scope, self.catalogue, self.roles);
                return Err(lacks_scope(&ScopeName::of(scope, index, is_known)));
            }
        }
        // A key that inherits gets what the account gets later.
        let inherits = after.own_scopes().is_none();
        let inherited = before.is_some_and(|before| before.own_scopes().is_none());
        let own = caller.record();
        let as_own = own.own_scopes().is_none() && own.account().id() == after.account().id();
        if inherits && !inherited && self.is_bounded() && !as_own {
            return Err(not_grantable("scopes", "name the scopes, as your key has its own"));
        }
        Ok(())
    }

    /// Checks networks and expiry.
    fn check_reach(&self, key: &KeyRecord) -> Result<(), ManagementError> {
        self.check_networks(key)?;
        self.check_expiry(key)
    }

    fn check_networks(&self, key: &KeyRecord) -> Result<(), ManagementError> {
        let Some(own) = self.caller.record().networks().filter(|_| self.is_bounded()) else {
            return Ok(());
        };
        if key.networks().is_some_and(|networks| are_within(networks, own)) {
            return Ok(());
        }
        Err(not_grantable("networks", "name networks that lie within those of your own key"))
    }

    fn check_expiry(&self, key: &KeyRecord) -> Result<(), ManagementError> {
        let own = self.caller.record().expires().filter(|_| self.is_bounded());
        match (key.expires(), own) {
            (_, None) => Ok(()),
            (Some(expires), Some(own)) if expires <= own => Ok(()),
            (_, Some(own)) => {
                let own = in_whole_seconds(own);
                let problem = format!("your key expires at {own}, so this one must not end later");
                Err(not_grantable("expires", &problem))
            }
        }
    }

    /// Checks an expiry against the policy of owners.
    fn check_life(&self, key: &KeyRecord) -> Result<(), ManagementError> {
        let Some(latest) = self.policy.and_then(|policy| policy.life()) else { return Ok(()) };
        let latest = self.now.plus(latest);
        if key.expires().is_some_and(|expires| expires <= latest) {
            return Ok(());
        }
        let latest = in_whole_seconds(latest);
        Err(not_grantable("expires", &format!("a key must expire here, by {latest} at the latest")))
    }

    fn check_metadata(&self) -> Result<(), ManagementError> {
        if self.policy.is_some_and(|policy| policy.allows_metadata()) {
            return Ok(());
        }
        Err(not_grantable("metadata", "only operators may change this"))
    }

    /// Returns true if what the caller's own key is bounds the key.
    fn is_bounded(&self) -> bool {
        !self.caller.is_operator() || (self.of_operators && !self.caller.may_grant_any())
    }
}

/// Returns true if an edit makes a key able to do more, or to do it longer or from elsewhere.
fn is_widened_by(before: &KeyRecord, after: &KeyRecord) -> bool {
    let scopes = after.scopes().iter().any(|scope| !before.scopes().contains(scope));
    let inherits = before.own_scopes().is_some() && after.own_scopes().is_none();
    let networks = before
        .networks()
        .is_some_and(|before| after.networks().is_none_or(|after| !are_within(after, before)));
    let later =
        before.expires().is_some_and(|before| after.expires().is_none_or(|after| after > before));
    let earlier = before.not_before() > after.not_before();
    scopes || inherits || networks || later || earlier || is_enabled_by(before, after)
}

/// Returns true if no quotas of its own hold a key back.
fn is_free(key: &KeyRecord) -> bool {
    key.own_quotas().is_none_or(|own| own.as_slice().is_empty())
}

/// Checks quotas that an operator gives to a key or an account: no looser ones than those of its own key.
pub(super) fn check_quotas(caller: &Caller, given: Option<&Quotas>) -> Result<(), ManagementError> {
    match caller.record().own_quotas() {
        Some(own) if !caller.may_grant_any() && !quota_bounds::are_within(given, own) => {
            Err(not_grantable(
                "quotas",
                "your key has quotas of its own: name each, with no higher limit",
            ))
        }
        _ => Ok(()),
    }
}

/// Returns the last whole second until an instant, for people: what lasts until then is within the instant, too.
const fn in_whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_unix_seconds(at.unix_seconds())
}

fn is_enabled_by(before: &KeyRecord, after: &KeyRecord) -> bool {
    before.is_disabled_itself() && !after.is_disabled_itself()
}

/// Returns the refusal of a scope that the caller's key lacks.
pub(super) fn lacks_scope(scope: &ScopeName) -> ManagementError {
    not_grantable("scopes", &format!("your key lacks {scope}, so it cannot grant it"))
}

fn not_grantable(field: &'static str, problem: &str) -> ManagementError {
    ManagementError::NotGrantable { field, problem: problem.to_owned() }
}

/// Returns true if each of these networks lies within one of the others.
fn are_within(networks: &Networks, others: &Networks) -> bool {
    networks.iter().all(|network| others.iter().any(|other| other.contains(network)))
}
