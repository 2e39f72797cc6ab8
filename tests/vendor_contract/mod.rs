//! What each vendor documents, row by row, asked of the real layer.
//!
//! The rows are data: `personyze`, `rest_integrations`, `polyteia`, `persona`, `polytomic`,
//! `polytomic_basic`, and `standard` for those who copy none. The
//! other modules hold what takes more than one request, and what all vendors have in common.

mod broken;
mod case;
mod gate;
mod run;

mod persona;
mod personyze;
mod polyteia;
mod polytomic;
mod polytomic_basic;
mod rest_integrations;
mod standard;

mod common;
mod credentials;
mod custom_header;
mod inserts;
mod management;
mod order;
mod quotas;
mod transport;

use std::collections::HashSet;

use case::Case;
use tower_api_key::profile::Answers;

/// A vendor's name and tables.
const VENDORS: &[(&str, &[&[Case]])] = &[
    ("Personyze", &[personyze::CASES]),
    ("REST API Integrations", &[rest_integrations::CASES]),
    ("Polyteia", &[polyteia::CASES]),
    ("Persona", &[persona::CASES]),
    ("Polytomic", &[polytomic::CASES, polytomic_basic::AS_A_SERVICE]),
    ("Polytomic on premises", &[polytomic_basic::CASES, polytomic_basic::ON_PREMISES]),
    ("no vendor", &[standard::CASES]),
];

/// Lists all rows, each with its vendor's name, and with the vendor's constant and file.
fn rows() -> impl Iterator<Item = (&'static str, Case)> {
    let tables = |(vendor, tables): &'static (&'static str, &[&[Case]])| {
        let cases = tables.iter().flat_map(|table| table.iter());
        cases.flat_map(|case| case.with_each_source()).map(|case| (*vendor, case))
    };
    VENDORS.iter().flat_map(tables)
}

macro_rules! denials {
    ($($name:ident),* $(,)?) => {
        /// The names of all denials.
        const DENIALS: &[&str] = &[$(stringify!($name)),*];

        /// Does not compile while the list lacks one.
        #[allow(dead_code)]
        fn all_denials_are_listed(answers: Answers) {
            let Answers { $($name: _),* } = answers;
        }
    };
}

denials!(
    insecure_transport,
    credentials_missing,
    scheme_unsupported,
    too_many_failures,
    credentials_ambiguous,
    credentials_malformed,
    key_malformed,
    key_unknown,
    key_revoked,
    key_disabled,
    key_not_yet_valid,
    key_expired,
    environment_mismatch,
    network_not_allowed,
    scheme_not_for_kind,
    route_unknown,
    kind_not_allowed,
    account_mismatch,
    header_refused,
    scope_missing,
    rate_limited,
    concurrency_exceeded,
    timed_out,
    internal_error,
    store_unavailable,
    limiter_unavailable,
);

#[tokio::test(start_paused = true)]
async fn every_row_is_answered_to_the_byte() {
    let mut found = Vec::new();
    for (vendor, case) in rows() {
        for difference in Box::pin(case.differences()).await {
            found.push(format!("{vendor}: {difference}"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_vendor_has_a_row_for_every_denial() {
    let mut missing = Vec::new();
    for (vendor, _) in VENDORS {
        let names: HashSet<&str> = rows()
            .filter(|(of, _)| of == vendor)
            .filter_map(|(_, case)| case.reply.denial)
            .collect();
        let lacking = DENIALS.iter().filter(|name| !names.contains(**name));
        missing.extend(lacking.map(|name| format!("{vendor}: {name}")));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn rows_are_told_apart_by_their_names() {
    let mut names = HashSet::new();
    for (vendor, case) in rows().filter(|(_, case)| case.is_of_constant()) {
        assert!(names.insert((vendor, case.name)), "{vendor}: {}", case.name);
    }
}
