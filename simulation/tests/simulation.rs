//! What a fleet promises, in a quick run of each scenario.

use simulation::limits::LimitFigures;
use simulation::report::Report;
use simulation::scenarios::Size;
use simulation::store_mode::StoreMode;
use simulation::stores::StoreFigures;

const FLEET: Size = Size { nodes: 64, rate: 10.0, lasts: 30_000 };

/// What a drift of 450 millionths adds to 5 s, rounded up, in milliseconds.
const DRIFT: u64 = 3;

#[test]
fn no_scenario_passes_more_than_the_limit() {
    for scenario in FLEET.all() {
        let figures = scenario.run(7);
        assert!(figures.above <= scenario.bound, "{}: {figures:?}", scenario.name);
        assert!(figures.ends[0] > 100, "{}: {figures:?}", scenario.name);
    }
}

#[test]
fn leases_save_nine_of_ten_round_trips_at_steady_load() {
    let LimitFigures { trips, ends, .. } = FLEET.steady().run(7);
    assert!(trips <= 0.1, "{trips} a request, {ends:?}");
    assert!(FLEET.without_leases().run(7).trips > 0.9, "the counts are real");
}

#[test]
fn a_quota_is_used_after_load_has_shifted() {
    let figures = FLEET.shift().run(7);
    assert!(figures.under_use <= 0.3, "{figures:?}");
}

#[test]
fn no_answer_is_older_than_stated_and_revocations_are_seen_at_once() {
    for scenario in FLEET.all_stores() {
        let figures = scenario.run(7);
        let (name, mode) = (&scenario.name, scenario.mode);
        assert!(figures.stalest <= scenario.bound + DRIFT, "{mode:?}, {name}: {figures:?}");
        assert!(figures.requests > 1_000, "{mode:?}, {name}: {figures:?}");
    }
    for mode in StoreMode::ALL {
        let StoreFigures { seen: [_, most, _], failed, .. } = FLEET.lookups(mode).run(7);
        assert!(most <= 20, "{mode:?}: 99 % of revocations within {most} ms");
        assert_eq!(failed, 0, "{mode:?}");
    }
}

#[test]
fn a_dead_database_costs_a_replica_no_request_within_its_grace() {
    let scenario = FLEET.database_fails_over_in_grace(StoreMode::Replica);
    let figures = scenario.run(7);
    assert_eq!((figures.failed, figures.waited), (0, 0), "{figures:?}");
}

#[test]
fn the_same_seed_prints_the_same() {
    let small = Size { nodes: 16, rate: 10.0, lasts: 24_000 };
    let print = |seed| Report { size: small, seed, only: String::new() }.to_string();
    let printed = print(7);
    assert_eq!(printed, print(7));
    assert_ne!(printed, print(8));
}
