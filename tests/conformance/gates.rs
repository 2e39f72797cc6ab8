//! The gates that the cases are asked of: vendors' profiles, each with one key that serves.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tower_api_key::key::{KeyRecord, KeyRecordBuilder};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Profile, vendors};

use crate::source::Source;
use crate::support::{KEY, PROFILE, account, digest};

/// The sample key of Personyze's documentation.
pub(crate) const HEX: &str = "FD09908F25BECB09D78EBEA1DADFB618651F612D";
/// A key of Polytomic's older form.
pub(crate) const UUID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
/// A key of Persona's form.
pub(crate) const SANDBOX: &str = "persona_sandbox_0123456789abcdef";

/// Begins a gate that knows one key, with these changes to its record, and counts nothing.
pub(crate) fn gate(
    profile: Profile,
    key: &str,
    change: fn(KeyRecordBuilder) -> KeyRecordBuilder,
) -> ApiKeyLayerBuilder {
    let store = MemoryStore::new();
    let record = change(KeyRecord::builder("key_1", account("acme"))).build().unwrap();
    store.add_now(digest(key), record);
    ApiKeyLayer::builder(profile, store).without_limits()
}

/// Basic, with the user name `api`.
pub(crate) fn personyze() -> ApiKeyLayer {
    gate(vendors::PERSONYZE, HEX, |key| key).build().unwrap()
}

/// Bearer; what is malformed is 400.
pub(crate) fn rest() -> ApiKeyLayer {
    gate(vendors::REST_INTEGRATIONS, KEY, |key| key).build().unwrap()
}

/// Basic with the key on either side of the colon, or Bearer.
pub(crate) fn on_premises() -> ApiKeyLayer {
    let deployment = |key: KeyRecordBuilder| key.kind(vendors::polytomic::DEPLOYMENT);
    let profile = Profile { required_headers: &[], ..vendors::POLYTOMIC_ON_PREMISES };
    gate(profile, UUID, deployment).build().unwrap()
}

/// Bearer, or a header of its own.
pub(crate) fn own_header() -> ApiKeyLayer {
    gate(PROFILE, KEY, |key| key).build().unwrap()
}

/// A profile that ships, and a key that serves there.
#[derive(Clone)]
pub(crate) struct Shipped {
    pub(crate) profile: Profile<'static>,
    /// With the headers that it demands.
    whole: Profile<'static>,
    source: Source,
    pub(crate) key: &'static str,
    kind: &'static str,
    /// The field line that carries the key.
    pub(crate) line: String,
}

/// Lists all profiles that ship, of constants and of files, but for the headers that they demand besides the key.
pub(crate) fn shipped() -> Vec<Shipped> {
    let of = |shipped: Shipped| {
        let sources = Source::each(&shipped.whole).into_iter();
        sources.map(move |source| Shipped { source, ..shipped.clone() })
    };
    constants().into_iter().flat_map(of).collect()
}

fn constants() -> [Shipped; 6] {
    let bearer = |profile: Profile<'static>, key: &'static str| Shipped {
        profile: without_demands(profile),
        whole: profile,
        source: Source::Constant,
        key,
        kind: vendors::polytomic::ORGANIZATION,
        line: format!("Authorization: Bearer {key}"),
    };
    let by_basic = |shipped: Shipped, pair: String| Shipped { line: basic(pair), ..shipped };
    let on_premises = bearer(vendors::POLYTOMIC_ON_PREMISES, UUID);
    let on_premises = Shipped { kind: vendors::polytomic::DEPLOYMENT, ..on_premises };
    [
        by_basic(bearer(vendors::PERSONYZE, HEX), format!("api:{HEX}")),
        bearer(vendors::REST_INTEGRATIONS, KEY),
        bearer(vendors::POLYTEIA, KEY),
        bearer(vendors::PERSONA, SANDBOX),
        bearer(vendors::POLYTOMIC, UUID),
        by_basic(on_premises, format!("{UUID}:")),
    ]
}

impl Shipped {
    /// Begins a gate that knows the key, and counts nothing.
    pub(crate) fn gate(&self) -> ApiKeyLayerBuilder {
        let store = MemoryStore::new();
        let record = KeyRecord::builder("key_1", account("acme")).kind(self.kind);
        let mut formats = self.profile.formats.iter();
        let record = match formats.find_map(|format| format.environment_of(self.key.as_bytes())) {
            Some(environment) => record.environment(environment),
            None => record,
        };
        store.add_now(digest(self.key), record.build().unwrap());
        self.source.begin(&self.whole, store, without_demands).without_limits()
    }
}

fn without_demands(profile: Profile<'_>) -> Profile<'_> {
    Profile { required_headers: &[], ..profile }
}

/// Writes the field line of a Basic pair.
pub(crate) fn basic(pair: impl AsRef<[u8]>) -> String {
    format!("Authorization: Basic {}", STANDARD.encode(pair))
}
