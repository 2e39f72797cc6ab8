//! Entity tags of shaped responses.
//!
//! A shaped body is made of the service's body and the shape, and of nothing else. So the service's tag and a mark of
//! the shape together name it, as strongly as the service's tag alone names the service's body. The mark is taken off the
//! tags of a request. A tag with the mark of another shape stays as it is, so the service knows no such tag.

use std::fmt::Write;

use http::header::{ETAG, Entry, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};

use super::shape::Shape;

/// Changes if the same shape changes a body in another way, so that no client keeps an old one.
const VERSION: u8 = 1;

/// The bytes of a shape's digest that a mark shows.
const DIGEST_BYTES: usize = 8;

/// The end of an entity tag that names a shape, with the closing quote.
#[derive(Debug)]
pub(super) struct TagMark(String);

impl TagMark {
    pub(super) fn of(shape: &Shape) -> Self {
        let mut digest = Sha256::new_with_prefix([VERSION]);
        digest.update(shape.inflection().map_or("", |inflection| inflection.name()));
        for (from_root, names) in shape.blocklist().forms() {
            digest.update([0, u8::from(from_root)]);
            for name in names {
                digest.update([1]);
                digest.update(name);
            }
        }
        let mut mark = "-shape-".to_owned();
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

    /// Takes the mark off the tags of a request's conditions. Returns true if `If-None-Match` had it.
    pub(super) fn remove(&self, headers: &mut HeaderMap) -> bool {
        let removed = self.remove_from(headers, &IF_NONE_MATCH);
        self.remove_from(headers, &IF_MATCH);
        removed
    }

    fn remove_from(&self, headers: &mut HeaderMap, name: &http::HeaderName) -> bool {
        let Entry::Occupied(mut lines) = headers.entry(name) else { return false };
        let mut removed = false;
        for line in lines.iter_mut() {
            let unmarked = line.to_str().ok().filter(|text| text.contains(&self.0));
            let unmarked = unmarked.map(|text| text.replace(&self.0, "\""));
            if let Some(unmarked) = unmarked.and_then(|text| HeaderValue::try_from(text).ok()) {
                *line = unmarked;
                removed = true;
            }
        }
        removed
    }
}

/// Returns true if a request has conditions that may name a tag.
pub(super) fn has_conditions(headers: &HeaderMap) -> bool {
    headers.contains_key(IF_NONE_MATCH) || headers.contains_key(IF_MATCH)
}

#[cfg(test)]
mod tests {
    use super::super::Inflection;
    use super::*;

    fn marks() -> [TagMark; 5] {
        let blocking = |paths: &str| Shape::new().with_blocklist(paths.parse().unwrap());
        let camel = Shape::new().with_inflection(Inflection::Camel);
        [Shape::new(), camel, blocking("a.b"), blocking("a,b"), blocking("$.a.b")]
            .map(|shape| TagMark::of(&shape))
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
    fn a_tag_of_another_shape_stays_unknown() {
        for (index, mark) in marks().iter().enumerate() {
            for (other, theirs) in marks().iter().enumerate() {
                let mut headers = HeaderMap::new();
                headers.insert(IF_MATCH, format!("\"abc{}", theirs.0).parse().unwrap());
                mark.remove(&mut headers);
                assert_eq!(headers[IF_MATCH] == "\"abc\"", index == other, "{index} {other}");
            }
        }
    }

    #[test]
    fn a_malformed_tag_is_removed() {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, "abc".parse().unwrap());
        TagMark::of(&Shape::new()).add(&mut headers);
        assert!(headers.is_empty());
    }
}
