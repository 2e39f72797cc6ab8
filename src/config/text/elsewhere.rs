//! Fields that are taken from the environment or from another file.

use std::path::{Path, PathBuf};

use super::bounded::read_at_most;
use super::node::{Content, Node, NodeId, Origin};

/// The most bytes of a file that a field is taken from. A secret or an address is far shorter.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// What a file can take fields from.
pub(in crate::config) trait Surroundings {
    /// Returns the value of an environment variable, or why there is none.
    fn variable(&self, name: &str) -> Result<String, String>;

    /// Returns the text of a file, or why there is none.
    fn file(&self, path: &str) -> Result<String, String>;
}

/// The process's environment, and files. Relative paths start in the folder of the front door's file.
pub(in crate::config) struct SystemSurroundings {
    pub(in crate::config) folder: PathBuf,
}

impl Surroundings for SystemSurroundings {
    fn variable(&self, name: &str) -> Result<String, String> {
        match std::env::var(name) {
            Ok(value) => Ok(value),
            Err(std::env::VarError::NotPresent) => {
                Err("the environment variable is not set".to_owned())
            }
            Err(std::env::VarError::NotUnicode(_)) => {
                Err("the environment variable is not UTF-8".to_owned())
            }
        }
    }

    fn file(&self, path: &str) -> Result<String, String> {
        let path = self.folder.join(Path::new(path));
        let unreadable = |error: std::io::Error| format!("the file cannot be read: {error}");
        read_at_most(&path, MAX_FILE_BYTES)
            .map_err(unreadable)?
            .ok_or_else(|| format!("the file has more than {MAX_FILE_BYTES} bytes"))
    }
}

/// Replaces every `{ env = "NAME" }` and `{ file = "PATH" }` by what it names, and tells those that name nothing.
///
/// The shape of a JSON body is left alone: a vendor's error may have a field `file`.
pub(in crate::config) fn fill_in(
    root: &mut Node,
    surroundings: &dyn Surroundings,
) -> Vec<(NodeId, String)> {
    let mut missing = Vec::new();
    // A file is no field, so `env = "NAME"` alone in it is one.
    fill_inside(root, surroundings, &mut missing);
    missing
}

fn fill(node: &mut Node, surroundings: &dyn Surroundings, missing: &mut Vec<(NodeId, String)>) {
    if let Some(origin) = named_by(node) {
        let value = match &origin {
            Origin::Environment(name) => surroundings.variable(name),
            Origin::File(path) => surroundings.file(path).map(without_line_end),
            Origin::Here => return,
        };
        match value {
            Ok(text) => node.content = Content::Text(text),
            Err(problem) => missing.push((node.id, problem)),
        }
        node.origin = origin;
        return;
    }
    fill_inside(node, surroundings, missing);
}

fn fill_inside(
    node: &mut Node,
    surroundings: &dyn Surroundings,
    missing: &mut Vec<(NodeId, String)>,
) {
    match &mut node.content {
        Content::List(items) => items.iter_mut().for_each(|item| fill(item, surroundings, missing)),
        Content::Table(fields) => {
            for field in fields.iter_mut().filter(|field| field.name != "json") {
                fill(&mut field.value, surroundings, missing);
            }
        }
        _ => {}
    }
}

/// Secrets in files end with a line's end, because editors and `echo` write one.
fn without_line_end(mut text: String) -> String {
    let kept = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(kept);
    text
}

fn named_by(node: &Node) -> Option<Origin> {
    let Content::Table(fields) = &node.content else { return None };
    let [field] = fields.as_slice() else { return None };
    let Content::Text(named) = &field.value.content else { return None };
    match field.name.as_str() {
        "env" => Some(Origin::Environment(named.clone())),
        "file" => Some(Origin::File(named.clone())),
        _ => None,
    }
}
