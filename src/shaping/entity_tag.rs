//! Entity tags of shaped responses.
//!
//! A renamed body is made of the service's body and the case of its names, and of nothing else. So the service's tag and
//! a mark of the case together name it, as strongly as the service's tag alone names the service's body.
//!
//! Where a blocklist is in force, no tag passes in either direction. A tag can be a digest of the service's body, and
//! then it tells whether a guess at a blocked attribute is right.
//!
//! The mark is taken off the tags of a request. In `If-None-Match` a tag with the mark of another shape stays as it
//! is: the service knows no such tag, and sends the body anew. `If-Match` asks whether the service's state is still
//! the same, which no shape changes, so there every mark is taken off.

use std::fmt::Write;

use http::header::{ETAG, Entry, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use super::inflection::Inflection;

/// Changes if the same shape changes a body in another way, so that no client keeps an old one.
const VERSION: u8 = 1;

/// What a mark begins with.
const START: &str = "-shape-";

/// The bytes of a shape's digest that a mark shows, two hexadecimal digits each.
const DIGEST_BYTES: usize = 8;

/// What no service has, so that it answers that the condition does not hold.
const NO_TAG: &str = "\"-shape-none\"";

/// The end of an entity tag that names a shape without a blocklist, with the closing quote.
#[derive(Debug)]
pub(super) struct TagMark(String);

impl TagMark {
    pub(super) fn of(inflection: Option<Inflection>) -> Self {
        let mut digest = Sha256::new_with_prefix([VERSION]);
        digest.update(inflection.map_or("", Inflection::name));
        let mut mark = START.to_owned();
        for byte in digest.finalize().iter().take(DIGEST_BYTES) {
            // Writing to a string never fails.
            let _ = write!(mark, "{byte:02x}");
        }
        Self(mark + "\"")
    }

    /// Adds the mark to a response's tag. Removes a tag that is not well-formed.
    pub(super) fn add(&self, headers: &mut HeaderMap) {
        let Entry::Occupied(mut tag) = headers.entry(ETAG) else { return };
        let opaque = tag.get().as_bytes().strip_suffix(b"\"");
        let marked = opaque.map(|opaque| [opaque, self.0.as_bytes()].concat());
        match marked.and_then(|marked| HeaderValue::from_bytes(&marked).ok()) {
            Some(marked) => drop(tag.insert(marked)),
            None => drop(tag.remove()),
        }
    }

    /// Takes the mark off the tags in a request's `If-None-Match`. Returns true if there was one.
    pub(super) fn remove(&self, headers: &mut HeaderMap) -> bool {
        rewrite_lines(headers, IF_NONE_MATCH, |line| {
            line.contains(&self.0).then(|| line.replace(&self.0, "\""))
        })
    }
}

/// Keeps the tags of a request from the service. `*` asks only whether there is a representation, so it stays.
///
/// `If-Match` guards a change, so it does not hold, instead of being left out. Its client has no tag from this layer.
pub(super) fn hide_tags(headers: &mut HeaderMap) {
    let is_star = |line: &HeaderValue| line.as_bytes().trim_ascii() == b"*";
    if !headers.get_all(IF_NONE_MATCH).iter().all(is_star) {
        headers.remove(IF_NONE_MATCH);
    }
    if !headers.get_all(IF_MATCH).iter().all(is_star) {
        headers.insert(IF_MATCH, HeaderValue::from_static(NO_TAG));
    }
}

/// Takes all marks off the tags in a request's `If-Match`.
pub(super) fn remove_all_marks(headers: &mut HeaderMap) {
    rewrite_lines(headers, IF_MATCH, |line| {
        let mut parts = line.split(START);
        let first = parts.next()?.to_owned();
        Some(parts.fold(first, |unmarked, part| match without_digest(part) {
            Some(rest) => unmarked + rest,
            None => unmarked + START + part,
        }))
    });
}

/// Returns what follows a mark's digest, with the quote that ends the tag.
fn without_digest(part: &str) -> Option<&str> {
    let (digest, rest) = part.split_at_checked(2 * DIGEST_BYTES)?;
    let is_digest = digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_digest && rest.starts_with('"')).then_some(rest)
}

/// Replaces the lines of a header for which `rewrite` returns another text. Returns true if there was one.
fn rewrite_lines(
    headers: &mut HeaderMap,
    name: HeaderName,
    rewrite: impl Fn(&str) -> Option<String>,
) -> bool {
    let Entry::Occupied(mut lines) = headers.entry(name) else { return false };
    let mut changed = false;
    for line in lines.iter_mut() {
        let text = line.to_str().ok().and_then(&rewrite);
        if let Some(text) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
            *line = text;
            changed = true;
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> [TagMark; 4] {
        let [camel, kebab, snake] = Inflection::ALL.map(Some);
        [None, camel, kebab, snake].map(TagMark::of)
    }

    #[test]
    fn with_a_blocklist_no_tag_passes_and_a_star_does() {
        for (lines, none_match, matches) in [
            (&["\"a\""][..], &[][..], &[NO_TAG][..]),
            (&["W/\"a\", \"b\"", "*"], &[], &[NO_TAG]),
            (&["*, \"a\""], &[], &[NO_TAG]),
            (&["*"], &["*"], &["*"]),
            (&[], &[], &[]),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(IF_NONE_MATCH, line.parse().unwrap());
                headers.append(IF_MATCH, line.parse().unwrap());
            }
            hide_tags(&mut headers);
            let seen = |name| headers.get_all(name).iter().map(|line| line.to_str().unwrap());
            let seen = |name| seen(name).collect::<Vec<_>>();
            assert_eq!(
                (seen(IF_NONE_MATCH), seen(IF_MATCH)),
                (none_match.to_vec(), matches.to_vec())
            );
        }
    }

    #[test]
    fn a_tag_comes_back_to_the_service_as_it_was() {
        for tag in [r#""abc""#, r#"W/"abc""#, r#""""#, "\"\u{e9}\""] {
            for mark in marks() {
                let mut headers = HeaderMap::new();
                headers.insert(ETAG, HeaderValue::from_bytes(tag.as_bytes()).unwrap());
                mark.add(&mut headers);
                let marked = headers[ETAG].clone();
                assert_ne!(marked.as_bytes(), tag.as_bytes());
                if marked.to_str().is_err() {
                    continue; // such a tag never matches, so the client gets the whole body
                }
                headers.insert(IF_NONE_MATCH, marked.clone());
                headers.append(IF_NONE_MATCH, r#""other", *"#.parse().unwrap());
                assert!(mark.remove(&mut headers));
                let lines: Vec<_> = headers.get_all(IF_NONE_MATCH).iter().collect();
                assert_eq!(lines, [tag, r#""other", *"#]);
            }
        }
    }

    #[test]
    fn a_tag_of_another_shape_counts_for_changes_only() {
        for (index, mark) in marks().iter().enumerate() {
            for (other, theirs) in marks().iter().enumerate() {
                let tag: HeaderValue = format!("\"abc{}", theirs.0).parse().unwrap();
                let mut headers = HeaderMap::new();
                headers.insert(IF_MATCH, tag.clone());
                headers.insert(IF_NONE_MATCH, tag);
                assert_eq!(mark.remove(&mut headers), index == other, "{index} {other}");
                assert_eq!(headers[IF_NONE_MATCH] == "\"abc\"", index == other, "{index} {other}");
                remove_all_marks(&mut headers);
                assert_eq!(headers[IF_MATCH], "\"abc\"");
            }
        }
    }

    #[test]
    fn what_is_no_mark_stays() {
        let digest = "0123456789abcdef";
        for (line, unmarked) in [
            (format!("\"a-shape-{digest}\", W/\"-shape-{digest}\""), "\"a\", W/\"\""),
            (format!("\"a-shape-{digest}-\""), "\"a-shape-0123456789abcdef-\""),
            ("\"a-shape-\", \"-shape-1\"".to_owned(), "\"a-shape-\", \"-shape-1\""),
            ("\"-shape--shape-x\"".to_owned(), "\"-shape--shape-x\""),
            ("*".to_owned(), "*"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_MATCH, line.parse().unwrap());
            remove_all_marks(&mut headers);
            assert_eq!(headers[IF_MATCH], unmarked);
        }
    }

    #[test]
    fn a_malformed_tag_is_removed() {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, "abc".parse().unwrap());
        TagMark::of(None).add(&mut headers);
        assert!(headers.is_empty());
    }
}
