//! How many values a query lists, however a client writes the parameter.

use super::query::{next_decoded, split};

/// Returns how many values a parameter lists: in all places that some reader takes for the parameter or for an element
/// of it, with commas between, and without empty ones.
pub(crate) fn count_listed(query: &str, name: &str) -> u32 {
    let parts = query.split('&').flat_map(|pair| pair.split(';')).map(split);
    let values = parts.filter(|(key, _)| lists(key, name)).map(|(_, value)| value);
    let listed = values.flat_map(|value| {
        let commas = value.split(',').flat_map(|part| part.split("%2C"));
        commas.flat_map(|part| part.split("%2c")).filter(|value| !value.is_empty())
    });
    u32::try_from(listed.count()).unwrap_or(u32::MAX)
}

/// Returns true for a name that some reader takes for the parameter's, or for an element's of its list.
///
/// `include[]`, `include[0]` and `[include]` are `include` for PHP, Rack or Express. PHP reads `.`, a space and `[` as
/// `_`, and ends a name at a zero byte (<https://www.php.net/variables.external>).
fn lists(encoded: &str, name: &str) -> bool {
    let mut rest = encoded.as_bytes();
    let mut decoded =
        std::iter::from_fn(|| next_decoded(&mut rest)).map(|byte| byte.unwrap_or(b'%')).peekable();
    let may_open = !name.starts_with(['_', '.']);
    let leads = |byte: &u8| is_blank(*byte) || *byte == b']' || (*byte == b'[' && may_open);
    while decoded.next_if(leads).is_some() {}
    let is_named = name.bytes().all(|expected| {
        decoded.next().is_some_and(|byte| {
            byte.eq_ignore_ascii_case(&expected) || (is_joint(byte) && is_joint(expected))
        })
    });
    is_named && decoded.find(|byte| !is_blank(*byte)).is_none_or(|byte| b"[]\0".contains(&byte))
}

/// Returns true for a space in a name. Forms write `+` for it.
const fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'+'
}

/// Returns true for what PHP reads as `_`.
const fn is_joint(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'_' | b'.' | b'[')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_wherever_a_reader_finds_them() {
        for (query, expected) in [
            ("", 0),
            ("include", 0),
            ("include=", 0),
            ("include=,", 0),
            ("include=a", 1),
            ("include=a,b", 2),
            ("include=a%2Cb%2cc", 3),
            ("include=a&page=1&include=b", 2),
            ("incl%75de=a", 1),
            ("Include=a", 1),
            ("page=1;include=a", 1),
            ("included=a", 0),
            ("x=include=a", 0),
        ] {
            assert_eq!(count_listed(query, "include"), expected, "{query}");
        }
    }

    #[test]
    fn an_element_of_a_list_is_counted() {
        for (name, query, expected) in [
            ("include", "include[]=a", 1),
            ("include", "include[]=a&include[]=b", 2),
            ("include", "include[0]=a,b", 2),
            ("include", "include%5B%5D=a&include%5b1%5d=b", 2),
            ("include", "include[a][b]=c", 1),
            ("include", "include[=a&include]=b", 2),
            ("include", "[include]=a", 1),
            ("include", "include+[]=a&+%20+include=b&include%20=c", 3),
            ("include", "include%00x=a", 1),
            ("include", "a;include[]=b", 1),
            ("include", "Include[]=", 0),
            ("include", "included[]=a&x[include]=b&include-x=c&include%zz=d", 0),
            ("page_size", "page_size=1&page.size=2&page+size=3&page%20size=4", 4),
            ("page_size", "page[size=1&page%5Bsize=2&page%2Esize[]=3&page%5fsize=4", 4),
            ("page_size", "pagesize=1&page-size=2&page~size=3", 0),
            ("page.size", "page_size=1&page.size=2", 2),
            ("_x", "[x=1&_x=2&x=3", 2),
        ] {
            assert_eq!(count_listed(query, name), expected, "{name} {query}");
        }
    }
}
