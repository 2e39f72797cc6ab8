//! `WWW-Authenticate`: one challenge for each scheme that the profile reads.

use http::header::{Entry, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::own_challenges;
use crate::error::ConfigError;
use crate::key::is_scope_token;
use crate::profile::{Answer, Challenge, CredentialSource, Profile, Scheme};

const fn error(challenge: Challenge) -> Option<&'static str> {
    match challenge {
        Challenge::None | Challenge::Bare => None,
        Challenge::InvalidRequest => Some("invalid_request"),
        Challenge::InvalidToken => Some("invalid_token"),
        Challenge::InsufficientScope => Some("insufficient_scope"),
    }
}

/// The problem of a realm that no header can hold.
const UNFIT: &str = "it does not fit into a header: write visible ASCII and spaces";

/// Renders the field lines of an answer, without scopes. A 401 has a challenge for every scheme. Other statuses have
/// only the one for Bearer, because no other scheme defines an error.
///
/// # Errors
///
/// [`ConfigError::Header`] if the realm has characters that a header must not have; [`ConfigError::Answer`] for a
/// challenge of the profile's or the answer's own that is not valid.
pub(super) fn lines(
    row: &'static str,
    answer: &Answer<'_>,
    profile: &Profile<'_>,
) -> Result<Vec<HeaderValue>, ConfigError> {
    let Answer { status, challenge, challenges, .. } = *answer;
    if challenge == Challenge::None && challenges.is_empty() {
        return Ok(Vec::new());
    }
    let all = status.code() == StatusCode::UNAUTHORIZED;
    let (own, all) = match challenges {
        [] => (profile.challenges, all),
        listed => (listed, true),
    };
    let realm = escaped(profile.realm)?;
    if own.is_empty() {
        return derived(challenge, all, &realm, profile.credentials);
    }
    let mut lines = Vec::new();
    for listed in own.iter().filter(|listed| all || own_challenges::is_bearer(listed.scheme)) {
        let line = own_challenges::line(row, listed, &realm, error(challenge))?;
        if lines.contains(&line) {
            return Err(own_challenges::repeated(row, listed));
        }
        lines.push(line);
    }
    Ok(lines)
}

/// Escapes a realm for a quoted string.
fn escaped(realm: &str) -> Result<String, ConfigError> {
    if realm.trim().is_empty() {
        return Err(refused(realm, "it is empty: name your API"));
    }
    if !realm.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(refused(realm, UNFIT));
    }
    Ok(realm.replace('\\', "\\\\").replace('"', "\\\""))
}

fn refused(realm: &str, problem: &'static str) -> ConfigError {
    let what = "the profile's field `realm`";
    ConfigError::Header { what, value: realm.to_owned(), problem }
}

/// Renders a challenge for each source.
fn derived(
    challenge: Challenge,
    all: bool,
    realm: &str,
    sources: &[CredentialSource<'_>],
) -> Result<Vec<HeaderValue>, ConfigError> {
    let wanted = sources.iter().map(|source| source.scheme);
    let wanted = wanted.filter(|scheme| all || scheme.is_bearer());
    let line = |scheme| {
        let line = HeaderValue::from_str(&line(challenge, scheme, realm));
        line.map_err(|_| refused(realm, UNFIT))
    };
    wanted.map(line).collect()
}

/// Adds the needed scopes to the challenges with the scheme Bearer. Adds none if one of them is not a scope token:
/// a handler may require a text from its request, and a quote in that would end the attribute.
pub(super) fn add_scopes(headers: &mut HeaderMap, scopes: &str) {
    // scope-token *( SP scope-token ), RFC 6749 §3.3.
    if !scopes.split(' ').all(is_scope_token) {
        return;
    }
    let Entry::Occupied(mut lines) = headers.entry(WWW_AUTHENTICATE) else { return };
    for line in lines.iter_mut() {
        let Ok(text) = line.to_str() else { continue };
        let (scheme, separator) = match text.split_once(' ') {
            Some((scheme, _)) => (scheme, ", "),
            None => (text, " "),
        };
        if own_challenges::is_bearer(scheme)
            && let Ok(named) =
                HeaderValue::try_from(format!(r#"{text}{separator}scope="{scopes}""#))
        {
            *line = named;
        }
    }
}

fn line(challenge: Challenge, scheme: Scheme<'_>, realm: &str) -> String {
    match scheme {
        Scheme::Basic(_) => format!(r#"Basic realm="{realm}", charset="UTF-8""#),
        Scheme::Bearer | Scheme::WideBearer => {
            let mut line = format!(r#"Bearer realm="{realm}""#);
            if let Some(error) = error(challenge) {
                line += &format!(r#", error="{error}""#);
            }
            line
        }
        Scheme::Named(name) | Scheme::NamedPair(name, _) => format!(r#"{name} realm="{realm}""#),
        Scheme::IdAndSecret { id, secret } => {
            let (id, secret) = (id.to_ascii_lowercase(), secret.to_ascii_lowercase());
            format!(r#"ApiKey realm="{realm}", id-header="{id}", header="{secret}""#)
        }
        Scheme::InsecureQuery(name) => format!(r#"ApiKey realm="{realm}", query="{name}""#),
        Scheme::WebSocketProtocol(prefix) => {
            format!(r#"ApiKey realm="{realm}", websocket-protocol="{prefix}""#)
        }
        // No registered scheme fits a key in its own header, but RFC 9110 §11.6.1 requires a challenge.
        // This one shows a person which header to use.
        Scheme::Header(name) => {
            let name = name.to_ascii_lowercase();
            format!(r#"ApiKey realm="{realm}", header="{name}""#)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{BasicKey, ErrorBody};

    #[test]
    fn challenges_name_every_scheme_that_is_read() {
        use Challenge::{Bare, InsufficientScope, InvalidRequest, InvalidToken, None};
        let credentials = [
            CredentialSource::basic(BasicKey::UserOrPassword),
            CredentialSource::bearer(),
            CredentialSource::scheme("Token"),
            CredentialSource::header("x-api-key"),
        ];
        let credentials = &credentials[..];
        let profile = Profile { realm: "a \"b\"", credentials, ..Profile::STANDARD };
        let named = r#"Token realm="a \"b\"""#;
        let basic = r#"Basic realm="a \"b\"", charset="UTF-8""#;
        let header = r#"ApiKey realm="a \"b\"", header="x-api-key""#;
        let bearer = |rest: &str| format!(r#"Bearer realm="a \"b\""{rest}"#);
        let token = bearer(r#", error="invalid_token""#);
        let request = bearer(r#", error="invalid_request""#);
        let scope = bearer(r#", error="insufficient_scope""#);
        for (challenge, status, expected) in [
            (None, 401, vec![]),
            (Bare, 401, vec![basic, &bearer(""), named, header]),
            (InvalidToken, 401, vec![basic, &token, named, header]),
            (InvalidRequest, 400, vec![&request[..]]),
            (InsufficientScope, 403, vec![&scope[..]]),
        ] {
            let answer = Answer::of_code(status, ErrorBody::Empty).challenge(challenge);
            let lines = lines("row", &answer, &profile).unwrap();
            assert_eq!(lines, expected, "{challenge:?}");
        }
        let unfit = Profile { realm: "a\nb", ..profile };
        let answer = Answer::of_code(401, ErrorBody::Empty).challenge(Bare);
        assert!(lines("row", &answer, &unfit).is_err());
    }

    #[test]
    fn scopes_are_added_to_every_bearer_challenge() {
        let named = |scopes: &str| {
            let mut headers = HeaderMap::new();
            for line in [r#"Basic realm="r""#, r#"bearer realm="r""#, "Bearer"] {
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(line));
            }
            add_scopes(&mut headers, scopes);
            let lines = headers.get_all(WWW_AUTHENTICATE).iter();
            lines.map(|line| line.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let [basic, bearer] = [r#"Basic realm="r""#, r#"bearer realm="r", scope="a b""#];
        assert_eq!(named("a b"), [basic, bearer, r#"Bearer scope="a b""#]);
        for scopes in ["", "a  b", "a\"b", "a\\", "a\nb", r#"a", error_uri="x"#] {
            assert_eq!(named(scopes), [basic, r#"bearer realm="r""#, "Bearer"], "{scopes:?}");
        }
    }
}
