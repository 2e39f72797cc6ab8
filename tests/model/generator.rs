//! Questions: a good request of the vendor's, with nothing to several things wrong with it.

use std::net::IpAddr;

use super::choices::Choices;
use super::client::Believed;
use super::handshake::shake_hands;
use super::judge::Setting;
use super::presented::present;
use super::proxied::{ADDRESSES, proxied};
use super::question::Question;
use super::vendor::{Scheme, VENDORS};

/// Addresses of clients without a key, of three networks.
const NEIGHBOURS: &[&str] = &[
    "192.0.2.1",
    "::ffff:192.0.2.1",
    "192.0.2.1",
    "::ffff:192.0.2.1",
    "192.0.2.2",
    "2001:db8:1:2::1",
    "2001:db8:1:2:ffff::",
    "2001:db8:1:2::2",
];

const METHODS: &[&str] =
    &["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "PURGE", "get"];

/// Paths of each vendor's, the ordinary one first, and with the method that goes with it.
const PATHS: &[(&str, &[&str])] = &[
    ("GET", &["/rest/users", "/rest/tracker", "/rest/users/5", "/rest/a/b", "/rest", "/rest/"]),
    ("GET", &["/v1/users", "/v1/users/7/keys", "/v1", "/v1/", "/v2/users"]),
    ("POST", &["/api", "/api/", "/API", "/", "/api/x"]),
    (
        "GET",
        &[
            "/api/v1/inquiries",
            "/api/v1/inquiries/inq_1",
            "/api/v1/accounts",
            "/api/v1/reports",
            "/api/v1/api-keys",
            "/api/v1/rate-limits",
            "/api/v1/others",
        ],
    ),
    ("GET", POLYTOMIC_PATHS),
    ("GET", POLYTOMIC_PATHS),
    ("POST", IMPORTED_PATHS),
    ("POST", IMPORTED_PATHS),
    ("POST", IMPORTED_PATHS),
    ("POST", IMPORTED_PATHS),
    ("GET", IMPORTED_PATHS),
];
const IMPORTED_PATHS: &[&str] = &["/api", "/api/", "/API"];
const POLYTOMIC_PATHS: &[&str] = &[
    "/api/me",
    "/api/organizations",
    "/api/organizations/o/users",
    "/api/organizations/o/users/u/keys",
    "/api/bulk/syncs",
    "/api/organizations//users",
];
const EXTRA_PATHS: &[&str] = &[
    "/accounts/acme/data",
    "/accounts/globex/data",
    "/accounts/%61cme/data",
    "/accounts/ACME/data",
    "/accounts/ada%40corp%2B1%7cx/data",
    "/accounts/ada@corp+1%7Cx/data",
    "/accounts/ada@corp+1|x/data",
    "/accounts/ada%2540corp+1%7Cx/data",
    "/scopes/all",
    "/scopes/any",
    "/kinds",
    "/cost/two",
    "/cost/two",
    "/cost/none",
];
/// What is put into a path to spoil it, or not.
const SPOILS: &[&str] = &[
    "/",
    "//",
    "/.",
    "/..",
    "/./",
    "/../",
    "/%2e",
    "%2e%2E",
    "%2F",
    "%5c",
    ";x=1",
    "%3B",
    "\\",
    "%00",
    "%41",
    "%e2%82%ac",
    "%ff",
    "%20",
    "%",
    "%2",
    "%zz",
    "a",
    "%25",
    "%7e",
    "*",
    ":",
    "@",
    "~",
    "%0a",
    "%3f",
    "%23",
    "+",
    "'",
    "=",
    "&",
    "!",
];

const CONTENT_TYPES: &[&str] = &[
    "application/json",
    "application/json; charset=utf-8",
    "Application/JSON",
    "application/json ; charset=utf-8",
    " application/json",
    "application/jsonp",
    "text/plain",
    "application/grpc",
    "application/grpc",
    "application/grpc+proto",
    "application/GRPC ; a=b",
    "application/grpc-web",
    "application/grpcx",
    "application/json, text/plain",
    "",
    ";application/json",
    "application/json;",
    "application/problem+json",
    "\tapplication/json\t",
];
const VERSIONS: &[&str] = &[
    "2024-02-08",
    "2022-12-12",
    "2024-02-29",
    "2023-02-29",
    "1900-02-29",
    "2000-02-29",
    "2024-13-01",
    "2024-00-10",
    "2024-1-1",
    "2024-04-31",
    " 2024-02-08 ",
    "",
    " ",
    "latest",
    "2024-02-08T00:00",
    "2024-02-08, 2024-02-08",
    "-024-02-08",
    "2024-02-+8",
    "2024/02/08",
];

/// Makes the next question of a client that uses up its quotas.
pub(crate) fn good(choices: &mut Choices<'_>, setting: &Setting) -> Question {
    let good = question(&mut Choices::new(&[]), setting);
    let usual = good.path.as_str();
    let path = choices.pick(&[usual, usual, "/cost/two", "/cost/two", "/cost/none"]).to_owned();
    let mut good = Question { path, pause: choices.pick(&[0, 0, 0, 300, 999, 1_000]), ..good };
    if setting.anonymous && !choices.one_in(4) {
        let carriers = VENDORS[setting.vendor].schemes.iter().flat_map(|scheme| scheme.fields());
        let carriers: Vec<&str> = carriers.collect();
        good.fields.retain(|(name, _)| !carriers.contains(name));
        good.query = None;
        good.peer = Some((choices.pick(NEIGHBOURS).parse().unwrap(), true));
    }
    good
}

/// Makes the next question of a client that has all the choices.
pub(crate) fn question(choices: &mut Choices<'_>, setting: &Setting) -> Question {
    let vendor = &VENDORS[setting.vendor];
    let (usual, paths) = PATHS[setting.vendor];
    let mut question = Question {
        method: if choices.one_in(3) { choices.pick(METHODS) } else { usual },
        protocol: None,
        path: path(choices, paths),
        query: choices.one_in(16).then(|| "force=true&api_key=x".to_owned()),
        fields: Vec::new(),
        peer: peer(choices, setting),
        store_answers: !choices.one_in(40),
        pause: [0, 0, 1, 300, 999, 1_000, 1_500][choices.below(7)],
    };
    if vendor.schemes.iter().any(|scheme| matches!(scheme, Scheme::Protocol(_))) {
        shake_hands(choices, &mut question);
    }
    present(choices, vendor, &mut question);
    demanded(choices, &mut question);
    proxied(choices, setting, &mut question);
    if setting.preflight && choices.one_in(2) {
        question.method = "OPTIONS";
        question.fields.push(("origin", b"https://app.example.com".to_vec()));
        if !choices.one_in(4) {
            question.fields.push(("access-control-request-method", b"POST".to_vec()));
        }
    }
    question
}

fn path(choices: &mut Choices<'_>, paths: &[&str]) -> String {
    let path = match choices.below(4) {
        0 => paths[0],
        1 => choices.pick(paths),
        _ => choices.pick(EXTRA_PATHS),
    };
    let mut path = path.to_owned();
    while choices.one_in(6) {
        let at = choices.below(path.len() + 1).max(1);
        let spoil = choices.pick(SPOILS);
        if path.is_char_boundary(at) {
            path.insert_str(at, spoil);
        }
    }
    path
}

fn peer(choices: &mut Choices<'_>, setting: &Setting) -> Option<(IpAddr, bool)> {
    let behind_a_proxy = setting.believed != Believed::Nobody && choices.one_in(2);
    let address = if behind_a_proxy {
        choices.pick(&["10.0.0.1", "::ffff:10.9.8.7", "fd00::5"])
    } else {
        choices.pick(ADDRESSES)
    };
    match choices.below(24) {
        21 => None,
        22 | 23 => Some((address.parse().unwrap(), false)),
        _ => Some((address.parse().unwrap(), true)),
    }
}

fn demanded(choices: &mut Choices<'_>, question: &mut Question) {
    for (name, values) in [("content-type", CONTENT_TYPES), ("x-polytomic-version", VERSIONS)] {
        match choices.below(12) {
            0..8 => question.fields.push((name, values[0].into())),
            8 => {}
            9 => {
                question.fields.push((name, choices.pick(values).into()));
                question.fields.push((name, values[0].into()));
            }
            _ => question.fields.push((name, choices.pick(values).into())),
        }
    }
}
