//! Plans, as they stand in a file.

use crate::config::named::NamedTable;
use crate::config::quota::{QuotaTable, describe_all};
use crate::config::read::{Contradiction, Path};
use crate::limits::Plans;

/// Quotas by the name of the plan.
pub(in crate::config) type PlansTable = NamedTable<Vec<QuotaTable>>;

/// Describes the plans; `None` if there are none.
pub(super) fn describe(table: &PlansTable, found: &mut Vec<Contradiction>) -> Option<Plans> {
    let plans = Plans::new();
    let path = Path::default().field("plans");
    for (name, quotas) in &table.0 {
        let path = path.field(name);
        match describe_all(quotas, &path) {
            // The quotas are checked, so only the name can be wrong.
            Ok(quotas) => {
                let set = plans.set(name, quotas);
                found.extend(set.err().map(|problem| Contradiction::new(path, &problem).at_name()));
            }
            Err(contradiction) => found.push(contradiction),
        }
    }
    (!table.is_empty()).then_some(plans)
}
