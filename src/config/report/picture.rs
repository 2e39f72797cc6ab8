//! Shows a mistake below its line, with every text hidden that could be a secret.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::mistake::Mistake;
use crate::config::text::{Content, Node, SourceText};

/// The most bytes of lines that are shown. A file of JSON may have one line.
const MAX_SHOWN_BYTES: usize = 2_000;

/// Writes a mistake as compilers do. Without a tree, the file cannot be read, and any text of it may be a secret.
pub(super) fn picture(source: &SourceText, root: Option<&Node>, mistake: &Mistake) -> String {
    let (line, column) = (mistake.line(), mistake.column());
    let title = mistake.to_string();
    let lines = source.lines_of(&mistake.span);
    let shown = source.text.get(lines.clone()).filter(|shown| shown.len() <= MAX_SHOWN_BYTES);
    let (Some(root), Some(shown)) = (root, shown) else {
        return format!("error: {title}\n --> {}:{line}:{column}", source.name);
    };
    let mut shown = shown.as_bytes().to_vec();
    hide_texts(root, &lines, mistake, &mut shown);
    hide_comments(root, lines.start, &mut shown);
    let shown = String::from_utf8_lossy(&shown);
    let at = |byte: usize| byte.saturating_sub(lines.start).min(shown.len());
    let mark = AnnotationKind::Primary.span(at(mistake.span.start)..at(mistake.span.end));
    let snippet =
        Snippet::source(&*shown).path(source.name.as_str()).line_start(line).annotation(mark);
    let report = &[Level::ERROR.primary_title(title.as_str()).element(snippet)];
    Renderer::plain().render(report)
}

/// Replaces the texts of values by stars, all but the one that is wrong, if it is no secret.
fn hide_texts(node: &Node, lines: &Range<usize>, mistake: &Mistake, shown: &mut [u8]) {
    match &node.content {
        Content::Table(fields) => {
            for field in fields {
                hide_texts(&field.value, lines, mistake, shown);
            }
        }
        Content::List(items) => {
            for item in items {
                hide_texts(item, lines, mistake, shown);
            }
        }
        _ if mistake.shows_value && node.span == mistake.span => {}
        Content::Truth(_) | Content::Null => {}
        Content::Text(_) | Content::Whole(_) | Content::Decimal(_) => {
            let hidden = node.span.start.max(lines.start)..node.span.end.min(lines.end);
            let from = hidden.start.saturating_sub(lines.start);
            let bytes = shown.get_mut(from..from + hidden.len()).unwrap_or_default();
            bytes
                .iter_mut()
                .filter(|byte| !matches!(byte, b'"' | b'\'' | b'\n' | b'\r'))
                .for_each(|byte| *byte = b'*');
        }
    }
}

/// Replaces what follows a `#` outside of values by stars: people turn lines with secrets into comments.
fn hide_comments(root: &Node, start: usize, shown: &mut [u8]) {
    let mut is_comment = false;
    for (position, byte) in shown.iter_mut().enumerate() {
        match *byte {
            b'\n' => is_comment = false,
            _ if is_comment => *byte = b'*',
            b'#' => is_comment = !is_in_value(root, start + position),
            _ => {}
        }
    }
}

fn is_in_value(node: &Node, byte: usize) -> bool {
    match &node.content {
        Content::Table(fields) => fields
            .iter()
            .any(|field| field.name_span.contains(&byte) || is_in_value(&field.value, byte)),
        Content::List(items) => items.iter().any(|item| is_in_value(item, byte)),
        _ => node.span.contains(&byte),
    }
}
