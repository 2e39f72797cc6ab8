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

/// A metric of `tower-api-key-redis`.
struct RedisMetric {
    name: String,
    is_histogram: bool,
    labels: BTreeSet<String>,
}

/// The metrics of `tower-api-key-redis`, as its source has them.
fn of_redis() -> Vec<RedisMetric> {
    let source = read("crates/tower-api-key-redis/src/redis_metrics.rs");
    let constants = source.lines().filter_map(|line| line.strip_prefix("const "));
    let metric = |constant: &str| {
        let name = constant.split('"').nth(1)?.to_owned();
        let constant = constant.split(':').next()?;
        // Each handle is made as `counter!(CHARGES, "way" => …)`.
        let made = format!("!({constant}, \"");
        let handles = source.split(&made).skip(1);
        let labels = handles.filter_map(|rest| rest.split_once("\" =>"));
        let labels = labels.map(|(label, _)| label.to_owned()).filter(|label| !label.contains('"'));
        let is_histogram = name.ends_with("_seconds");
        Some(RedisMetric { is_histogram, labels: labels.collect(), name })
    };
    constants.filter_map(metric).collect()
}

/// Every series that Prometheus gets, by the name of its metric.
fn series() -> Vec<(String, String)> {
    let core = Metric::all()
        .map(|metric| (metric.name().to_owned(), metric.kind() == MetricKind::Histogram));
    let mut series = Vec::new();
    let redis = of_redis().into_iter().map(|metric| (metric.name, metric.is_histogram));
    for (name, is_histogram) in core.chain(redis) {
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
        // The variable of data sources asks for no metric.
        if asked.is_empty() {
            continue;
        }
        let is_asked = |name: &str| asked.iter().any(|it| it.starts_with(name));
        let core = Metric::all().find(|metric| is_asked(metric.name()));
        let core = core.map(|metric| {
            metric.labels().iter().map(|label| label.replace('.', "_")).collect::<BTreeSet<_>>()
        });
        let of_redis = || of_redis().into_iter().find(|metric| is_asked(&metric.name));
        let labels = core.or_else(|| of_redis().map(|metric| metric.labels));
        let labels = labels.unwrap_or_else(|| panic!("no metric in {text}"));
        let by = text.split("by (").skip(1).filter_map(|rest| rest.split(')').next());
        for label in by.flat_map(|list| list.split(',')).map(str::trim) {
            let is_known = ADDED.contains(&label) || labels.iter().any(|known| known == label);
            assert!(is_known, "`{label}` in {text}");
            groups += 1;
        }
        assert!(!text.contains("vendor=~") || labels.iter().any(|it| it == "vendor"), "{text}");
    }
    assert!(groups > 20, "only {groups} groups were found");
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
    let of_redis = of_redis();
    assert_eq!(of_redis.iter().map(|metric| metric.labels.len()).sum::<usize>(), 2);
    for RedisMetric { name, labels: known, .. } in of_redis {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{name}`")));
        let row = row.unwrap_or_else(|| panic!("docs/telemetry.md lacks `{name}`"));
        let cell = row.split('|').nth(2).unwrap();
        let labels: BTreeSet<_> = cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        assert_eq!(labels, known, "{row}");
    }
    let known: BTreeSet<_> = series().into_iter().map(|(_, metric)| metric).collect();
    for name in names(&page) {
        assert!(known.contains(&name), "docs/telemetry.md has `{name}`, which is not emitted");
    }
}
