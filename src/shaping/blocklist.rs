//! The attributes that never leave.

use std::str::FromStr;
use std::sync::Arc;

/// What a path begins with that counts from the root of the document (RFC 9535 §2.2).
const ROOT: &str = "$.";

/// What names in a path may have besides letters and digits. Any other sign is one of another notation, and ignoring
/// it would make of `items[0].ssn` a path that blocks nothing.
const NAME_SIGNS: [char; 2] = ['_', '-'];

/// What each name of a chain begins with. No folded name has it.
const SEPARATOR: char = '.';

/// A list of attributes that are removed from JSON, each with all that it contains.
///
/// A path is the names of nested members, with dots between them. Arrays on the way have no name: every element is
/// searched. A path applies wherever its members are nested like this, at any depth, so `birthdate` blocks every
/// `birthdate`. A path that begins with `$.` counts from the root only.
///
/// Names match in every case: letters are compared without case, and only letters and digits count. So `name-first`
/// also blocks `nameFirst`, `NAME_FIRST` and `namefirst`. A dot in a member's name counts as nesting. Names are not
/// normalized: write a letter with an accent as the service writes it.
///
/// A name in a path has letters, digits, `_` and `-` only. For a member with other signs, leave them out or write `-`:
/// `ref` blocks `$ref`, and `first-name` blocks `first name`. Other notations are invalid, because their signs would
/// not count:
///
/// * not `items[0].ssn`, `items.*.ssn` or `/items/ssn`, but `items.ssn`;
/// * not `ssn;birthdate` or `ssn birthdate`, but two paths.
///
/// A part of digits names a member: `items.0.ssn` does not block the `ssn` in an element of an array.
///
/// ```
/// use tower_api_key::shaping::{Blocklist, Shape};
///
/// let blocklist = Blocklist::new(["birthdate", "$.data.attributes.name-first"])?;
/// let shape = Shape::new().with_blocklist(blocklist);
/// let json = r#"{"data": [{"attributes": {"nameFirst": "Ada", "birthdate": "1815-12-10", "id": 1}}]}"#;
/// assert_eq!(shape.apply(json)?, r#"{"data": [{"attributes": { "id": 1}}]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blocklist {
    /// `None` without a path, so that the usual list allocates nothing.
    paths: Option<Arc<[BlockedPath]>>,
}

/// A path, as [`push_folded`] writes the names of nested members.
#[derive(Debug, Clone, PartialEq, Eq)]
struct BlockedPath {
    from_root: bool,
    chain: String,
}

/// Reports a path in another notation, which would match no attribute: it has a sign that no name in a path has, or a
/// part without a letter or digit.
///
/// ```
/// use tower_api_key::shaping::Blocklist;
///
/// for path in ["data..name", "data[0].name", "/data/name"] {
///     let error = Blocklist::new([path]).unwrap_err();
///     assert!(error.to_string().contains(path));
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "blocklist path `{}`: write names of letters, digits, `_` and `-`, with dots between them, as `data.name`, and \
     commas between paths",
    .path.escape_debug()
)]
pub struct InvalidBlocklist {
    path: String,
}

impl Blocklist {
    /// Creates a list of paths.
    ///
    /// # Errors
    ///
    /// [`InvalidBlocklist`] if a path has another sign than letters, digits, `_`, `-` and dots, or a part without a
    /// letter or digit.
    pub fn new(paths: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, InvalidBlocklist> {
        let paths = paths.into_iter().map(|path| BlockedPath::new(path.as_ref()));
        Ok(Self::of(paths.collect::<Result<_, _>>()?))
    }

    /// Returns true if the list blocks nothing.
    pub const fn is_empty(&self) -> bool {
        self.paths.is_none()
    }

    /// Joins two lists.
    pub(super) fn and(&self, other: &Self) -> Self {
        match (&self.paths, &other.paths) {
            (None, _) => other.clone(),
            (_, None) => self.clone(),
            (Some(ours), Some(theirs)) => Self::of(ours.iter().chain(&**theirs).cloned().collect()),
        }
    }

    /// Returns true if the list blocks the last of these nested members, whose names are folded.
    pub(super) fn blocks(&self, chain: &str) -> bool {
        self.paths().iter().any(|path| {
            if path.from_root { chain == path.chain } else { chain.ends_with(&path.chain) }
        })
    }

    fn of(paths: Vec<BlockedPath>) -> Self {
        Self { paths: (!paths.is_empty()).then(|| paths.into()) }
    }

    fn paths(&self) -> &[BlockedPath] {
        self.paths.as_deref().unwrap_or_default()
    }
}

impl FromStr for Blocklist {
    type Err = InvalidBlocklist;

    /// Parses paths with commas between them, as key records have them. Blanks around a path do not count, and a
    /// place without a path is left out.
    fn from_str(text: &str) -> Result<Self, InvalidBlocklist> {
        Self::new(text.split(',').map(str::trim).filter(|path| !path.is_empty()))
    }
}

impl BlockedPath {
    fn new(path: &str) -> Result<Self, InvalidBlocklist> {
        let from_root = path.starts_with(ROOT);
        let relative = path.strip_prefix(ROOT).unwrap_or(path);
        let mut chain = String::new();
        for name in relative.split('.') {
            let before = chain.len();
            push_folded(&mut chain, name);
            let is_name = name.chars().all(|c| c.is_alphanumeric() || NAME_SIGNS.contains(&c));
            if !is_name || chain.len() == before + SEPARATOR.len_utf8() {
                return Err(InvalidBlocklist { path: path.to_owned() });
            }
        }
        Ok(Self { from_root, chain })
    }
}

/// Adds a name to a chain of nested names, in the one form in which all of its cases are equal. Capitals come first,
/// because some small letters have the same one: `ς` and `σ`, `ſ` and `s`.
pub(super) fn push_folded(chain: &mut String, name: &str) {
    chain.push(SEPARATOR);
    let folded = name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    chain.extend(folded.filter(|c| c.is_alphanumeric()));
}

#[cfg(test)]
mod tests {
    use super::super::Inflection;
    use super::*;

    fn blocks(paths: &str, names: &str) -> bool {
        let mut chain = String::new();
        names.split('.').for_each(|name| push_folded(&mut chain, name));
        paths.parse::<Blocklist>().unwrap().blocks(&chain)
    }

    #[test]
    fn a_path_blocks_where_its_members_are_nested() {
        for (paths, names, expected) in [
            ("birthdate", "birthdate", true),
            ("birthdate", "data.attributes.birthdate", true),
            ("birthdate", "birthdate.day", false), // its parent has been removed
            ("birthdate", "birthdates", false),
            ("birthdate", "mybirthdate", false),
            ("ab", "a.b", false),
            ("data.name", "data.name", true),
            ("data.name", "included.data.name", true),
            ("data.name", "data.attributes.name", false),
            ("$.data.name", "data.name", true),
            ("$.data.name", "included.data.name", false),
            ("a, name_first ,,", "Name-First", true),
            ("Größe", "größe", true),
            ("größe", "GRÖSSE", true),
            ("İd", "id", true),
            ("ſsn", "SSN", true),
            ("όρος", "ΌΡΟΣ", true),
            ("ref", "$ref", true),
            ("first-name", "first name", true),
            ("items.0.ssn", "items.ssn", false),
            ("", "a", false),
            (" , ", "a", false),
        ] {
            assert_eq!(blocks(paths, names), expected, "{paths}: {names}");
        }
    }

    #[test]
    fn a_name_is_blocked_in_every_case() {
        for name in ["name-first", "line_1", "HTTPStatus", "_id", "XML HTTP-request_2nd"] {
            let path = name.replace(' ', "-");
            for inflection in Inflection::ALL {
                assert!(blocks(&path, &inflection.write(name)), "{name} {inflection}");
                assert!(blocks(&inflection.write(name), name), "{name} {inflection}");
            }
        }
    }

    #[test]
    fn a_path_that_matches_nothing_is_invalid() {
        for path in [
            ".",
            "a.",
            ".a",
            "a..b",
            "-",
            "$.",
            "$.a.",
            "a._",
            "\u{301}",
            "$",
            "$a",
            "a.$b",
            "$.$.a",
            "$..a",
            "items[0].ssn",
            "$.items[0].ssn",
            "$['items']['ssn']",
            "/items/ssn",
            "items/ssn",
            "items.*.ssn",
            "birth*",
            "birth?",
            "(a)",
            "{a}",
            "a;b",
            "a b",
            "a\nb",
            "a\tb",
            "a|b",
            "a\\b",
            "\"a\"",
            "'a'",
            "a:b",
            "a+b",
            "a&b",
            "a>b",
            "a\u{0}",
            "a\u{a0}b",
            "a，b",
            "a\u{200b}",
        ] {
            let error = Blocklist::new([path]).unwrap_err().to_string();
            assert!(error.contains(&format!("`{}`", path.escape_debug())), "{error}");
        }
        assert!(Blocklist::new([""; 0]).unwrap().is_empty());
        assert!("$.a".parse::<Blocklist>().is_ok_and(|list| !list.is_empty()));
    }
}
