//! What quotas must be to count the requests of a network.

use super::algorithm::Per;
use super::quota::Quota;

/// Returns why these quotas cannot limit requests without a key, and the remedy; `None` if they can.
pub(crate) fn network_problem(quotas: &[Quota]) -> Option<String> {
    if let Some(quota) = quotas.iter().find(|quota| quota.per() == Per::Key) {
        return Some(format!(
            "the quota `{}` counts by key, which such a request does not have: leave `with_per` out",
            quota.name()
        ));
    }
    let refuses_nothing = !quotas.is_empty() && quotas.iter().all(Quota::is_in_shadow);
    refuses_nothing.then(|| {
        "all quotas are in shadow, so nothing would be limited: enforce at least one".to_owned()
    })
}
