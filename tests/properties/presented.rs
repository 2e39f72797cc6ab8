//! Keys with one byte changed.

use http::{HeaderValue, Request};
use proptest::prelude::*;
use tower_api_key::key::{KeyFormat, KeyHasher, KeyRecord, Segment};
use tower_api_key::profile::Scheme;
use tower_api_key::request::Connection;
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Denial, Profile, vendors};

use super::support::{account, greeting, reason, send};

static PROFILES: [Profile; 6] = [
    vendors::PERSONYZE,
    vendors::REST_INTEGRATIONS,
    vendors::POLYTEIA,
    vendors::PERSONA,
    vendors::POLYTOMIC,
    vendors::POLYTOMIC_ON_PREMISES,
];

/// A change of one byte.
#[derive(Debug, Clone)]
enum Change {
    Replace(u8),
    Insert(u8),
    Remove,
}

fn change() -> impl Strategy<Value = (usize, Change)> {
    let change = prop_oneof![
        4 => any::<u8>().prop_map(Change::Replace),
        // Most other bytes are none that a key may have.
        4 => prop::sample::select(&b"0123456789abcdefABCDEFGghz-_.~+/="[..]).prop_map(Change::Replace),
        1 => any::<u8>().prop_map(Change::Insert),
        1 => Just(Change::Remove),
    ];
    (any::<prop::sample::Index>(), change).prop_map(|(at, change)| (at.index(1 << 16), change))
}

fn changed(key: &[u8], (at, change): &(usize, Change)) -> Vec<u8> {
    let mut changed = key.to_vec();
    let at = at % key.len();
    match change {
        Change::Replace(byte) => changed[at] = *byte,
        Change::Insert(byte) => changed.insert(at, *byte),
        Change::Remove => {
            changed.remove(at);
        }
    }
    changed
}

/// Makes a key of a format, of any length that it has.
fn key(format: &KeyFormat, mut seed: u64) -> Vec<u8> {
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % below
    };
    let mut key = Vec::new();
    for segment in format.segments() {
        match segment {
            Segment::Literal(text) => key.extend(text.bytes()),
            Segment::Environment(tags) => key.extend(tags[next(tags.len())].bytes()),
            Segment::Characters { alphabet, at_least, at_most } => {
                let one = KeyFormat::new().characters(alphabet, 1);
                let legal: Vec<u8> = (0..=127).filter(|byte| one.matches(&[*byte])).collect();
                let more = next(usize::from(at_most - at_least).min(40) + 1);
                key.extend((0..usize::from(at_least) + more).map(|_| legal[next(legal.len())]));
            }
            Segment::Checksum => unreachable!("no vendor has one"),
            _ => unreachable!(),
        }
    }
    key
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = |three: &[u8]| {
        let byte = |at| three.get(at).map_or(0, |byte| usize::from(*byte));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digit = |at| if at > three.len() { b'=' } else { DIGITS[bits >> (18 - 6 * at) & 63] };
        [0, 1, 2, 3].map(digit)
    };
    bytes.chunks(3).flat_map(digits).collect()
}

fn request(profile: &Profile, key: &[u8]) -> Option<Request<()>> {
    let value = match profile.credentials[0].scheme {
        Scheme::Basic(_) => [&b"Basic "[..], &base64(&[&b"api:"[..], key].concat())].concat(),
        _ => [&b"Bearer "[..], key].concat(),
    };
    let mut request = Request::new(());
    request.headers_mut().insert("authorization", HeaderValue::from_bytes(&value).ok()?);
    let headers = [("content-type", "application/json"), ("x-polytomic-version", "2024-02-08")];
    for (name, value) in headers {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    request.extensions_mut().insert(Connection::tls("192.0.2.1:4711".parse().unwrap()));
    Some(request)
}

proptest! {
    #[test]
    fn a_key_with_one_byte_changed_is_refused(
        vendor in 0..PROFILES.len(),
        format in any::<prop::sample::Index>(),
        seed in any::<u64>(),
        change in change(),
    ) {
        let profile = PROFILES[vendor];
        let key = key(&profile.formats[format.index(profile.formats.len())], seed);
        let store = MemoryStore::new();
        let kind = if profile.credentials.len() == 2 { "deployment" } else { "organization" };
        let record = KeyRecord::builder("key_1", account("acme")).kind(kind);
        let record = match profile.formats.iter().find_map(|format| format.environment_of(&key)) {
            Some(environment) => record.environment(environment),
            None => record,
        };
        store.add_now(KeyHasher::sha256().digest(&key), record.build().unwrap());
        let layer = ApiKeyLayer::builder(profile, store).without_limits().build().unwrap();
        let service = greeting(&layer);
        let ask = |key: &[u8]| {
            let request = request(&profile, key)?;
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            Some(runtime.block_on(send(&service, request)))
        };
        prop_assert_eq!(reason(&ask(&key).unwrap()), "admitted");
        let changed = changed(&key, &change);
        prop_assume!(changed != key);
        // Some cannot even be said in a header.
        if let Some(response) = ask(&changed) {
            let status = response.status().as_u16();
            prop_assert!((400..=401).contains(&status), "{}", status);
            let denial = response.extensions().get::<Denial>();
            let expected = matches!(
                denial,
                Some(Denial::KeyUnknown | Denial::KeyMalformed | Denial::CredentialsMalformed(_))
            );
            prop_assert!(expected, "{:?}", denial);
        }
    }
}
