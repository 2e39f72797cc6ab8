//! The dashboard for Grafana and the page about telemetry, compared with the metrics that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tower_api_key::telemetry::{Metric, MetricKind};

/// What every metric's name begins with.
const PREFIX: &str = "tower_api_key_";

/// The labels that Prometheus adds.
const ADDED: [&str; 2] = ["le", "instance"];

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(path)).unwrap()
}

/// Collects the queries of a dashboard: those of panels, and those of variables.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let ("expr" | "query" | "definition", Value::String(text)) = (&**name, value) {
                    found.push(text.clone());
                }
                queries(value, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}

/// Finds the names of metrics in a text.
fn names(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let words = text.split(|c| !is_part(c));
    words.filter(|word| word.starts_with(PREFIX)).map(str::to_owned).collect()
}

/// The names of the metrics of `tower-api-key-redis`, as its source has them, each with true for a histogram.
fn of_redis() -> Vec<(String, bool)> {
    let source = read("crates/tower-api-key-redis/src/redis_metrics.rs");
    let constants = source.lines().filter(|line| line.starts_with("const "));
    let names = constants.filter_map(|line| line.split('"').nth(1));
    names.map(|name| (name.to_owned(), name.ends_with("_seconds"))).collect()
}

/// Every series that Prometheus gets, by the name of its metric.
fn series() -> Vec<(String, String)> {
    let core = Metric::all()
        .map(|metric| (metric.name().to_owned(), metric.kind() == MetricKind::Histogram));
    let mut series = Vec::new();
    for (name, is_histogram) in core.chain(of_redis()) {
        let suffixes: &[&str] = if is_histogram { &["_bucket", "_count", "_sum"] } else { &[""] };
        series.extend(suffixes.iter().map(|suffix| (format!("{name}{suffix}"), name.clone())));
    }
    series
}

#[test]
fn the_dashboard_asks_for_metrics_that_exist_and_for_each_of_them() {
    let dashboard: Value = serde_json::from_str(&read("docs/grafana/tower-api-key.json")).unwrap();
    let (mut texts, series) = (Vec::new(), series());
    queries(&dashboard, &mut texts);
    assert!(texts.len() > 20, "only {} queries were found", texts.len());
    let mut asked = BTreeSet::new();
    for name in texts.iter().flat_map(|text| names(text)) {
        let found = series.iter().find(|(series, _)| *series == name);
        let (_, metric) = found.unwrap_or_else(|| panic!("`{name}` is not emitted"));
        asked.insert(metric.clone());
    }
    let existing: BTreeSet<_> = series.into_iter().map(|(_, metric)| metric).collect();
    assert_eq!(asked, existing, "what the dashboard asks for, and what exists");
}

#[test]
fn the_dashboard_groups_by_labels_that_its_metrics_have() {
    let dashboard: Value = serde_json::from_str(&read("docs/grafana/tower-api-key.json")).unwrap();
    let mut texts = Vec::new();
    queries(&dashboard, &mut texts);
    let mut groups = 0;
    for text in &texts {
        let asked = names(text);
        let Some(metric) =
            Metric::all().find(|metric| asked.iter().any(|name| name.starts_with(metric.name())))
        else {
            continue;
        };
        let labels: Vec<_> = metric.labels().iter().map(|label| label.replace('.', "_")).collect();
        let by = text.split("by (").skip(1).filter_map(|rest| rest.split(')').next());
        for label in by.flat_map(|list| list.split(',')).map(str::trim) {
            let is_known = ADDED.contains(&label) || labels.iter().any(|known| known == label);
            assert!(is_known, "`{label}` in {text}");
            groups += 1;
        }
        assert!(!text.contains("vendor=~") || labels.iter().any(|it| it == "vendor"), "{text}");
    }
    assert!(groups > 10, "only {groups} groups were found");
}

/// Prometheus has no empty labels, so a legend would show its own placeholder for them.
#[test]
fn a_panel_by_route_names_requests_without_a_route() {
    let dashboard: Value = serde_json::from_str(&read("docs/grafana/tower-api-key.json")).unwrap();
    let mut texts = Vec::new();
    queries(&dashboard, &mut texts);
    let by_route: Vec<_> = texts.iter().filter(|text| text.contains("by (http_route)")).collect();
    assert_eq!(by_route.len(), 2, "{by_route:?}");
    for text in by_route {
        assert!(text.contains(r#""http_route", "(no route)", "http_route", """#), "{text}");
    }
}

#[test]
fn the_page_lists_every_metric_with_its_labels() {
    let page = read("docs/telemetry.md");
    for metric in Metric::all() {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{}`", metric.name())));
        let row = row.unwrap_or_else(|| panic!("docs/telemetry.md lacks `{}`", metric.name()));
        let cell = row.split('|').nth(2).unwrap();
        let labels: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
        assert_eq!(labels, metric.labels(), "{row}");
    }
    for (name, _) in of_redis() {
        assert!(page.contains(&format!("| `{name}`")), "docs/telemetry.md lacks `{name}`");
    }
    let known: BTreeSet<_> = series().into_iter().map(|(_, metric)| metric).collect();
    for name in names(&page) {
        assert!(known.contains(&name), "docs/telemetry.md has `{name}`, which is not emitted");
    }
}
