//! Files that import each other, be it over others.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::Modules;
use super::source::packages;

/// The circles that may be, and why.
const CIRCLES: &[(&str, &[&str], &str)] = &[
    (
        "tower-api-key",
        &[
            "decision/observed_request.rs",
            "decision/observed_wait.rs",
            "decision/request_counter.rs",
        ],
        "a request and its waits lead to the counter of their layer, which counts them",
    ),
    ("tower-api-key", &["service/builder/layer_builder.rs", "service/layer.rs"], BUILDER),
    ("tower-api-key", &["shaping/builder.rs", "shaping/layer.rs"], BUILDER),
    ("tower-api-key", &["store/cached/builder.rs", "store/cached/cache.rs"], BUILDER),
    ("tower-api-key", &["store/replica/builder.rs", "store/replica/replicated.rs"], BUILDER),
    ("tower-api-key", &["usage/recorder.rs", "usage/recorder_builder.rs"], BUILDER),
    ("tower-api-key-redis", &["builder.rs", "limiter.rs"], BUILDER),
    ("tower-api-key-sqlx", &["builder.rs", "connect.rs"], BUILDER),
    ("tower-api-key-webhooks", &["builder.rs", "webhook.rs"], BUILDER),
];
const BUILDER: &str = "a type returns its builder, which makes the type";

/// Lists the groups of files of which each imports every other, directly or over others.
fn circles<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<BTreeSet<&'a str>> {
    let reached = |from: &'a str| {
        let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(file) = next.pop() {
            for to in arrows.get(file).into_iter().flatten() {
                if reached.insert(*to) {
                    next.push(to);
                }
            }
        }
        reached
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        arrows.keys().map(|file| (*file, reached(file))).collect();
    let circle = |file: &&'a str| -> BTreeSet<&'a str> {
        let others = reached[*file].iter().copied();
        others.filter(|other| reached.get(other).is_some_and(|back| back.contains(*file))).collect()
    };
    arrows.keys().map(circle).filter(|circle| circle.len() > 1).collect()
}

#[test]
fn no_files_import_each_other_save_those_with_a_reason() {
    let mut wrong = Vec::new();
    let mut unused: BTreeSet<_> =
        CIRCLES.iter().map(|(package, files, _)| (*package, *files)).collect();
    for (package, root) in packages() {
        let modules = Modules::read(&root);
        let mut arrows = modules.arrows();
        // What the rooms of the core may import from each other stands above.
        if package == "tower-api-key" {
            let room = |file: &str| file.split('/').next().unwrap().to_owned();
            for (file, others) in &mut arrows {
                others.retain(|other| room(other) == room(file));
            }
        }
        for circle in circles(&arrows) {
            let circle: Vec<&str> = circle.into_iter().collect();
            let allowed =
                CIRCLES.iter().find(|(name, files, _)| *name == package && *files == circle);
            match allowed {
                Some((name, files, reason)) => {
                    assert!(!reason.is_empty());
                    unused.remove(&(*name, *files));
                }
                None => wrong.push(format!("{package}: {circle:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(unused.is_empty(), "no circles any more: {unused:?}");
}
