//! The table of answers that a path has.

use crate::error::{ConfigError, InvalidPathAnswers};
use crate::profile::{Answers, PathAnswers, Profile, RenderedAnswers};
use crate::request::is_unambiguous;

/// Something for all paths, and something else for the paths below each prefix.
#[derive(Debug)]
pub(super) struct ByPath<T> {
    general: T,
    /// The longest prefixes first.
    below: Vec<(Box<str>, T)>,
}

/// The index of a path's table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TableIndex(Option<u16>);

impl<T> ByPath<T> {
    /// Prepares the answers of a profile.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for an answer or a prefix that is not valid.
    pub(super) fn of(
        profile: &Profile<'_>,
        prepare: impl Fn(&Answers<'_>) -> Result<T, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let below = profile.answers_by_path.iter().map(|PathAnswers { prefix, answers }| {
            let table = prepare(answers).map_err(|error| {
                InvalidPathAnswers::new(prefix, error.to_string()).of_row(error.row())
            })?;
            Ok::<_, ConfigError>((*prefix, table))
        });
        Self::new(prepare(&profile.answers)?, below.collect::<Result<_, _>>()?)
            .map_err(ConfigError::from)
    }

    /// Takes the prefixes with what is below them.
    ///
    /// # Errors
    ///
    /// [`InvalidPathAnswers`] for a prefix that is not valid or is listed twice.
    fn new(general: T, below: Vec<(&str, T)>) -> Result<Self, InvalidPathAnswers> {
        let mut checked: Vec<(Box<str>, T)> = Vec::new();
        for (prefix, table) in below {
            check(prefix)?;
            if checked.iter().any(|(other, _)| **other == *prefix) {
                return Err(InvalidPathAnswers::new(
                    prefix,
                    "it is listed twice: keep one of the two",
                ));
            }
            checked.push((prefix.into(), table));
        }
        checked.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(Self { general, below: checked })
    }

    /// Returns true if all paths have the same.
    #[inline]
    pub(super) const fn is_general(&self) -> bool {
        self.below.is_empty()
    }

    /// Finds the table of a path. An ambiguous path, which two readers can read differently, has the general one.
    pub(super) fn find(&self, path: &str) -> TableIndex {
        if !is_unambiguous(path) {
            return TableIndex::default();
        }
        let covers = |(prefix, _): &(Box<str>, T)| {
            let rest = path.strip_prefix(&**prefix);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let index = self.below.iter().position(covers);
        TableIndex(index.and_then(|index| u16::try_from(index).ok()))
    }

    /// Returns the table at an index.
    pub(super) fn get(&self, index: TableIndex) -> &T {
        let found = index.0.and_then(|index| self.below.get(usize::from(index)));
        found.map_or(&self.general, |(_, table)| table)
    }
}

impl<T> ByPath<RenderedAnswers<T>> {
    /// Changes every row of every table.
    pub(super) fn for_each(&mut self, mut change: impl FnMut(&mut T)) {
        let below = self.below.iter_mut().map(|(_, table)| table);
        std::iter::once(&mut self.general)
            .chain(below)
            .for_each(|table| table.for_each(&mut change));
    }
}

fn check(prefix: &str) -> Result<(), InvalidPathAnswers> {
    let is_plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,=:@".contains(&byte) // RFC 3986 §3.3
    };
    let problem = if prefix.is_empty() || prefix == "/" {
        "it covers every path: put these answers into the field `answers`"
    } else if !prefix.starts_with('/') {
        "a path begins with a slash: write it as `/openai`"
    } else if prefix.ends_with('/') {
        "leave out the slash at its end: `/openai` covers `/openai/` and all paths below"
    } else if prefix.split('/').any(|segment| segment.starts_with(['*', ':'])) {
        "a prefix has no parameters and covers all paths below it: leave out segments that begin with `*` or `:`"
    } else if prefix.contains(['{', '}']) {
        "a prefix has no parameters: write a path without braces"
    } else if !prefix.bytes().all(is_plain) {
        "write letters, digits and -._~!$&'()*+,=:@ only, without percent-encoding, query or fragment"
    } else if !is_unambiguous(prefix) {
        "a path with empty or dot segments has the general answers: write each segment once, without `.` and `..`"
    } else {
        return Ok(());
    };
    Err(InvalidPathAnswers::new(prefix, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_of_whole_segments_counts() {
        let prefixes = vec![("/openai", 1), ("/openai/v1/files", 2), ("/a", 3), ("/a.b", 4)];
        let tables = ByPath::new(0, prefixes).unwrap();
        for (path, expected) in [
            ("/", 0),
            ("/openai", 1),
            ("/openai/", 1),
            ("/openai/v1", 1),
            ("/openai/v1/file", 1),
            ("/openai/v1/files", 2),
            ("/openai/v1/files/7", 2),
            ("/openai2", 0),
            ("/openai.json", 0),
            ("/OpenAI", 0),
            ("/v1/openai", 0),
            ("/a", 3),
            ("/a/b", 3),
            ("/a.b", 4),
            ("/a.b/c", 4),
            ("/openai//v1", 0),
            ("/openai/../x", 0),
            ("/x/../openai", 0),
            ("/open%61i", 0),
            ("/openai;v=1", 0),
            ("/openai%2Fv1", 0),
            ("*", 0),
            ("", 0),
        ] {
            assert_eq!(*tables.get(tables.find(path)), expected, "{path}");
        }
    }

    #[test]
    fn a_prefix_is_a_path_that_clients_send() {
        for (prefix, word) in [
            ("", "`answers`"),
            ("/", "`answers`"),
            ("openai", "slash"),
            ("/openai/", "slash at its end"),
            ("/{version}", "braces"),
            ("/openai/*", "`*`"),
            ("/v1/*rest", "`*`"),
            ("/:tenant", "`:`"),
            ("/v1/:tenant/users", "`:`"),
            ("/a?b", "query"),
            ("/a#b", "fragment"),
            ("/caf%C3%A9", "percent"),
            ("/caf\u{e9}", "letters"),
            ("/a b", "letters"),
            ("/a;b", "letters"),
            ("/a//b", "empty"),
            ("/../a", "`..`"),
        ] {
            let error = ByPath::new((), vec![(prefix, ())]).unwrap_err().to_string();
            assert!(error.contains("answers_by_path") && error.contains(word), "{error}");
        }
        assert!(ByPath::new((), vec![("/a", ()), ("/a", ())]).is_err());
        for prefix in ["/a/.well-known", "/a", "/v1/users:batch", "/v1/a*"] {
            assert!(ByPath::new((), vec![(prefix, ())]).is_ok(), "{prefix}");
        }
    }
}
