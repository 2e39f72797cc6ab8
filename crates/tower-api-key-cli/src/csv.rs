//! Comma-separated values (RFC 4180), for spreadsheets.

/// What a spreadsheet reads as the start of a formula, at the start of a cell.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Writes one line. A text that a spreadsheet would read as a formula gets a `'` in front, as in `UsageCount::csv`.
pub(crate) fn line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    cells.into_iter().map(cell).collect::<Vec<_>>().join(",")
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
        assert_eq!(
            line(["key", "=1+1", "a,b", "say \"hi\""]),
            "key,'=1+1,\"a,b\",\"say \"\"hi\"\"\""
        );
        assert_eq!(line(["@x", "", "\r=1", "a\nb"]), "'@x,,\"'\r=1\",\"a\nb\"");
    }
}
