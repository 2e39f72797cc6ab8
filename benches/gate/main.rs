//! What the gate costs, in ratios to what it is compared with, taken in one interleaved run.
#![allow(clippy::expect_used, clippy::panic, missing_docs)]
mod harness;
mod peers;
mod subject;

use harness::{Case, interleave};
use http::HeaderValue;
use subject::*;

fn main() {
    let keys = Keys::issue(
        std::env::var("KEYS").ok().and_then(|k| k.parse().ok()).unwrap_or(1_000_000),
        1,
    );
    let mut order: Vec<usize> = (0..keys.texts.len()).collect();
    use rand::SeedableRng;
    use rand::seq::SliceRandom;
    order.shuffle(&mut rand::rngs::SmallRng::seed_from_u64(7));
    let hot: Vec<String> = order[..HOT].iter().map(|i| keys.texts[*i].clone()).collect();
    let feed = |hot_only: bool, write: fn(&str) -> Option<HeaderValue>| {
        let (texts, order, hot) = (&keys.texts, &order, &hot);
        let mut at = 0usize;
        move || {
            at += 1;
            let text = if hot_only { &hot[at % HOT] } else { &texts[order[at % order.len()]] };
            request("/v1/users", write(text))
        }
    };
    let mut none = nothing();
    let mut constant = peers::constant(&hot[0]);
    let mut composed = peers::composed(&keys.texts);
    let mut full = gate(PROFILE, &keys.store, routes(), 20_000);
    let mut bare = gate(BARE, &keys.store, routes(), 20_001);
    let mut full_cold = gate(PROFILE, &keys.store, routes(), 20_000);
    if std::env::var("GRIND").is_err() {
        timed(&mut full_cold, 200, keys.texts.len(), feed(false, bearer));
    }
    let mut composed_cold = composed.clone();
    if std::env::var("GRIND").is_err() {
        timed(&mut composed_cold, 200, keys.texts.len(), feed(false, bearer));
    }
    if let Ok(which) = std::env::var("GRIND") {
        use tower::Layer;
        use tower_api_key::*;
        const NOC: Profile = Profile {
            quotas: &[],
            formats: &[tower_api_key::key::KeyFormat::new().between(
                tower_api_key::key::Alphabet::Token,
                16,
                64,
            )],
            ..BARE
        };
        let mut min = ApiKeyLayer::builder(NOC, keys.store.clone())
            .without_grant()
            .build()
            .unwrap()
            .layer(nothing());
        let which = match &*which {
            "min" => &mut min,
            "bare" => &mut bare,
            _ => &mut full,
        };
        for _ in 0..100 {
            timed(which, 200, 64, feed(true, bearer));
        }
        return;
    }
    if std::env::var("PROFILE").is_ok() {
        use tower::Layer;
        use tower_api_key::limits::*;
        use tower_api_key::*;
        let b = |p: Profile| ApiKeyLayer::builder(p, keys.store.clone());
        let l = |b: tower_api_key::ApiKeyLayerBuilder| b.build().unwrap().layer(nothing());
        const NOQ: Profile = Profile { quotas: &[], ..BARE };
        const NOC: Profile = Profile {
            formats: &[tower_api_key::key::KeyFormat::new().between(
                tower_api_key::key::Alphabet::Token,
                16,
                64,
            )],
            ..NOQ
        };
        let mut min = l(b(NOC).without_grant());
        let mut chk = l(b(NOQ).without_grant());
        let mut rts = l(b(NOQ).without_grant().routes(routes()));
        let mut lim = l(b(BARE)
            .without_grant()
            .routes(routes())
            .limits(MemoryLimiter::new(), OnLimiterFailure::Deny)
            .clock(Fast::new(20_000)));
        if std::env::var("COLD").is_ok() { for _ in 0..200 { timed(&mut full_cold, 200, 8192, feed(false, bearer)); } return; }
        if std::env::var("MIN").is_ok() {
            for _ in 0..400 {
                timed(&mut min, 200, 8192, feed(true, bearer));
            }
            return;
        }
        if std::env::var("LIM").is_ok() {
            for _ in 0..400 {
                timed(&mut lim, 200, 8192, feed(true, bearer));
            }
            return;
        }
        let mut none = nothing();
        let f = || feed(true, bearer);
        let mut auth = peers::auth_only(&keys.texts);
        let cases = vec![
            {
                let mut g = f();
                Case::new("none", move |n| timed(&mut none, 200, n, &mut g))
            },
            {
                let mut g = f();
                Case::new("min", move |n| timed(&mut min, 200, n, &mut g))
            },
            {
                let mut g = f();
                Case::new("+checksum", move |n| timed(&mut chk, 200, n, &mut g))
            },
            {
                let mut g = f();
                Case::new("+routes", move |n| timed(&mut rts, 200, n, &mut g))
            },
            {
                let mut g = f();
                Case::new("+limits", move |n| timed(&mut lim, 200, n, &mut g))
            },
            {
                let mut g = f();
                Case::new("full", move |n| timed(&mut full, 200, n, &mut g))
            },
            {
                let mut g = f();
                Case::new("composed", move |n| timed(&mut composed, 200, n, &mut g))
            },
        ];
        let mut cases = cases;
        cases.push({
            let mut g = f();
            Case::new("auth", move |n| timed(&mut auth, 200, n, &mut g))
        });
        let series = interleave(cases, 300, 2048);
        for s in &series {
            print!("{} {:.0}  ", s.name, s.nanoseconds());
        }
        println!(" ratio {:.2}", series[6].times(&series[5]));
        return;
    }
    let h0 = hot[0].clone();
    let mut f = [
        feed(true, bearer),
        feed(true, bearer),
        feed(true, basic),
        feed(true, bearer),
        feed(true, bearer),
        feed(false, bearer),
        feed(false, bearer),
    ];
    let [f0, f1, f2, f3, f4, f5, f6] = &mut f;
    let cases = vec![
        Case::new("no gate", move |n| timed(&mut none, 200, n, &mut *f0)),
        Case::new("constant", move |n| {
            timed(&mut constant, 200, n, || request("/v1/users", bearer(&h0)))
        }),
        Case::new("hot full bearer", |n| timed(&mut full, 200, n, &mut *f1)),
        Case::new("hot bare bearer", |n| timed(&mut bare, 200, n, &mut *f3)),
        Case::new("hot composed", |n| timed(&mut composed, 200, n, &mut *f4)),
        Case::new("cold full", |n| timed(&mut full_cold, 200, n, &mut *f5)),
        Case::new("cold composed", |n| timed(&mut composed_cold, 200, n, &mut *f6)),
    ];
    let series = interleave(cases, 200, 4096);
    for s in &series {
        println!("{:<20} {:8.0}  x{:.2}", s.name, s.nanoseconds(), s.times(&series[0]));
    }
    println!("hot composed/full {:.2} (2.2)", series[4].times(&series[2]));
    println!("cold composed/full {:.2} (3)", series[6].times(&series[5]));
    println!("bare/constant {:.2} (4.5)", series[3].times(&series[1]));
}
