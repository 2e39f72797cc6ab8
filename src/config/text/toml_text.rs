//! Reads TOML.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{Content, Field, MAX_DEPTH, Node, NodeIds};
use super::syntax::SyntaxError;

/// Reads TOML 1.1 into a tree, and tells every place that is no TOML.
pub(super) fn read(text: &str) -> Result<Node, Vec<SyntaxError>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut ids = NodeIds::default();
    let mut wrong: Vec<SyntaxError> = errors
        .iter()
        .map(|error| SyntaxError::new(error.span().unwrap_or(0..0), error.message()))
        .collect();
    let root = table_of(table.span(), table.get_ref(), MAX_DEPTH, &mut ids, &mut wrong);
    if wrong.is_empty() { Ok(root) } else { Err(wrong) }
}

fn table_of(
    span: Range<usize>,
    table: &DeTable<'_>,
    depth: usize,
    ids: &mut NodeIds,
    wrong: &mut Vec<SyntaxError>,
) -> Node {
    let field = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: (&std::borrow::Cow<'_, str>, _) = (name.get_ref(), name.span());
        Field {
            name: name.0.clone().into_owned(),
            name_span: name.1,
            value: value_of(value, depth, ids, wrong),
        }
    };
    let fields = table.iter().map(field).collect();
    ids.node(span, Content::Table(fields))
}

fn value_of(
    value: &Spanned<DeValue<'_>>,
    depth: usize,
    ids: &mut NodeIds,
    wrong: &mut Vec<SyntaxError>,
) -> Node {
    let span = value.span();
    let Some(depth) = depth.checked_sub(1) else {
        wrong.push(SyntaxError::too_deep(span.clone()));
        return ids.node(span, Content::Null);
    };
    let content = match value.get_ref() {
        DeValue::String(text) => Content::Text(text.clone().into_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Content::Whole(number),
            // No field has room for such a number.
            Err(_) => Content::Decimal(number.as_str().parse().unwrap_or(f64::INFINITY)),
        },
        DeValue::Float(number) => Content::Decimal(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(truth) => Content::Truth(*truth),
        // The file has no dates: each field that means a time is a text.
        DeValue::Datetime(moment) => Content::Text(moment.to_string()),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| value_of(item, depth, ids, wrong)).collect();
            Content::List(items)
        }
        DeValue::Table(table) => return table_of(span, table, depth, ids, wrong),
    };
    ids.node(span, content)
}
