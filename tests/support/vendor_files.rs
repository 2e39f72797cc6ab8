//! The vendors as files, beside the constants that they are printed from.

#![allow(dead_code)] // Each binary uses its own part of this.

use std::path::PathBuf;
use std::sync::OnceLock;

use tower_api_key::config::FrontDoor;
use tower_api_key::rules::RouteRow;
use tower_api_key::{Profile, vendors};

/// A vendor that ships as a file.
pub(crate) struct VendorFile {
    pub(crate) name: &'static str,
    pub(crate) profile: Profile<'static>,
    pub(crate) routes: &'static [RouteRow<'static>],
    /// The source whose head has the facts.
    pub(crate) module: &'static str,
    door: OnceLock<FrontDoor>,
}

pub(crate) static FILES: [VendorFile; 6] = [
    file("persona", vendors::PERSONA, vendors::persona::ROUTES, "persona"),
    file("personyze", vendors::PERSONYZE, vendors::personyze::ROUTES, "personyze"),
    file("polyteia", vendors::POLYTEIA, vendors::polyteia::ROUTES, "polyteia"),
    file("polytomic", vendors::POLYTOMIC, vendors::polytomic::ROUTES, "polytomic"),
    file(
        "polytomic_on_premises",
        vendors::POLYTOMIC_ON_PREMISES,
        vendors::polytomic::ROUTES,
        "polytomic",
    ),
    file(
        "rest_integrations",
        vendors::REST_INTEGRATIONS,
        vendors::rest_integrations::ROUTES,
        "rest_integrations",
    ),
];

const fn file(
    name: &'static str,
    profile: Profile<'static>,
    routes: &'static [RouteRow<'static>],
    module: &'static str,
) -> VendorFile {
    VendorFile { name, profile, routes, module, door: OnceLock::new() }
}

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl VendorFile {
    /// Returns the file of a constant; none if it is a changed one.
    pub(crate) fn of(profile: &Profile<'_>) -> Option<&'static Self> {
        let text = format!("{profile:?}");
        FILES.iter().find(|file| format!("{:?}", file.profile) == text)
    }

    pub(crate) fn path(&self) -> PathBuf {
        root().join("vendors").join(self.name).with_extension("toml")
    }

    /// Reads the file, once.
    pub(crate) fn door(&self) -> &FrontDoor {
        self.door.get_or_init(|| FrontDoor::read(self.path()).unwrap())
    }
}
