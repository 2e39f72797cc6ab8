//! What a reload replaces: routes, upstreams and identity fields.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderName;

use super::identity::IdentityFields;
use super::table::RouteTable;
use crate::Problem;
use crate::settings::GatewaySettings;
use crate::upstream::Upstream;

/// Routes, upstreams and identity fields, which a reload replaces at once. A request keeps those with which it began.
pub(crate) struct Routing {
    pub(super) table: RouteTable,
    pub(super) identity: IdentityFields,
    /// The fields that only the gateway writes, for the trailers of requests.
    pub(super) identity_names: Arc<[HeaderName]>,
    pub(crate) has_access_log: bool,
    pub(crate) upstreams: BTreeMap<String, Arc<Upstream>>,
}

impl Routing {
    /// Builds what the settings describe. Upstreams that have not changed keep their connections and their health.
    ///
    /// # Errors
    ///
    /// [`Problem`] with the field that is wrong.
    pub(crate) fn new(settings: &GatewaySettings, before: Option<&Self>) -> Result<Self, Problem> {
        let upstreams = settings.upstreams.iter().map(|(name, settings)| {
            let kept = before.and_then(|before| before.upstreams.get(name));
            let kept = kept.filter(|upstream| upstream.is_of(settings)).cloned();
            let upstream = match kept {
                Some(upstream) => upstream,
                None => Arc::new(Upstream::new(name, settings)?),
            };
            Ok((name.clone(), upstream))
        });
        let upstreams = upstreams.collect::<Result<BTreeMap<_, _>, Problem>>()?;
        let identity = IdentityFields::new(&settings.identity)?;
        let identity_names = identity.names().cloned().collect();
        let table = RouteTable::new(&settings.routes, &upstreams)?;
        let has_access_log = settings.access_log;
        Ok(Self { table, identity, identity_names, has_access_log, upstreams })
    }
}
