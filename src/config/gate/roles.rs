//! Roles, as they stand in a file.

use crate::config::named::NamedTable;
use crate::config::read::{Contradiction, Path};
use crate::key::ScopeSet;
use crate::rules::Roles;

/// Scopes by the name of the role that stands for them.
pub(in crate::config) type RolesTable = NamedTable<Vec<String>>;

/// Describes the roles; `None` if there are none.
pub(in crate::config) fn describe(
    table: &RolesTable,
    found: &mut Vec<Contradiction>,
) -> Option<Roles> {
    let roles = Roles::new();
    let path = Path::default().field("roles");
    for (name, scopes) in &table.0 {
        let path = path.field(name);
        if let Err(problem) = ScopeSet::new([name]) {
            found.push(Contradiction::new(path, &problem).at_name());
            continue;
        }
        let numbered = scopes.iter().enumerate();
        found.extend(numbered.filter_map(|(index, scope)| {
            let problem = ScopeSet::new([scope]).err()?;
            Some(Contradiction::new(path.item(index), &problem))
        }));
        if let Err(problem) = roles.set(name, scopes)
            && scopes.iter().all(|scope| ScopeSet::new([scope]).is_ok())
        {
            found.push(Contradiction::new(path, &problem));
        }
    }
    (!table.is_empty()).then_some(roles)
}
