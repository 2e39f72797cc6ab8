//! The organizations and users of the Polytomic demo. Their ids are the same at every start.

use serde::Serialize;
use tower_api_key::vendors::polytomic::{DEPLOYMENT, PARTNER};
use tower_api_key::{Denial, Grant};

/// An organization, as the manifest lists it.
#[derive(Debug, Serialize)]
pub(crate) struct Organization {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// Whether the demo's partner may manage it.
    pub(crate) managed: bool,
    pub(crate) users: &'static [User],
}

/// A user of an organization.
#[derive(Debug, Serialize)]
pub(crate) struct User {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
}

pub(crate) const ORGANIZATIONS: &[Organization] = &[
    Organization {
        id: "3e1a5f0c-7d24-4b8e-9f61-0a2c4d6e8b10",
        name: "Acme",
        managed: true,
        users: &[
            User { id: "a4c81e52-6f3b-4d07-8e9a-1b2d3f405162", name: "Ada" },
            User { id: "b5d92f63-704c-4e18-9fab-2c3e40516273", name: "Grace" },
        ],
    },
    Organization {
        id: "4f2b601d-8e35-4c9f-a072-1b3d5e7f9c21",
        name: "Globex",
        managed: true,
        users: &[User { id: "c6ea3074-815d-4f29-80bc-3d4f51627384", name: "Edsger" }],
    },
    Organization {
        id: "503c712e-9f46-4da0-b183-2c4e6f80ad32",
        name: "Initech",
        managed: false,
        users: &[User { id: "d7fb4185-926e-403a-91cd-4e5062738495", name: "Barbara" }],
    },
];

/// Lists the organizations that a key may manage: a partner's organizations, or all for a deployment key.
pub(crate) fn managed(grant: &Grant) -> impl Iterator<Item = &'static Organization> {
    let kind = grant.kind().map(|kind| kind.as_str().to_owned());
    ORGANIZATIONS.iter().filter(move |organization| match kind.as_deref() {
        Some(DEPLOYMENT) => true,
        Some(PARTNER) => organization.managed,
        _ => false,
    })
}

/// Returns an organization that a key may manage. The denial is the same for an unknown organization and for
/// one that the key may not manage.
pub(crate) fn organization(grant: &Grant, id: &str) -> Result<&'static Organization, Denial> {
    let mut managed = managed(grant);
    managed
        .find(|organization| organization.id.eq_ignore_ascii_case(id))
        .ok_or(Denial::AccountMismatch)
}

/// Finds a user of an organization.
pub(crate) fn user(organization: &'static Organization, id: &str) -> Result<&'static User, Denial> {
    let mut users = organization.users.iter();
    users.find(|user| user.id.eq_ignore_ascii_case(id)).ok_or(Denial::AccountMismatch)
}
