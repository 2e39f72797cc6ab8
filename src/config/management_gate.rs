//! What management over HTTP needs of a file: a gate of its own, an issuer of keys, plans, roles and quotas.

use super::backends::Backends;
use super::front_door::FrontDoor;
use super::gate::{plans, roles};
use super::profile::NOTHING;
use super::read::{Contradiction, Path};
use super::services::{EventSettings, ManagementSettings, WebhookSettings};
use super::tables::FrontDoorTable;
use crate::attempts::FailedAttempts;
use crate::key::Issuer;
use crate::limits::Plans;
use crate::quota::Quota;
use crate::rules::{Roles, Route, Routes};
use crate::service::ApiKeyLayerBuilder;

/// The random bits that each new key has at least.
const LEAST_BITS: f64 = 128.0;

impl FrontDoor {
    /// Returns the table `[management]`, if there is one.
    pub const fn management(&self) -> Option<&ManagementSettings> {
        self.tables.management.as_ref()
    }

    /// Returns the table `[events]`, if there is one.
    pub const fn events(&self) -> Option<&EventSettings> {
        self.tables.events.as_ref()
    }

    /// Returns the items of `[[webhooks]]`.
    pub fn webhooks(&self) -> &[WebhookSettings] {
        &self.tables.webhooks
    }

    /// Starts the layer around the routers of [`ManagementSettings::api_paths`]. It reads keys as the gate of
    /// [`builder`](Self::builder) does, and demands proof of HTTPS, networks and limits as that gate. Its routes are those
    /// paths alone, and each needs a key, whatever `optional` and the routes of the file allow. Without `[management]`, it
    /// has no route and refuses every request.
    pub fn management_builder(&self, backends: &Backends) -> ApiKeyLayerBuilder {
        let tables = self.tables.of_management();
        // The file was checked, so there is a profile. Without one, the builder refuses to build.
        let nothing = |_| ApiKeyLayerBuilder::new(&NOTHING, std::sync::Arc::clone(&backends.store));
        let builder = tables.builder(backends).unwrap_or_else(nothing);
        builder.routes(tables.routes_of_management())
    }

    /// Sets what every gate of the program has to know of clients and keys: `trusted_proxies`, `assume_https`,
    /// `environment`, `audience` and `telemetry`. For gates with a profile of their own, such as those of a console.
    pub fn set_up(&self, builder: ApiKeyLayerBuilder) -> ApiKeyLayerBuilder {
        let FrontDoorTable { trusted_proxies, environment, audience, telemetry, .. } = &self.tables;
        let tables = FrontDoorTable {
            trusted_proxies: trusted_proxies.clone(),
            assume_https: self.tables.assume_https,
            environment: environment.clone(),
            audience: audience.clone(),
            telemetry: *telemetry,
            ..FrontDoorTable::default()
        };
        // The file was checked, so nothing is found.
        tables.apply(builder, &mut Vec::new())
    }

    /// Returns the limit of the table `[failed_attempts]`, if there is one. It counts by the limiter of the backends if the
    /// table says so. For gates with a profile of their own whose failed attempts are to be bounded alike.
    pub fn failed_attempts(&self, backends: &Backends) -> Option<FailedAttempts> {
        let table = self.tables.failed_attempts.as_ref()?;
        Some(table.describe_shared(backends.limiter.as_ref()))
    }

    /// Returns an issuer of keys in the first format of the profile. `None` if the profile has no format. It keeps tails if
    /// `management.keep_tails` says so.
    ///
    /// ```
    /// use tower_api_key::config::{FileFormat, FrontDoor};
    ///
    /// let door = FrontDoor::parse("gate.toml", "profile.base = 'standard'", FileFormat::Toml)?;
    /// let issued = door.issuer().map(|issuer| issuer.issue(Some("live"))).transpose()?;
    /// assert!(issued.is_some_and(|key| key.expose().starts_with("key_live_")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn issuer(&self) -> Option<Issuer> {
        self.with_profile(|profile| {
            let issuer = Issuer::new(*profile.formats.first()?, self.hasher());
            let keeps_tails = self.management().is_some_and(|management| management.keep_tails);
            Some(if keeps_tails { issuer.keep_tails() } else { issuer })
        })
    }

    /// Returns the plans of the file, if there are any.
    pub fn plans(&self) -> Option<Plans> {
        plans::describe(&self.tables.plans, &mut Vec::new())
    }

    /// Returns the roles of the file, if there are any.
    pub fn roles(&self) -> Option<Roles> {
        roles::describe(&self.tables.roles, &mut Vec::new())
    }

    /// Returns the quotas of the profile, which accounts have that have no others.
    pub fn quotas(&self) -> Vec<Quota> {
        self.with_profile(|profile| profile.quotas.to_vec())
    }

    /// Returns true if both files say the same of all that management depends on. Routes, say, may differ.
    pub fn has_management_of(&self, other: &Self) -> bool {
        self.tables.of_management() == other.tables.of_management()
    }
}

impl FrontDoorTable {
    /// Returns the tables of the gate around management: no request passes without a key, and the routes of the file are
    /// not those of management.
    fn of_management(&self) -> Self {
        Self {
            schema: None,
            routes: None,
            routes_of: None,
            otherwise: None,
            optional: false,
            anonymous_quotas: None,
            allow_preflight: false,
            answer_preflight: None,
            grpc_services: Vec::new(),
            only_grpc: false,
            select_websocket_protocol: None,
            without_grant: false,
            webhooks: Vec::new(),
            ..self.clone()
        }
    }

    fn routes_of_management(&self) -> Routes {
        let paths = self.management.iter().flat_map(ManagementSettings::api_paths);
        paths.fold(Routes::new(), |routes, path| {
            let below = format!("{path}/{{*operation}}");
            routes.any(path, Route::new()).any(&below, Route::new())
        })
    }

    /// Finds what keeps the gate around management from being built, and a format in which no key can be issued.
    pub(super) fn check_management(&self, backends: &Backends) -> Result<(), Vec<Contradiction>> {
        if self.management.is_none() {
            return Ok(());
        }
        let tables = self.of_management();
        let builder = tables.builder(backends)?.routes(tables.routes_of_management());
        builder.build().map_err(|error| tables.locate_all(&error))?;
        let bits = |format: &crate::key::KeyFormat<'_>| format.entropy_bits();
        let bits = tables.with_profile(|profile| Ok(profile.formats.first().map(bits)));
        if bits.is_ok_and(|bits| bits.is_none_or(|bits| bits < LEAST_BITS)) {
            let problem = "new keys have the first format, and one of this format has fewer than 128 random bits: \
                put a longer format first, or remove the table `management`";
            let path = Path::default().field("profile").field("formats");
            let management = Path::default().field("management");
            return Err(vec![Contradiction::new(path, &problem).beside(management)]);
        }
        Ok(())
    }
}
