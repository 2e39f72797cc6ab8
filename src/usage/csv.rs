//! Writes comma-separated values (RFC 4180), for spreadsheets.

use super::count::UsageCount;
use super::key_usage::KeyUsage;

/// What a spreadsheet reads as the start of a formula, at the start of a cell.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

impl UsageCount {
    /// Writes counts as comma-separated values, with a line of column names. A column that the query did not group by is
    /// empty. A text that a spreadsheet would read as a formula gets a `'` in front.
    ///
    /// ```
    /// use tower_api_key::usage::UsageCount;
    ///
    /// let count = UsageCount::new(None, Some("/users/{id}".to_owned()), None, 12);
    /// assert_eq!(UsageCount::csv(&[count]), "start,route,decision,requests\n,/users/{id},,12\n");
    /// ```
    pub fn csv(counts: &[Self]) -> String {
        let mut lines = csv_line(["start", "route", "decision", "requests"]);
        for Self { start, route, decision, requests } in counts {
            lines += &csv_line([
                &*start.map_or_else(String::new, |start| start.to_string()),
                route.as_deref().unwrap_or_default(),
                decision.map_or("", |decision| decision.name()),
                &requests.to_string(),
            ]);
        }
        lines
    }
}

impl KeyUsage {
    /// Writes keys as comma-separated values, as [`UsageCount::csv`] does.
    pub fn csv(keys: &[Self]) -> String {
        let mut lines = csv_line(["key", "account", "admitted", "refused"]);
        for Self { key, account, admitted, refused } in keys {
            lines += &csv_line([&**key, account, &admitted.to_string(), &refused.to_string()]);
        }
        lines
    }
}

/// Writes one line of comma-separated values, with its end. A text that a spreadsheet would read as a formula gets a `'` in
/// front.
///
/// ```
/// use tower_api_key::usage::csv_line;
///
/// assert_eq!(csv_line(["key_1", "=1+1", "a,b"]), "key_1,'=1+1,\"a,b\"\n");
/// ```
pub fn csv_line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    cells.into_iter().map(cell).collect::<Vec<_>>().join(",") + "\n"
}

fn cell(text: &str) -> String {
    let harmless = if text.starts_with(FORMULA) { "'" } else { "" };
    if text.contains(['"', ',', '\n', '\r']) {
        return format!("\"{harmless}{}\"", text.replace('"', "\"\""));
    }
    format!("{harmless}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_no_formula_and_stays_in_its_place() {
        for (text, written) in [
            ("key_1", "key_1"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tcmd", "'\tcmd"),
            ("\r=1", "\"'\r=1\""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
            ("a\nb", "\"a\nb\""),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
        assert_eq!(
            csv_line(["key", "=1+1", "a,b", "say \"hi\""]),
            "key,'=1+1,\"a,b\",\"say \"\"hi\"\"\"\n"
        );
        assert_eq!(csv_line(["@x", "", "\r=1", "a\nb"]), "'@x,,\"'\r=1\",\"a\nb\"\n");
        let key = KeyUsage::new("=key", "acme", 1, 2);
        assert_eq!(KeyUsage::csv(&[key]), "key,account,admitted,refused\n'=key,acme,1,2\n");
    }
}
