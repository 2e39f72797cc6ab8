//! Policies, with one planted fault.

use tower_api_key::policy::{KeyPolicy, Policies, PolicyViolation};
use tower_api_key::store::{
    Applied, Command, CommandOptions, KeyManager, ManageFuture, Precondition,
};

use super::Faulty;
use crate::faults::Fault;

impl<S: KeyManager> Faulty<S> {
    pub(super) fn change_policy<'a>(
        &'a self,
        command: Command<'a>,
        options: CommandOptions<'a>,
    ) -> ManageFuture<'a, Applied> {
        let options = match self.fault {
            Fault::SavesOverAPolicy => options.when(Precondition::None),
            _ => options,
        };
        self.inner.apply(command, options)
    }

    pub(super) fn policies_faultily(&self) -> ManageFuture<'_, Policies> {
        let forgets = self.has(Fault::ForgetsARuleOfAPolicy);
        Box::pin(async move {
            let policies = self.inner.policies().await?;
            if !forgets {
                return Ok(policies);
            }
            let bare = |policy: &KeyPolicy| {
                KeyPolicy::builder(policy.subject().clone()).require_expiry().build().unwrap()
            };
            Ok(Policies::new(policies.iter().map(bare)))
        })
    }

    /// Returns true if the store says that it made a change that breaks a rule.
    pub(super) fn has_made_against(&self, violation: &PolicyViolation, fault: Fault) -> bool {
        let counts = matches!(violation, PolicyViolation::TooManyKeys { .. });
        if counts { self.has(Fault::CountsNoKeysForAPolicy) } else { self.has(fault) }
    }
}
