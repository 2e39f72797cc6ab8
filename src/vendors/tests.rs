//! Each vendor issues keys that its own formats read.

use super::*;
use crate::key::{Issuer, KeyHasher};

#[test]
fn every_vendor_reads_the_keys_that_are_issued_for_it() {
    for (profile, issued, environments) in [
        (&PERSONYZE, personyze::ISSUED, &[None][..]),
        (&REST_INTEGRATIONS, rest_integrations::ISSUED, &[None]),
        (&POLYTEIA, polyteia::ISSUED, &[None]),
        (&PERSONA, persona::ISSUED, &[Some("sandbox"), Some("production")]),
        (&POLYTOMIC, polytomic::ISSUED, &[None]),
        (&POLYTOMIC_ON_PREMISES, polytomic::ISSUED, &[None]),
    ] {
        for environment in environments {
            let key = Issuer::new(issued, KeyHasher::sha256()).issue(*environment).unwrap();
            let text = key.expose().as_bytes();
            let format = profile.formats.iter().find(|format| format.matches(text));
            let named = format.unwrap().environment_of(text);
            assert_eq!(named, *environment, "{}", profile.name);
        }
    }
}
