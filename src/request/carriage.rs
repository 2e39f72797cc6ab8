//! Whether credential sources can carry the keys of a profile: asked once, when a layer is built.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::presented::{KeyBuffer, MAX_CREDENTIAL_BYTES};
use super::{basic, bearer, own_header};
use crate::error::{ConfigError, Malformation};
use crate::key::{KeyFormat, KeyKind, Segment};
use crate::profile::{BasicKey, CredentialSource, Scheme};

/// Refuses a source that carries no key at all, and a format that no source carries. What is tried are
/// the shortest keys of the format, for each environment; they are read as a request's would be.
pub(crate) fn check(
    sources: &[CredentialSource<'_>],
    formats: &[KeyFormat<'_>],
) -> Result<(), ConfigError> {
    for source in sources {
        check_source(source)?;
    }
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
    if let Err(problem) = carries(source.scheme, b"0") {
        return Err(refuse(obstacle(source.scheme, problem)));
    }
    for kind in source.kinds.unwrap_or_default() {
        KeyKind::new(kind).map_err(|error| {
            refuse(format!("no key is of the kind `{}`: {error}", kind.escape_debug()))
        })?;
    }
    Ok(())
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

/// Lists the shortest keys of a format, once for each of its environments. A format whose shortest key
/// may lack its last characters has another with one of them.
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
            // Every alphabet has it.
            Segment::Characters { at_least, at_most, .. } => {
                let count = at_least.max(fewest).min(at_most);
                text.resize(text.len() + usize::from(count), b'0');
            }
            Segment::Checksum => text.extend_from_slice(b"000000"),
        }
    }
    text
}

/// Sends a key through a source, and reads it as a request's is read.
fn carries(scheme: Scheme<'_>, key: &[u8]) -> Result<(), Malformation> {
    match scheme {
        Scheme::Bearer if key.len() > MAX_CREDENTIAL_BYTES => Err(Malformation::TooLong),
        Scheme::Bearer => bearer::key(key).map(|_| ()),
        Scheme::Header(_) => own_header::key(key).map(|_| ()),
        Scheme::Basic(rule @ BasicKey::PasswordOf(user)) => {
            by_basic(rule, &[user.as_bytes(), b":", key].concat(), key)
        }
        // A client may send it in either place.
        Scheme::Basic(rule @ BasicKey::UserOrPassword) => {
            by_basic(rule, &[b":", key].concat(), key)?;
            by_basic(rule, &[key, b":"].concat(), key)
        }
    }
}

fn by_basic(rule: BasicKey<'_>, pair: &[u8], key: &[u8]) -> Result<(), Malformation> {
    let mut encoded = [0; MAX_CREDENTIAL_BYTES];
    let length = STANDARD.encode_slice(pair, &mut encoded);
    let token = length.ok().and_then(|length| encoded.get(..length));
    let mut buffer = KeyBuffer::new();
    match basic::key(token.ok_or(Malformation::TooLong)?, rule, &mut buffer)? {
        read if read == key => Ok(()),
        _ => Err(Malformation::UserName),
    }
}

/// Names a source as it is written.
fn described(scheme: Scheme<'_>) -> String {
    match scheme {
        Scheme::Bearer => "`CredentialSource::bearer()`".to_owned(),
        Scheme::Header(name) => {
            format!("`CredentialSource::header(\"{}\")`", name.escape_debug())
        }
        Scheme::Basic(BasicKey::PasswordOf(user)) => {
            format!("`BasicKey::PasswordOf(\"{}\")`", user.escape_debug())
        }
        Scheme::Basic(BasicKey::UserOrPassword) => "`BasicKey::UserOrPassword`".to_owned(),
    }
}

/// Says what a source does not carry, and what to do.
fn obstacle(scheme: Scheme<'_>, problem: Malformation) -> String {
    let basic = matches!(scheme, Scheme::Basic(_));
    let text = match problem {
        Malformation::TooLong if basic => {
            "in base64, with its user name, a credential has at most 512 bytes: shorten the keys"
        }
        Malformation::TooLong => "a credential has at most 512 bytes: shorten the keys",
        Malformation::Empty => "the key would have no character: lengthen it",
        Malformation::ControlCharacter => {
            "a user name has no control character (RFC 7617 §2): leave it out"
        }
        Malformation::UserName if scheme == Scheme::Basic(BasicKey::UserOrPassword) => {
            "a key with `:` cannot be the user name, which ends at the first one (RFC 7617 §2): take \
            keys without, or as passwords alone with `BasicKey::PasswordOf`"
        }
        Malformation::UserName => {
            "a user name ends at the first `:` (RFC 7617 §2): choose one without"
        }
        _ => {
            "a Bearer token is letters, digits and any of `-._~+/`, with `=` at its end alone (RFC 6750 \
            §2.1): change the format, or read the keys from `CredentialSource::header`"
        }
    };
    text.to_owned()
}
