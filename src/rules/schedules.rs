//! Tests of decisions while a role changes, under many random schedules.

use shuttle::thread;

use super::compiled_scopes::CompiledScopes;
use super::held_scopes::HeldScopes;
use super::roles::Roles;
use super::scope::has_scopes;
use crate::key::ScopeSet;
use crate::sync::explore;

/// A role has `a` or `b`, and never both or none.
#[test]
fn a_decision_reads_one_version_of_a_role() {
    explore("a role that changes", || {
        let roles = Roles::new();
        roles.set("r", ["a"]).unwrap();
        let rules = CompiledScopes::with_roles(None, Some(roles.clone()));
        let changes = thread::spawn(move || {
            roles.set("r", ["b"]).unwrap();
            roles.set("r", ["a"]).unwrap();
        });
        let scopes = ScopeSet::new(["r"]).unwrap();
        let held = || HeldScopes::new(&scopes, rules.as_ref());
        let (pair, single) = ([Box::from(["a", "b"])], [Box::from(["a"]), Box::from(["b"])]);
        for (passes, all_of, any_of, sets) in [
            (false, &["a", "b"][..], None, None),
            (false, &["a"], Some(&["b"][..]), None),
            (false, &[], None, Some(&pair[..])),
            (true, &[], Some(&["a", "b"]), None),
            (true, &[], None, Some(&single)),
        ] {
            let decided = has_scopes(&held(), all_of, any_of, sets);
            assert_eq!(decided.is_ok(), passes, "{all_of:?} {any_of:?} {sets:?}");
        }
        let held = held();
        let (a, b) = (held.contains("a"), held.contains("b"));
        assert_ne!(a, b, "one version has one of them");
        assert_eq!(held.path("a").is_some(), a, "an explanation reads what the decision read");
        assert_eq!(held.path("b").is_some(), b, "an explanation reads what the decision read");
        changes.join().unwrap();
    });
}

#[test]
fn no_change_of_a_role_is_lost() {
    explore("two threads that change roles", || {
        let roles = Roles::new();
        let threads = ["r", "s"].map(|name| {
            let roles = roles.clone();
            thread::spawn(move || {
                roles.set(name, ["a"]).unwrap();
                roles.set(name, [name]).unwrap();
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let (held, table) = (ScopeSet::new(["r", "s"]).unwrap(), roles.load());
        assert!(["r", "s"].into_iter().all(|name| table.find_listing(name, &held) == Some(name)));
        assert_eq!(table.find_listing("a", &held), None);
    });
}
