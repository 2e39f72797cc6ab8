//! The case in which the names of JSON members are written.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use heck::{ToKebabCase, ToLowerCamelCase, ToSnakeCase};

use crate::error::UnknownName;

/// What stands between the words of a name.
const SEPARATORS: [char; 3] = ['_', '-', ' '];

/// The case in which the names of JSON members are written.
///
/// `Display` and `FromStr` use the form of key records and of the request header:
///
/// ```
/// use tower_api_key::shaping::Inflection;
///
/// let inflection: Inflection = "camel".parse()?;
/// assert_eq!(inflection, Inflection::Camel);
/// assert!("Camel".parse::<Inflection>().is_err());
/// # Ok::<(), tower_api_key::UnknownName>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inflection {
    /// `nameFirst`
    Camel,
    /// `name-first`
    Kebab,
    /// `name_first`
    Snake,
}

impl Inflection {
    /// Lists all cases.
    pub const ALL: [Self; 3] = [Self::Camel, Self::Kebab, Self::Snake];

    /// Writes a name in this case.
    ///
    /// A name with other characters than ASCII letters, ASCII digits, `_`, `-` and blanks stays as it is: it is a URL,
    /// an address or a reference such as `$ref`, and not a name of words. Separators at either end stay, too.
    ///
    /// ```
    /// use tower_api_key::shaping::Inflection;
    ///
    /// assert_eq!(Inflection::Kebab.write("HTTPStatus"), "http-status");
    /// assert_eq!(Inflection::Camel.write("_name_first"), "_nameFirst");
    /// assert_eq!(Inflection::Snake.write("$ref"), "$ref");
    /// ```
    pub fn write(self, name: &str) -> Cow<'_, str> {
        // One word in lower case is the same in every case, and most names are such.
        if name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            return Cow::Borrowed(name);
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || SEPARATORS.contains(&c);
        let words = name.trim_matches(SEPARATORS);
        if words.is_empty() || !name.chars().all(is_word) {
            return Cow::Borrowed(name);
        }
        let written = match self {
            Self::Camel => words.to_lower_camel_case(),
            Self::Kebab => words.to_kebab_case(),
            Self::Snake => words.to_snake_case(),
        };
        let start = name.len() - name.trim_start_matches(SEPARATORS).len();
        let end = name.trim_end_matches(SEPARATORS).len();
        let before = name.get(..start).unwrap_or_default();
        let after = name.get(end..).unwrap_or_default();
        Cow::Owned([before, &written, after].concat())
    }

    /// Returns the word for this case in key records and headers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Camel => "camel",
            Self::Kebab => "kebab",
            Self::Snake => "snake",
        }
    }
}

impl fmt::Display for Inflection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Inflection {
    type Err = UnknownName;

    /// Parses `camel`, `kebab` or `snake`, as `Display` writes them.
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let named = Self::ALL.into_iter().find(|inflection| inflection.name() == text);
        named.ok_or(UnknownName::new("inflection", "`camel`, `kebab` or `snake`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_every_case() {
        for (name, camel, kebab, snake) in [
            ("name-first", "nameFirst", "name-first", "name_first"),
            ("name_first", "nameFirst", "name-first", "name_first"),
            ("nameFirst", "nameFirst", "name-first", "name_first"),
            ("NameFirst", "nameFirst", "name-first", "name_first"),
            ("Name First", "nameFirst", "name-first", "name_first"),
            ("NAME_FIRST", "nameFirst", "name-first", "name_first"),
            ("HTTPStatus", "httpStatus", "http-status", "http_status"),
            ("userID", "userId", "user-id", "user_id"),
            ("ipv6Address", "ipv6Address", "ipv6-address", "ipv6_address"),
            ("line_1", "line1", "line-1", "line_1"),
            ("id", "id", "id", "id"),
            ("line1b", "line1b", "line1b", "line1b"),
            ("LINE1B", "line1b", "line1b", "line1b"),
            ("_id", "_id", "_id", "_id"),
            ("__type_name-", "__typeName-", "__type-name-", "__type_name-"),
        ] {
            let written = Inflection::ALL.map(|inflection| inflection.write(name));
            assert_eq!(written, [camel, kebab, snake], "{name}");
        }
    }

    #[test]
    fn what_is_no_name_of_words_stays() {
        for name in ["", "_", "- _", "$ref", "+1", "a_b.c_d", "größe_x", "https://a_b", "a_b\n"] {
            for inflection in Inflection::ALL {
                assert_eq!(inflection.write(name), name);
            }
        }
    }

    #[test]
    fn a_case_is_written_as_it_is_read() {
        for inflection in Inflection::ALL {
            assert_eq!(inflection.to_string().parse(), Ok(inflection));
        }
        for text in ["", "Camel", "camel ", "loud", "camel,kebab"] {
            assert!(text.parse::<Inflection>().is_err(), "{text}");
        }
    }
}
