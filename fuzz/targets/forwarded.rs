//! `Forwarded` and `X-Forwarded-*` against the model's naive reader. The first byte chooses whom to
//! believe and where the request comes from; what follows are field lines, whose first byte chooses
//! the field. Whatever they are, what a trusted proxy then appends decides.

#![no_main]

#[path = "../../tests/model/main.rs"]
mod model;

use std::net::IpAddr;
use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use model::client::{Believed, client};
use model::question::Question;
use tower_api_key::key::Networks;
use tower_api_key::request::{Client, Connection, ProxyHeaders, TrustedProxies};

static PROXIES: LazyLock<[(Believed, TrustedProxies); 3]> = LazyLock::new(|| {
    [
        (Believed::Forwarded, ProxyHeaders::Forwarded),
        (Believed::XForwarded, ProxyHeaders::XForwarded),
        (Believed::Either, ProxyHeaders::Either),
    ]
    .map(|(believed, fields)| {
        let networks = Networks::new(["10.0.0.0/8", "fd00::/8"]).unwrap();
        (believed, TrustedProxies::new(networks, fields))
    })
});
const PEERS: [&str; 4] = ["10.0.0.1", "fd00::1", "::ffff:10.1.2.3", "192.0.2.1"];
const FIELDS: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-proto", "via"];

/// What the nearest proxy appends to each field.
const APPENDED: [(&str, &str); 3] = [
    ("forwarded", "for=198.51.100.7;proto=https"),
    ("x-forwarded-for", "198.51.100.7"),
    ("x-forwarded-proto", "https"),
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let choice = usize::from(*first);
    let (believed, proxies) = &PROXIES[choice % 3];
    let peer: IpAddr = PEERS[choice / 3 % 4].parse().unwrap();
    let tls = choice / 12 % 2 == 1;
    let mut question = Question {
        method: "GET",
        protocol: None,
        path: "/".to_owned(),
        query: None,
        fields: Vec::new(),
        peer: Some((peer, tls)),
        store_answers: true,
        pause: 0,
    };
    let mut headers = HeaderMap::new();
    for line in rest.split(|byte| *byte == b'\n').take(6) {
        let Some((field, line)) = line.split_first() else { continue };
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        let field = FIELDS[usize::from(*field) % FIELDS.len()];
        headers.append(field, value);
        question.fields.push((field, line.to_vec()));
    }
    let address = (peer, 4711).into();
    let connection = if tls { Connection::tls(address) } else { Connection::plain(address) };
    let always = choice / 24 % 2 == 1;
    let (address, https) = client(&question, *believed, always);
    let proxies = if always { proxies.clone().always_proxies() } else { proxies.clone() };
    assert_eq!(proxies.client(connection, &headers), Client { address, https });

    // A client that sends these through a proxy can neither choose who it is nor hide it, unless
    // fields of both kinds count, which then disagree.
    for (field, value) in APPENDED {
        headers.append(field, HeaderValue::from_static(value));
    }
    let proxy = Connection::plain("10.0.0.1:4711".parse().unwrap());
    let seen = proxies.client(proxy, &headers).address;
    let truth: IpAddr = [198, 51, 100, 7].into();
    let hidden = *believed == Believed::Either && seen.is_none();
    assert!(hidden || seen == Some(truth), "{seen:?}");
});
