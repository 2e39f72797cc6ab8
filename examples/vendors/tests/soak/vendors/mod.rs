//! The mixed load: for each vendor its refusals, written from vendors.md and not from the profiles, and a
//! row for each kind of request.

mod persona;
mod personyze;
mod polyteia;
pub(crate) mod polytomic;
mod rest_integrations;

use crate::case::Case;
use crate::journals::Journals;
use crate::server::Demo;

/// Makes the rows of all vendors.
pub(crate) fn cases(demo: &Demo, journals: &Journals) -> Vec<Case> {
    let vendors = [
        personyze::cases(demo, journals),
        rest_integrations::cases(demo, journals),
        polyteia::cases(demo),
        persona::cases(demo, journals),
        polytomic::cases(demo),
    ];
    vendors.into_iter().flatten().collect()
}
