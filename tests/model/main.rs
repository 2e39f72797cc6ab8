//! An independent model of the gate, written from what the vendors document and from nothing of the
//! crate's code; it is slow and obvious. Both get the same random requests, and every decision, status,
//! documented body, challenge and limit header has to agree. `MODEL_REQUESTS` sets how many. A second model is of policies;
//! the databases are compared with it, too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::cast_possible_truncation, clippy::large_types_passed_by_value)]

pub(crate) mod choices;
pub(crate) mod client;
pub(crate) mod compare;
pub(crate) mod credential;
pub(crate) mod family;
pub(crate) mod gate;
pub(crate) mod generator;
pub(crate) mod grpc;
pub(crate) mod handshake;
pub(crate) mod holder;
pub(crate) mod judge;
pub(crate) mod path;
pub(crate) mod policy_model;
pub(crate) mod policy_steps;
pub(crate) mod presented;
pub(crate) mod proxied;
pub(crate) mod question;
pub(crate) mod spoil;
pub(crate) mod vendor;
pub(crate) mod window;

#[cfg(test)]
mod policies;

#[cfg(all(test, feature = "config"))]
#[path = "../support/vendor_files.rs"]
mod vendor_files;

#[cfg(test)]
mod the_gate_agrees_with_its_model {
    use std::env;

    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    #[cfg(feature = "config")]
    use tower_api_key::{ApiKeyLayer, Profile};

    use super::compare::Pairs;
    use super::gate::{Begin, of_constant};
    use super::vendor::{Reason, VENDORS};
    #[cfg(feature = "config")]
    use super::{gate::PROFILES, vendor_files::VendorFile};

    const REASONS: [Reason; 15] = [
        Reason::PlainHttp,
        Reason::Missing,
        Reason::Ambiguous,
        Reason::Malformed,
        Reason::NotAKey,
        Reason::Unknown,
        Reason::Dead,
        Reason::Network,
        Reason::Kind,
        Reason::Account,
        Reason::Header,
        Reason::Route,
        Reason::Scope,
        Reason::Limit,
        Reason::StoreDown,
    ];

    /// Lists where the gates get a vendor's profile. Each of them gets the same share of the requests.
    fn sources(vendor: usize) -> Vec<Begin> {
        #[cfg(feature = "config")]
        if file(vendor).is_some() {
            let of_file: Begin = |vendor, store| {
                let begin = |profile: Profile<'_>| ApiKeyLayer::builder(profile, store);
                file(vendor).unwrap().door().with_profile(begin)
            };
            return vec![of_constant, of_file];
        }
        let _ = vendor;
        vec![of_constant]
    }

    #[cfg(feature = "config")]
    fn file(vendor: usize) -> Option<&'static VendorFile> {
        VendorFile::of(&PROFILES[vendor].0)
    }

    /// Asks a vendor's share of all requests. Each reason to refuse comes up, and many are served.
    async fn agrees(name: &str) {
        let all = env::var("MODEL_REQUESTS").map_or(50_000, |text| text.parse().unwrap());
        let wanted = all / VENDORS.len() as u64;
        let vendor = VENDORS.iter().position(|vendor| vendor.name == name).unwrap();
        let mut pairs = Pairs::of(vendor, &sources(vendor));
        let mut seed = 0;
        while pairs.asked.values().sum::<u64>() < wanted {
            seed += 1;
            let mut random = StdRng::seed_from_u64(seed);
            let length = random.random_range(0..600);
            let bytes: Vec<u8> = (0..length).map(|_| random.random()).collect();
            if let Err(differences) = pairs.run(&bytes).await {
                panic!("seed {seed}: {differences}");
            }
        }
        let times = |reason| pairs.asked.get(&(vendor, reason)).copied().unwrap_or(0);
        let line: Vec<_> = REASONS.iter().map(|reason| times(Some(*reason))).collect();
        println!("{name:24} served {:6}, refused {line:?}", times(None));
        assert!(times(None) > all / 100, "{name} serves hardly anyone");
        let [served, refused] = pairs.networks;
        println!("{name:24} networks served {served:6}, refused {refused}");
        assert!(served > 0 && refused > 0, "{name} limits no network");
        for reason in REASONS {
            let never = reason == Reason::Header && VENDORS[vendor].demands.is_none();
            assert_eq!(times(Some(reason)) == 0, never, "{name}: {reason:?}");
        }
    }

    /// Writes a test for each vendor.
    macro_rules! vendors {
        ($($test:ident: $name:literal,)*) => {
            $(
                #[tokio::test]
                async fn $test() {
                    agrees($name).await;
                }
            )*

            #[test]
            fn every_vendor_has_a_test() {
                assert!(VENDORS.iter().map(|vendor| vendor.name).eq([$($name),*]));
            }
        };
    }

    vendors! {
        personyze: "Personyze",
        rest_integrations: "REST API Integrations",
        polyteia: "Polyteia",
        persona: "Persona",
        polytomic: "Polytomic",
        polytomic_on_premises: "Polytomic on premises",
        imports_once: "Imports, once",
        imports: "Imports",
        pairs: "Pairs",
        families: "Families",
        sockets: "Sockets",
    }
}
