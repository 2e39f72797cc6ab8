//! Attributes on a blocklist never leave, and all others do, whatever their case and the pieces in which a body comes.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use proptest::prelude::*;
use tokio::runtime::Builder;
use tower::{Layer, ServiceExt, service_fn};
use tower_api_key::ApiKeyLayer;
use tower_api_key::shaping::{Inflection, OnUnshaped, Shape, ShapingLayer};

use super::support::{PROFILE, request, store};

/// The words of names. `ab` is written like `a` and `b` together, and `c1` like `c` and `1`.
const WORDS: [&str; 6] = ["a", "b", "ab", "c", "1", "c1"];

/// A document. Each scalar has a number of its own.
#[derive(Debug, Clone)]
enum Node {
    Scalar,
    Array(Vec<Node>),
    Object(Vec<(Name, Node)>),
}

/// A member's name: its words, how they are written, and whether the JSON escapes a character of it.
#[derive(Debug, Clone)]
struct Name {
    words: Vec<&'static str>,
    writing: usize,
    escaped: bool,
}

impl Name {
    fn text(&self) -> String {
        let capitals = self.words.iter().map(|word| word[..1].to_uppercase() + &word[1..]);
        match self.writing {
            0 => self.words.join("_"),
            1 => self.words.join("-"),
            2 => self.words.concat(),
            3 => capitals.collect(),
            4 => self.words.join("_").to_uppercase(),
            5 => format!("_{}", self.words.join(" ")),
            6 => format!("${}", self.words.join("")),
            _ => self.words.join("."),
        }
    }

    /// Returns the nested names that this one stands for, without case and separators.
    fn parts(&self) -> Vec<String> {
        match self.writing {
            7 => self.words.iter().map(|word| (*word).to_owned()).collect(),
            _ => vec![self.words.concat()],
        }
    }
}

fn name() -> impl Strategy<Value = Name> {
    let words = prop::collection::vec(prop::sample::select(&WORDS[..]), 1..4);
    (words, 0_usize..8, any::<bool>()).prop_map(|(words, writing, escaped)| Name {
        words,
        writing,
        escaped,
    })
}

fn node() -> impl Strategy<Value = Node> {
    Just(Node::Scalar).prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Node::Array),
            prop::collection::vec((name(), inner), 0..5).prop_map(Node::Object),
        ]
    })
}

/// How a path writes a name, whatever signs are in the document's.
fn name_in_path() -> impl Strategy<Value = Name> {
    name().prop_filter("no name in a path has such signs", |name| !matches!(name.writing, 5 | 6))
}

/// A path of a blocklist: whether it begins at the root, and its names.
type Path = (bool, Vec<Name>);

fn path() -> impl Strategy<Value = Path> {
    (any::<bool>(), prop::collection::vec(name_in_path(), 1..3))
}

fn written((from_root, names): &Path) -> String {
    let names: Vec<String> = names.iter().map(Name::text).collect();
    format!("{}{}", if *from_root { "$." } else { "" }, names.join("."))
}

/// Writes a document, and lists the numbers of its scalars that must stay and that must go.
struct Writer<'a> {
    paths: &'a [Path],
    space: &'static str,
    json: String,
    next: usize,
    stay: Vec<String>,
    go: Vec<String>,
}

impl Writer<'_> {
    fn write(&mut self, node: &Node, around: &[String], is_gone: bool) {
        match node {
            Node::Scalar => {
                // Longer than any number of a library, and a text with signs of JSON.
                let mark = format!("9{:030}", self.next);
                let text = match self.next % 3 {
                    0 => mark.clone(),
                    1 => format!("-{mark}.10e400"),
                    _ => format!(r#""{{\"{mark}\\\\\u00e9}}\\""#),
                };
                self.next += 1;
                self.json.push_str(&text);
                if is_gone { self.go.push(mark) } else { self.stay.push(mark) }
            }
            Node::Array(items) => {
                self.json.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.separate(index);
                    self.write(item, around, is_gone);
                }
                self.json.push(']');
            }
            Node::Object(members) => {
                self.json.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    self.separate(index);
                    let text = name.text();
                    let first = text.chars().next().unwrap();
                    if name.escaped {
                        let rest = &text[first.len_utf8()..];
                        self.json.push_str(&format!("\"\\u{:04x}{rest}\"", first as u32));
                    } else {
                        self.json.push_str(&format!("\"{text}\""));
                    }
                    self.json.push_str(self.space);
                    self.json.push(':');
                    let mut chain = around.to_vec();
                    let mut is_gone = is_gone;
                    for part in name.parts() {
                        chain.push(part);
                        is_gone |= self.paths.iter().any(|path| names(path, &chain));
                    }
                    self.write(value, &chain, is_gone);
                }
                self.json.push('}');
            }
        }
        self.json.push_str(self.space);
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.json.push(',');
        }
        self.json.push_str(self.space);
    }
}

/// Returns true if a path names the last member of a chain.
fn names((from_root, names): &Path, chain: &[String]) -> bool {
    let parts: Vec<String> = names.iter().flat_map(Name::parts).collect();
    let Some(start) = chain.len().checked_sub(parts.len()) else { return false };
    chain[start..] == parts && (start == 0 || !from_root)
}

/// A body in pieces.
#[derive(Debug, Clone)]
struct Pieces(Vec<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(piece) = self.0.pop() else { return Poll::Ready(None) };
        if piece.is_empty() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

fn pieces(json: &str, cuts: &[usize]) -> Pieces {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (json.len() + 1)).collect();
    cuts.extend([0, json.len()]);
    cuts.sort_unstable();
    let piece = |cut: &[usize]| Bytes::copy_from_slice(&json.as_bytes()[cut[0]..cut[1]]);
    Pieces(cuts.windows(2).map(piece).rev().collect())
}

/// Returns true if a text is JSON, whatever its numbers are.
fn is_json(text: &str) -> bool {
    let shape = Shape::new().with_blocklist("none-of-these".parse().unwrap());
    shape.apply(text).is_ok_and(|same| same == text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_blocked_never_leaves_and_all_else_does(
        document in node(),
        paths in prop::collection::vec(path(), 0..4),
        of_layer in prop::collection::vec(path(), 0..2),
        inflection in prop::option::of(prop::sample::select(&Inflection::ALL[..])),
        space in prop::sample::select(&["", " ", "\n\t\r "][..]),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
        max_bytes in prop_oneof![4 => Just(1 << 20), 1 => 1_usize..2_000],
        on_unshaped in prop::sample::select(&[OnUnshaped::Refuse, OnUnshaped::Pass][..]),
    ) {
        let all = [&paths[..], &of_layer[..]].concat();
        let (stay, go) = (Vec::new(), Vec::new());
        let mut writer = Writer { paths: &all, space, json: String::new(), next: 0, stay, go };
        writer.write(&document, &[], false);
        let Writer { json, stay, go, .. } = writer;

        let listed = paths.iter().map(written).collect::<Vec<_>>().join(",");
        let store = store(|key| key.metadata("blocklist", listed));
        let mut layer = ShapingLayer::builder(max_bytes, on_unshaped).blocklist_metadata("blocklist");
        layer = layer.blocklist(of_layer.iter().map(written));
        if let Some(inflection) = inflection {
            layer = layer.inflection(inflection);
        }
        let gate = ApiKeyLayer::builder(PROFILE, store).build().unwrap();
        let body = pieces(&json, &cuts);
        let service = gate.layer(layer.build().unwrap().layer(service_fn(move |_: Request<()>| {
            let mut response = Response::new(body.clone());
            response.headers_mut().insert(CONTENT_TYPE, "application/json".parse().unwrap());
            async { Ok::<_, Infallible>(response) }
        })));
        let runtime = Builder::new_current_thread().build().unwrap();
        let (status, sent) = runtime.block_on(async {
            let response = service.oneshot(request(Method::GET, "/")).await.unwrap();
            (response.status(), response.into_body().collect().await.unwrap().to_bytes())
        });
        let sent = str::from_utf8(&sent).unwrap();

        for mark in &go {
            prop_assert!(!sent.contains(mark), "{mark} left: {sent}");
        }
        if status == 500 {
            prop_assert!(json.len() > max_bytes, "{json}");
            prop_assert!(stay.iter().all(|mark| !sent.contains(mark)));
            return Ok(());
        }
        prop_assert_eq!(status, 200);
        let mut rest = sent;
        for mark in &stay {
            let Some((_, after)) = rest.split_once(mark) else {
                panic!("{mark} is missing, or out of its order: {sent}");
            };
            rest = after;
        }
        prop_assert!(is_json(sent), "{sent}");
        if all.is_empty() && inflection.is_none() {
            prop_assert_eq!(sent, json);
        }
    }
}
