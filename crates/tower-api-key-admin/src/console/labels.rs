//! The labels of the fields of forms. Errors and conflicts name a field as the form does.

use std::borrow::Cow;

/// The fields of operations, each with the label that forms give it, or the words with which the label begins.
const LABELS: [(&str, &str); 24] = [
    ("account", "Account"),
    ("days", "Expiring within days"),
    ("description", "Description"),
    ("disabled", "Disabled"),
    ("environment", "Environment"),
    ("expires", "Expires on"),
    ("id", "Id"),
    ("kind", "Kind"),
    ("longest_life", "Longest life"),
    ("most_keys", "Most keys of one account"),
    ("name", "Name"),
    ("networks", "Networks"),
    ("overlap", "The old secret stays valid for"),
    ("owner", "Owner"),
    ("plan", "Plan"),
    ("quotas", "Quotas"),
    ("reason", "Reason"),
    ("remind_of_rotation", "Remind of a rotation after"),
    ("require_expiry", "Each key needs an expiry"),
    ("scopes", "Permissions"),
    ("state", "State"),
    ("subject", "Which keys the policy covers"),
    ("switch_off_unused", "Switch off keys that are unused for"),
    ("tail", "Secret ends with"),
];

/// The names of fields that texts of errors have in backticks, each with its label.
const IN_TEXTS: [(&str, &str); 3] = [
    ("`expires`", "“Expires on”"),
    ("`not_before`", "“Not before”"),
    ("`window_seconds`", "“Window”"),
];

/// The fields that no form shows.
const UNSEEN: [&str; 3] = ["after", "once", "request"];

/// Returns the label of a field. A field without a label is named by its words.
pub(super) fn label(field: &str) -> Cow<'static, str> {
    let known = LABELS.iter().find(|(name, _)| *name == field);
    known.map_or_else(|| field.replace('_', " ").into(), |(_, label)| (*label).into())
}

/// Returns the text of an error, which begins with the name of its field, for a person who sees the form.
pub(super) fn in_text(field: Option<&str>, text: String) -> String {
    let rest = field.and_then(|field| text.strip_prefix(field)?.strip_prefix(": "));
    let text = match (field, rest) {
        (Some(field), Some(rest)) if UNSEEN.contains(&field) => rest.to_owned(),
        (Some(field), Some(rest)) => format!("{}: {rest}", label(field)),
        _ => text,
    };
    IN_TEXTS.iter().fold(text, |text, (name, label)| text.replace(name, label))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn labels_are_those_of_the_forms() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/console");
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let all: String = files.map(|file| fs::read_to_string(file).unwrap()).collect();
        for (field, label) in LABELS {
            let shown = [format!(">{label}"), format!("> {label}")];
            assert!(shown.iter().any(|shown| all.contains(shown)), "{field}: {label}");
        }
        let mut compared = 0;
        for part in all.split(r#"<label for=""#).skip(1) {
            let (field, rest) = part.split_once(r#"">"#).unwrap();
            let shown = rest.split('<').next().unwrap();
            if let Some((_, label)) = LABELS.iter().find(|(name, _)| *name == field) {
                // One field opens a key by its id.
                assert!(
                    shown.starts_with(label) || shown.contains("by its id"),
                    "{field}: {shown}"
                );
                compared += 1;
            }
        }
        assert!(compared > 20, "{compared}");
    }

    #[test]
    fn a_text_names_its_field_as_the_form_does() {
        for (field, text, expected) in [
            (Some("scopes"), "scopes: one is unknown", "Permissions: one is unknown"),
            (
                Some("expires"),
                "expires: later than `not_before`",
                "Expires on: later than “Not before”",
            ),
            (Some("metadata"), "metadata: too long", "metadata: too long"),
            (Some("group_by"), "group_by: too many", "group by: too many"),
            (Some("request"), "request: too long", "too long"),
            (None, "scopes: not the field", "scopes: not the field"),
        ] {
            assert_eq!(in_text(field, text.to_owned()), expected);
        }
    }
}
