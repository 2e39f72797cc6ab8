//! Security schemes, and the alternatives of schemes and scopes that an operation needs.

use http::Method;
use serde_json::{Map, Value, json};

use super::gate::DescribedGate;
use super::gated_operation::GatedOperation;
use super::possible::is_of_handshakes;
use crate::profile::{BasicKey, Scheme};
use crate::rules::RouteNeeds;

/// The most alternatives of scopes that a document lists. A route with more of them has those only that are needed
/// in each alternative.
const MOST_ALTERNATIVES: usize = 256;

/// The schemes that carry the key of one credential source. A pair of headers has two.
#[derive(Debug)]
pub(super) struct SourceSchemes<'a> {
    pub(super) schemes: Vec<(String, Value)>,
    kinds: Option<&'a [Box<str>]>,
    is_of_handshakes: bool,
}

/// Returns the schemes of each credential source. Their names begin with `prefix`.
pub(super) fn schemes<'a>(gate: &DescribedGate<'a>, prefix: &str) -> Vec<SourceSchemes<'a>> {
    let mut names: Vec<String> = Vec::new();
    let described = gate.policy.schemes().map(|(scheme, kinds)| {
        let named = |(name, described): (String, Value)| {
            let name = unique(&format!("{prefix}{name}"), &names);
            names.push(name.clone());
            (name, described)
        };
        let schemes = objects(scheme, kinds).into_iter().map(named).collect();
        SourceSchemes { schemes, kinds, is_of_handshakes: is_of_handshakes(scheme) }
    });
    described.collect()
}

impl GatedOperation<'_> {
    /// Returns the alternatives of `security`: for each credential source that the route accepts, each alternative of
    /// scopes; and nothing at all, where the gate admits requests without a key.
    pub(super) fn security(&self, sources: &[SourceSchemes<'_>]) -> Vec<Value> {
        let alternatives = self.route.map_or_else(|| vec![Vec::new()], alternatives);
        let is_get = self.request.method() == Method::GET;
        let kinds = self.route.and_then(|route| route.kinds.as_deref());
        let serves = |source: &&SourceSchemes<'_>| {
            let shares = |kinds: &[Box<str>], accepted: &[Box<str>]| {
                kinds.iter().any(|kind| accepted.contains(kind))
            };
            let fits = match (kinds, source.kinds) {
                (Some(kinds), Some(accepted)) => shares(kinds, accepted),
                _ => true,
            };
            fits && (is_get || !source.is_of_handshakes)
        };
        let requirement = |source: &SourceSchemes<'_>, scopes: &Vec<&str>| -> Value {
            let each = source.schemes.iter().map(|(name, _)| (name.clone(), json!(scopes)));
            Value::Object(each.collect())
        };
        let mut listed: Vec<Value> = Vec::new();
        for source in sources.iter().filter(serves) {
            listed.extend(alternatives.iter().map(|scopes| requirement(source, scopes)));
        }
        if self.is_open {
            listed.push(json!({}));
        }
        listed
    }
}

/// Returns true for a route with more alternatives than a document lists.
pub(super) fn has_too_many(route: &RouteNeeds) -> bool {
    let any = route.any_of.as_ref().map_or(1, |any| any.len());
    let sets = route.sets.as_ref().map_or(1, |sets| sets.len());
    any.saturating_mul(sets) > MOST_ALTERNATIVES
}

/// Returns the sets of scopes of which a key needs one in full.
fn alternatives(route: &RouteNeeds) -> Vec<Vec<&str>> {
    let all = texts(&route.all_of);
    if has_too_many(route) {
        return vec![all];
    }
    let any = route.any_of.as_deref().unwrap_or_default();
    let sets = route.sets.as_deref().unwrap_or_default();
    let any: Vec<Vec<&str>> = any.iter().map(|scope| vec![&**scope]).collect();
    let sets: Vec<Vec<&str>> = sets.iter().map(|set| texts(set)).collect();
    let choices = [any, sets].into_iter().filter(|choice| !choice.is_empty());
    choices.fold(vec![all], |before, choice| {
        let joined = before.iter().flat_map(|scopes| {
            choice.iter().map(move |more| {
                let mut scopes = scopes.clone();
                scopes.extend(
                    more.iter()
                        .filter(|scope| !scopes.contains(scope))
                        .copied()
                        .collect::<Vec<_>>(),
                );
                scopes
            })
        });
        joined.collect()
    })
}

fn texts(list: &[Box<str>]) -> Vec<&str> {
    list.iter().map(|scope| &**scope).collect()
}

/// Returns the security schemes of a credential source, each with a name.
fn objects(scheme: Scheme<'_>, kinds: Option<&[Box<str>]>) -> Vec<(String, Value)> {
    let only = kinds.map_or_else(String::new, |kinds| {
        let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
        format!(" Only for keys of the kind {}.", kinds.join(" or "))
    });
    let http = |scheme: &str, text: &str| json!({ "type": "http", "scheme": scheme, "description": format!("{text}{only}") });
    let key = |place: &str, name: &str, text: &str| json!({ "type": "apiKey", "in": place, "name": name, "description": format!("{text}{only}") });
    match scheme {
        Scheme::Basic(part) => vec![("basic".to_owned(), http("basic", &of_pair(part)))],
        Scheme::Bearer | Scheme::WideBearer => {
            vec![("bearer".to_owned(), http("bearer", "The key is the token."))]
        }
        Scheme::Named(name) => vec![(word(name), http(name, "The key follows the scheme."))],
        Scheme::NamedPair(name, part) => {
            let text =
                format!("A pair in base64 follows the scheme, as in Basic. {}", of_pair(part));
            vec![(word(name), http(name, &text))]
        }
        Scheme::Header(name) => vec![(word(name), key("header", name, "The value is the key."))],
        Scheme::InsecureQuery(name) => {
            vec![(word(name), key("query", name, "The value is the key. URLs are logged."))]
        }
        Scheme::WebSocketProtocol(prefix) => {
            let text = format!(
                "In a WebSocket handshake, one of the offered protocols is `{prefix}` with the key after it. \
                 Offer a second protocol, which the service selects."
            );
            vec![("websocket".to_owned(), key("header", "Sec-WebSocket-Protocol", &text))]
        }
        Scheme::IdAndSecret { id, secret } => vec![
            (word(id), key("header", id, "The value is the id of the key.")),
            (word(secret), key("header", secret, "The value is the key.")),
        ],
    }
}

fn of_pair(part: BasicKey<'_>) -> String {
    match part {
        BasicKey::PasswordOf(user) => {
            format!("The user name is `{user}`, and the password is the key.")
        }
        BasicKey::UserOrPassword => {
            "The key is the password, or the user name with an empty password.".to_owned()
        }
        BasicKey::UserName => "The key is the user name, and the password is empty.".to_owned(),
        BasicKey::SecretOfId => {
            "The user name is the id of the key, and the password is the key.".to_owned()
        }
    }
}

/// Returns a name for a component of a document, in lower case.
fn word(name: &str) -> String {
    component_name(name).to_ascii_lowercase()
}

/// Replaces what the name of a component cannot have. It has letters, digits and `._-` (OpenAPI 3.1.1, section
/// "Components Object").
pub(super) fn component_name(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    name.chars().map(|letter| if is_plain(letter) { letter } else { '-' }).collect()
}

/// Returns a name that is not taken.
fn unique(name: &str, taken: &[String]) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or_default()
}

/// Returns all schemes as the object `securitySchemes`.
pub(super) fn object(sources: &[SourceSchemes<'_>]) -> Map<String, Value> {
    sources.iter().flat_map(|source| source.schemes.iter().cloned()).collect()
}
