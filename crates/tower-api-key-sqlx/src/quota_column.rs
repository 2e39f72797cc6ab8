//! Reads and writes quotas as JSON.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::json::{broken, json, write};
use tower_api_key::quota::Quota;
use tower_api_key::store::StoreError;

/// A quota as JSON.
#[derive(Serialize, Deserialize)]
struct QuotaColumn {
    name: String,
    limit: u32,
    /// In nanoseconds.
    window: u64,
    algorithm: String,
    per: String,
    /// Rows of earlier releases lack this field.
    #[serde(default)]
    shadow: bool,
    /// `None`: the gate's own choice applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_failure: Option<String>,
}

/// Reads quotas.
pub(super) fn read_quotas(text: &str) -> Result<Vec<Quota>, StoreError> {
    let columns: Vec<QuotaColumn> = json(text)?;
    let quota = |column: QuotaColumn| {
        let algorithm = column.algorithm.parse().map_err(broken)?;
        let per = column.per.parse().map_err(broken)?;
        let window = Duration::from_nanos(column.window);
        let quota =
            Quota::named(column.name, column.limit, window).with_algorithm(algorithm).with_per(per);
        let quota = if column.shadow { quota.in_shadow() } else { quota };
        Ok(match column.on_failure {
            Some(choice) => quota.with_failure_choice(choice.parse().map_err(broken)?),
            None => quota,
        })
    };
    columns.into_iter().map(quota).collect()
}

/// Writes quotas as JSON.
pub(super) fn write_quotas(quotas: &[Quota]) -> String {
    let columns: Vec<QuotaColumn> = quotas
        .iter()
        .map(|quota| QuotaColumn {
            name: quota.name().to_owned(),
            limit: quota.limit(),
            window: u64::try_from(quota.window().as_nanos()).unwrap_or(u64::MAX),
            algorithm: quota.algorithm().to_string(),
            per: quota.per().to_string(),
            shadow: quota.is_in_shadow(),
            on_failure: quota.failure_choice().map(|choice| choice.to_string()),
        })
        .collect();
    write(&columns)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use tower_api_key::quota::{Algorithm, OnLimiterFailure, Per, Share};

    #[test]
    fn quotas_are_read_as_they_are_written_and_as_they_once_were() {
        let (window, nodes) = (Duration::from_secs(60), NonZeroU32::new(3).unwrap());
        let quotas = [
            Quota::named("minute", 5, window)
                .with_algorithm(Algorithm::LeakyBucket)
                .with_per(Per::Key),
            Quota::by_day("day", 7).in_shadow(),
            Quota::by_month("month", 9),
            Quota::by_month("deny", 9).with_failure_choice(OnLimiterFailure::Deny),
            Quota::by_month("allow", 9).with_failure_choice(OnLimiterFailure::Allow),
            Quota::by_month("local", 9)
                .with_failure_choice(OnLimiterFailure::Local(Share::of(nodes))),
        ];
        assert_eq!(read_quotas(&write_quotas(&quotas)).unwrap(), quotas);
        let old = r#"[{"name":"minute","limit":5,"window":60000000000,
            "algorithm":"fixed_window","per":"account"}]"#;
        assert_eq!(read_quotas(old).unwrap(), [Quota::named("minute", 5, window)]);
        let unknown = old.replace("fixed_window", "guess");
        assert!(read_quotas(&unknown).is_err());
        for (choice, fine) in
            [("deny", true), ("local/2", true), ("local/0", false), ("hope", false)]
        {
            let said = old.replace("}]", &format!(r#","on_failure":"{choice}"}}]"#));
            assert_eq!(read_quotas(&said).is_ok(), fine, "{choice}");
        }
    }
}
