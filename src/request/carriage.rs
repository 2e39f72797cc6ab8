//! Checks that credential sources can carry the keys of a profile, once, when a layer is built.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::presented::{KeyBuffer, MAX_CREDENTIAL_BYTES};
use super::token::is_token;
use super::{basic, bearer, query, visible, websocket};
use crate::error::{ConfigError, Malformation};
use crate::key::{KeyFormat, KeyKind, Segment};
use crate::profile::{BasicKey, CredentialSource, Scheme};

/// Refuses a source that can carry no key, and a format that no source can carry.
///
/// The check takes the shortest keys of each format and environment, and reads them as it would read
/// the key of a request.
pub(crate) fn check(
    sources: &[CredentialSource<'_>],
    formats: &[KeyFormat<'_>],
) -> Result<(), ConfigError> {
    for source in sources {
        check_source(source)?;
    }
    check_equal(sources)?;
    for format in formats {
        for keys in shortest_keys(format) {
            let carried = |source: &&CredentialSource<'_>| {
                keys.iter().any(|key| carries(source.scheme, key).is_ok())
            };
            if !sources.iter().any(|source| carried(&source)) {
                return Err(not_carried(sources, format, &keys));
            }
        }
    }
    Ok(())
}

fn check_source(source: &CredentialSource<'_>) -> Result<(), ConfigError> {
    let refuse = |problem: String| {
        let source_name = described(source.scheme);
        ConfigError::CredentialSource { source_name, problem }
    };
    if let Some(problem) = misnamed(source.scheme) {
        return Err(refuse(problem.to_owned()));
    }
    if let Err(problem) = carries(source.scheme, b"0") {
        return Err(refuse(obstacle(source.scheme, problem)));
    }
    for kind in source.kinds.unwrap_or_default() {
        KeyKind::new(kind).map_err(|error| {
            refuse(format!("no key can have the kind `{}`: {error}", kind.escape_debug()))
        })?;
    }
    Ok(())
}

/// Refuses sources that allow an equal key, if no request can carry it twice, or if two of them disagree about
/// what else counts.
fn check_equal(sources: &[CredentialSource<'_>]) -> Result<(), ConfigError> {
    let mut equal = sources.iter().filter(|source| source.allow_equal);
    let Some(first) = equal.next() else { return Ok(()) };
    let refuse = |source: &CredentialSource<'_>, problem: &str| {
        let source_name = format!("{} with `allow_equal`", described(source.scheme));
        Err(ConfigError::CredentialSource { source_name, problem: problem.to_owned() })
    };
    let mut beside = false;
    for other in equal {
        beside |= !(first.scheme.is_in_authorization() && other.scheme.is_in_authorization());
        if other.kinds != first.kinds {
            return refuse(
                other,
                "it accepts other kinds of keys than the first such source: give both the same `only`",
            );
        }
        if other.scheme.has_id() != first.scheme.has_id() {
            return refuse(
                other,
                "only one of two such sources has the id of the key: let both have it, or none",
            );
        }
    }
    if beside {
        return Ok(());
    }
    refuse(
        first,
        "no request has a second such source, because it has one `Authorization` at most: call `allow_equal` on a source besides `Authorization`, or on none",
    )
}

/// Returns what is wrong with the name of a scheme or a parameter.
fn misnamed(scheme: Scheme<'_>) -> Option<&'static str> {
    if let Scheme::InsecureQuery(name) = scheme {
        let problem =
            "not every reader of a query reads this name alike: write letters, digits and `-._~`";
        return (!query::is_name(name)).then_some(problem);
    }
    if let Scheme::WebSocketProtocol(prefix) = scheme {
        let problem = "no protocol's name begins so (RFC 6455 §4.1): write a word without spaces or separators, such as `api-key.`";
        return (!is_token(prefix.as_bytes())).then_some(problem);
    }
    let (Scheme::Named(name) | Scheme::NamedPair(name, _)) = scheme else { return None };
    if !is_token(name.as_bytes()) {
        Some(
            "this is no name of a scheme (RFC 9110 §11.1): write a word without spaces, `:` or `,`",
        )
    } else if name.eq_ignore_ascii_case("Basic") {
        Some("Basic carries a pair: use `CredentialSource::basic`")
    } else if name.eq_ignore_ascii_case("Bearer") {
        Some(
            "Bearer has its own rules: use `CredentialSource::bearer` or `CredentialSource::wide_bearer`",
        )
    } else {
        None
    }
}

fn not_carried(
    sources: &[CredentialSource<'_>],
    format: &KeyFormat<'_>,
    keys: &[Vec<u8>],
) -> ConfigError {
    let obstacles = sources.iter().filter_map(|source| {
        let problem = keys.iter().find_map(|key| carries(source.scheme, key).err())?;
        let problem = obstacle(source.scheme, problem);
        Some(format!("{}: {problem}", described(source.scheme)))
    });
    let problem = obstacles.collect::<Vec<_>>().join("; ");
    ConfigError::FormatNotCarried { pattern: format.pattern(), problem }
}

/// Lists the shortest keys of a format for each of its environments. If the last segment may be empty,
/// a second key has one character there.
fn shortest_keys(format: &KeyFormat<'_>) -> Vec<Vec<Vec<u8>>> {
    let environments = format.segments().map(|segment| match segment {
        Segment::Environment(tags) => tags.len(),
        _ => 1,
    });
    (0..environments.max().unwrap_or(1))
        .map(|environment| [0, 1].map(|fewest| text(format, environment, fewest)).to_vec())
        .collect()
}

fn text(format: &KeyFormat<'_>, environment: usize, fewest: u16) -> Vec<u8> {
    let mut text = Vec::new();
    for segment in format.segments() {
        match segment {
            Segment::Literal(literal) => text.extend_from_slice(literal.as_bytes()),
            Segment::Environment(tags) => {
                let tag = tags.get(environment).or(tags.last()).copied().unwrap_or_default();
                text.extend_from_slice(tag.as_bytes());
            }
            // Every alphabet has the digit 0.
            Segment::Characters { at_least, at_most, .. } => {
                let count = at_least.max(fewest).min(at_most);
                text.resize(text.len() + usize::from(count), b'0');
            }
            Segment::Checksum => text.extend_from_slice(b"000000"),
        }
    }
    text
}

/// Encodes a key as a client does for this source, and reads it back as a gate does.
fn carries(scheme: Scheme<'_>, key: &[u8]) -> Result<(), Malformation> {
    match scheme {
        Scheme::Bearer if key.len() > MAX_CREDENTIAL_BYTES => Err(Malformation::TooLong),
        Scheme::Bearer => bearer::key(key).map(|_| ()),
        Scheme::WideBearer | Scheme::Named(_) | Scheme::Header(_) | Scheme::IdAndSecret { .. } => {
            visible::key(key).map(|_| ())
        }
        Scheme::InsecureQuery(_) => carries_in_query(key),
        Scheme::WebSocketProtocol(_) => websocket::key(key).map(|_| ()),
        Scheme::Basic(rule) | Scheme::NamedPair(_, rule) => carries_pair(rule, key),
    }
}

fn carries_in_query(key: &[u8]) -> Result<(), Malformation> {
    let encoded = key.iter().fold(String::new(), |text, &byte| {
        if query::is_unreserved(byte) {
            text + char::from(byte).encode_utf8(&mut [0; 4])
        } else {
            text + &format!("%{byte:02X}")
        }
    });
    query::key(&encoded, &mut KeyBuffer::new()).map(|_| ())
}

fn carries_pair(rule: BasicKey<'_>, key: &[u8]) -> Result<(), Malformation> {
    let password_of = |user: &[u8]| by_basic(rule, &[user, b":", key].concat(), key);
    let user_name = || by_basic(rule, &[key, b":"].concat(), key);
    match rule {
        BasicKey::PasswordOf(user) => password_of(user.as_bytes()),
        // A client may send the key as the password or as the user name.
        BasicKey::UserOrPassword => password_of(b"").and_then(|()| user_name()),
        BasicKey::UserName => user_name(),
        BasicKey::SecretOfId => password_of(b"0"),
    }
}

fn by_basic(rule: BasicKey<'_>, pair: &[u8], key: &[u8]) -> Result<(), Malformation> {
    let mut encoded = [0; MAX_CREDENTIAL_BYTES];
    let length = STANDARD.encode_slice(pair, &mut encoded);
    let token = length.ok().and_then(|length| encoded.get(..length));
    let mut buffer = KeyBuffer::new();
    match basic::parts(token.ok_or(Malformation::TooLong)?, rule, &mut buffer)? {
        read if read.key == key => Ok(()),
        _ => Err(Malformation::UserName),
    }
}

/// Returns a source as it is written in code.
fn described(scheme: Scheme<'_>) -> String {
    match scheme {
        Scheme::Bearer => "`CredentialSource::bearer()`".to_owned(),
        Scheme::WideBearer => "`CredentialSource::wide_bearer()`".to_owned(),
        Scheme::Named(name) => format!("`CredentialSource::scheme(\"{}\")`", name.escape_debug()),
        Scheme::Header(name) => {
            format!("`CredentialSource::header(\"{}\")`", name.escape_debug())
        }
        Scheme::IdAndSecret { id, secret } => {
            let (id, secret) = (id.escape_debug(), secret.escape_debug());
            format!("`CredentialSource::id_and_secret(\"{id}\", \"{secret}\")`")
        }
        Scheme::InsecureQuery(name) => {
            format!("`CredentialSource::insecure_query(\"{}\")`", name.escape_debug())
        }
        Scheme::WebSocketProtocol(prefix) => {
            format!("`CredentialSource::websocket_protocol(\"{}\")`", prefix.escape_debug())
        }
        Scheme::Basic(rule) => format!("`{}`", described_pair(rule)),
        Scheme::NamedPair(name, rule) => {
            let (name, rule) = (name.escape_debug(), described_pair(rule));
            format!("`CredentialSource::pair(\"{name}\", {rule})`")
        }
    }
}

fn described_pair(rule: BasicKey<'_>) -> String {
    match rule {
        BasicKey::PasswordOf(user) => {
            format!("BasicKey::PasswordOf(\"{}\")", user.escape_debug())
        }
        BasicKey::UserOrPassword => "BasicKey::UserOrPassword".to_owned(),
        BasicKey::UserName => "BasicKey::UserName".to_owned(),
        BasicKey::SecretOfId => "BasicKey::SecretOfId".to_owned(),
    }
}

/// Returns why a source does not carry a key, and the remedy.
fn obstacle(scheme: Scheme<'_>, problem: Malformation) -> String {
    let rule = match scheme {
        Scheme::Basic(rule) | Scheme::NamedPair(_, rule) => Some(rule),
        _ => None,
    };
    let text = match problem {
        Malformation::TooLong if rule.is_some() => {
            "with its user name in base64, a credential may have at most 512 bytes: shorten the keys"
        }
        Malformation::TooLong => "a credential may have at most 512 bytes: shorten the keys",
        Malformation::Empty => "the shortest key is empty: make it longer",
        Malformation::ControlCharacter => {
            "a user name may have no control characters (RFC 7617 §2): remove them"
        }
        Malformation::UserName
            if matches!(rule, Some(BasicKey::UserOrPassword | BasicKey::UserName)) =>
        {
            "a key with `:` cannot be a user name, which ends at the first `:` (RFC 7617 §2): use keys \
                        without `:`, or read keys as passwords only, with `BasicKey::PasswordOf`"
        }
        Malformation::UserName => {
            "a user name ends at the first `:` (RFC 7617 §2): choose a name without `:`"
        }
        Malformation::Alphabet if matches!(scheme, Scheme::WebSocketProtocol(_)) => {
            "a protocol's name may have letters, digits and `!#$%&'*+-.^_`|~` only (RFC 6455 §4.1): change the format"
        }
        Malformation::Alphabet if scheme != Scheme::Bearer => {
            "a key may have visible ASCII only: change the format"
        }
        _ => {
            "a Bearer token may have letters, digits and `-._~+/`, and `=` only at its end (RFC 6750 \
                        §2.1): change the format, or read the keys from `CredentialSource::wide_bearer` or \
                        `CredentialSource::header`"
        }
    };
    text.to_owned()
}
