//! The table of a file that belongs to the program which serves.

use super::read::{FaultKind, FieldProblem, Found, Path, Repairs};
use super::report::FrontDoorError;
use super::text::{Node, SourceText};

/// A contradiction in the program's own table, for [`FrontDoor::read_with`](super::FrontDoor::read_with).
///
/// ```
/// use tower_api_key::config::SectionMistake;
///
/// let mistake = SectionMistake::new("upstreams[1].address", "no upstream can be reached at port 0: write its port");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionMistake {
    field: String,
    problem: String,
}

impl SectionMistake {
    /// Creates a mistake from the path of the field that has to change, as `upstreams[1].address`, and the problem with
    /// its remedy.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }

    pub(super) fn field(&self) -> &str {
        &self.field
    }

    pub(super) fn problem(&self) -> &str {
        &self.problem
    }
}

/// Refuses a file with these mistakes, unless there are none.
pub(super) fn refuse(
    mistakes: &[SectionMistake],
    source: &SourceText,
    root: &Node,
) -> Result<(), FrontDoorError> {
    if mistakes.is_empty() {
        return Ok(());
    }
    let as_it_is = Repairs::default();
    let found = mistakes.iter().map(|mistake| {
        let (node, _) = Path::written(mistake.field()).find(root, &as_it_is);
        Found { kind: FaultKind::Problem(FieldProblem::new(mistake.problem())), node: node.id }
    });
    Err(FrontDoorError::of_values(source, root, &found.collect::<Vec<_>>()))
}
