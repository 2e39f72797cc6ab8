//! Reads JSON.

use std::collections::HashSet;
use std::ops::Range;

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::node::{Content, Field, MAX_DEPTH, Node, NodeIds};
use super::syntax::SyntaxError;

/// RFC 8259, without any extension.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads JSON into a tree, or tells the first place that is no JSON.
pub(super) fn read(text: &str) -> Result<Node, Vec<SyntaxError>> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT).map_err(|error| {
        let range = error.range();
        vec![SyntaxError::new(range.start..range.end, &error.kind().to_string())]
    })?;
    let (mut ids, mut wrong) = (NodeIds::default(), Vec::new());
    let Some(value) = &parsed.value else {
        return Err(vec![SyntaxError::new(0..0, "the file is empty")]);
    };
    let root = value_of(value, MAX_DEPTH, &mut ids, &mut wrong);
    if wrong.is_empty() { Ok(root) } else { Err(wrong) }
}

fn value_of(
    value: &Value<'_>,
    depth: usize,
    ids: &mut NodeIds,
    wrong: &mut Vec<SyntaxError>,
) -> Node {
    let span = span_of(value);
    let Some(depth) = depth.checked_sub(1) else {
        wrong.push(SyntaxError::too_deep(span.clone()));
        return ids.node(span, Content::Null);
    };
    let content = match value {
        Value::StringLit(text) => Content::Text(text.value.clone().into_owned()),
        Value::NumberLit(number) => number_of(number.value),
        Value::BooleanLit(truth) => Content::Truth(truth.value),
        Value::NullKeyword(_) => Content::Null,
        Value::Array(list) => {
            let items =
                list.elements.iter().map(|item| value_of(item, depth, ids, wrong)).collect();
            Content::List(items)
        }
        Value::Object(object) => {
            let mut names = HashSet::new();
            let mut fields = Vec::new();
            for property in &object.properties {
                let name = property.name.as_str();
                let name_span = span_of(&property.name);
                if !names.insert(name) {
                    wrong.push(SyntaxError::new(
                        name_span.clone(),
                        "this name stands twice in one object",
                    ));
                }
                let value = value_of(&property.value, depth, ids, wrong);
                fields.push(Field { name: name.to_owned(), name_span, value });
            }
            Content::Table(fields)
        }
    };
    ids.node(span, content)
}

fn number_of(text: &str) -> Content {
    text.parse().map_or_else(|_| Content::Decimal(text.parse().unwrap_or(f64::NAN)), Content::Whole)
}

fn span_of(ranged: &impl Ranged) -> Range<usize> {
    let range = ranged.range();
    range.start..range.end
}
