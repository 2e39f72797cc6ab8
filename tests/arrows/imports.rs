//! What a source imports, as paths from the root of its crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::source::{code, sources, without_tests};

/// A path, word by word.
type Words = Vec<String>;

/// The modules of a crate: the file of each, and what it imports.
pub(crate) struct Modules {
    /// By the path of the module.
    modules: BTreeMap<Words, Module>,
}

struct Module {
    file: String,
    code: String,
    /// What the module gives another name to, or another place: the last word of the path, and the path.
    exports: BTreeMap<String, Words>,
}

impl Modules {
    /// Reads a folder of sources.
    pub(crate) fn read(root: &Path) -> Self {
        let mut modules = BTreeMap::new();
        for path in sources(root) {
            let file = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let name = file.trim_end_matches(".rs").trim_end_matches("/mod");
            let own: Words = match name {
                "lib" | "main" | "mod" => Vec::new(),
                _ => name.split('/').map(str::to_owned).collect(),
            };
            let code = without_tests(&code(&fs::read_to_string(&path).unwrap()));
            modules.insert(own, Module { file, code, exports: BTreeMap::new() });
        }
        let mut read = Self { modules };
        let names: Vec<Words> = read.modules.keys().cloned().collect();
        for name in names {
            let module = &read.modules[&name];
            let exports = paths(&module.code).into_iter().filter_map(|path| {
                let last = path.last()?.clone();
                Some((last, read.absolute(&name, &path)?))
            });
            let exports = exports.collect();
            read.modules.get_mut(&name).unwrap().exports = exports;
        }
        read
    }

    /// Lists the files that each file imports from. What a `mod.rs` or the root exports is looked for
    /// where it stands.
    pub(crate) fn arrows(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut arrows = BTreeMap::new();
        for (name, module) in &self.modules {
            if is_list(&module.file) {
                continue;
            }
            let paths = paths(&module.code).into_iter();
            let files = paths.filter_map(|path| self.file(&self.absolute(name, &path)?, 0));
            let files = files.filter(|file| *file != module.file && !is_list(file));
            arrows.insert(&*module.file, files.collect());
        }
        arrows
    }

    /// Makes a path one from the root; none, if it leads to another crate.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Words> {
        let mut from = module.to_vec();
        let mut words = path.iter().peekable();
        match words.peek()?.as_str() {
            "crate" => {
                from.clear();
                words.next();
            }
            "self" => {
                words.next();
            }
            "super" => {
                while words.next_if(|word| *word == "super").is_some() {
                    from.pop()?;
                }
            }
            first => {
                from.push(first.to_owned());
                if !self.modules.contains_key(&from) {
                    return None;
                }
                from.pop();
            }
        }
        from.extend(words.cloned());
        Some(from)
    }

    /// Finds the file that a path leads to.
    fn file(&self, path: &[String], depth: usize) -> Option<&str> {
        let longest =
            (0..=path.len()).rev().find(|end| self.modules.contains_key(&path[..*end]))?;
        let module = &self.modules[&path[..longest]];
        let exported = path.get(longest).and_then(|word| module.exports.get(word));
        match exported {
            Some(exported) if is_list(&module.file) && exported != path && depth < 8 => {
                self.file(exported, depth + 1)
            }
            _ => Some(&module.file),
        }
    }
}

fn is_list(file: &str) -> bool {
    ["lib.rs", "main.rs", "mod.rs"].contains(&file) || file.ends_with("/mod.rs")
}

/// Lists the paths that code imports, or names in full.
fn paths(code: &str) -> Vec<Words> {
    let mut found = Vec::new();
    let mut others = String::new();
    let mut rest = code;
    while let Some((before, begin)) = next_use(rest) {
        others.push_str(&rest[..before]);
        let end = rest[begin..].find(';').map_or(rest.len(), |end| begin + end);
        expand(&mut Vec::new(), &rest[begin..end], &mut found);
        rest = &rest[end..];
    }
    others.push_str(rest);
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in others.match_indices(start) {
            let is_start = others[..at]
                .chars()
                .next_back()
                .is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':');
            if is_start {
                let end = others[at..].find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
                let path = &others[at..end.map_or(others.len(), |end| at + end)];
                found.push(
                    path.split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect(),
                );
            }
        }
    }
    found
}

/// Finds the next import: where it stands, and where its path begins.
fn next_use(code: &str) -> Option<(usize, usize)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let found = code
        .match_indices("use ")
        .find(|(at, _)| !code[..*at].chars().next_back().is_some_and(is_word));
    found.map(|(at, word)| (at, at + word.len()))
}

/// Lists the paths of a tree of imports.
fn expand(before: &mut Words, tree: &str, found: &mut Vec<Words>) {
    let tree = tree.trim();
    if let Some(inner) = tree.strip_prefix('{') {
        let inner = inner.strip_suffix('}').unwrap_or(inner);
        let (mut depth, mut from) = (0, 0);
        for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    if !inner[from..at].trim().is_empty() {
                        expand(&mut before.clone(), &inner[from..at], found);
                    }
                    from = at + 1;
                }
                _ => {}
            }
        }
    } else if let Some((word, rest)) = tree.split_once("::") {
        if !word.trim().is_empty() {
            before.push(word.trim().to_owned());
        }
        expand(before, rest, found);
    } else {
        let word = tree.split_whitespace().next().unwrap_or_default();
        let mut path = before.clone();
        if word != "self" && word != "*" {
            path.push(word.to_owned());
        }
        found.push(path);
    }
}
