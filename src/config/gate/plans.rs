//! Plans, as they stand in a file.

use crate::config::named::NamedTable;
use crate::config::quota::{QuotaTable, describe_all};
use crate::config::read::{Contradiction, Path};
use crate::key::PlanName;
use crate::limits::Plans;

/// Quotas by the name of the plan.
pub(in crate::config) type PlansTable = NamedTable<Vec<QuotaTable>>;

/// Describes the plans; `None` if there are none.
pub(in crate::config) fn describe(
    table: &PlansTable,
    found: &mut Vec<Contradiction>,
) -> Option<Plans> {
    let mut described = Vec::with_capacity(table.0.len());
    let path = Path::default().field("plans");
    for (name, quotas) in &table.0 {
        let path = path.field(name);
        match describe_all(quotas, &path) {
            Ok(quotas) => match PlanName::new(name) {
                Ok(name) => described.push((name, quotas)),
                Err(problem) => found.push(Contradiction::new(path, &problem).at_name()),
            },
            Err(contradiction) => found.push(contradiction),
        }
    }
    let plans = Plans::new();
    // All at once: each change copies the set. Names and quotas are checked.
    if let Err(problem) = plans.set_all(described) {
        found.push(Contradiction::new(path, &problem));
    }
    (!table.is_empty()).then_some(plans)
}
