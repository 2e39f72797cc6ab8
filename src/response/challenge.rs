//! `WWW-Authenticate`: one challenge for each scheme that the profile reads.

use crate::profile::Challenge;
use http::{HeaderValue, StatusCode};

use crate::error::ConfigError;
use crate::key::is_scope_token;
use crate::profile::{CredentialSource, Scheme};

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

/// Renders the field lines, without scopes. A 401 has a challenge for every scheme. Other statuses have
/// only the one for Bearer, because no other scheme defines an error.
///
/// # Errors
///
/// [`ConfigError::Header`] if the realm has characters that a header must not have.
pub(super) fn lines(
    challenge: Challenge,
    status: StatusCode,
    realm: &str,
    sources: &[CredentialSource<'_>],
) -> Result<Vec<HeaderValue>, ConfigError> {
    if challenge == Challenge::None {
        return Ok(Vec::new());
    }
    let refused = |problem| ConfigError::Header {
        what: "the profile's field `realm`",
        value: realm.to_owned(),
        problem,
    };
    if realm.trim().is_empty() {
        return Err(refused("it is empty: name your API"));
    }
    if !realm.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(refused(UNFIT));
    }
    let all = status == StatusCode::UNAUTHORIZED;
    let wanted = sources.iter().map(|source| source.scheme);
    let wanted = wanted.filter(|scheme| all || scheme.is_bearer());
    wanted
        .map(|scheme| {
            let line = HeaderValue::from_str(&line(challenge, scheme, realm, None));
            line.map_err(|_| refused(UNFIT))
        })
        .collect()
}

/// Renders the Bearer challenge with the needed scopes. Returns `None` if one of them is not a scope token:
/// a handler may require a text from its request, and a quote in that would end the attribute.
pub(super) fn with_scopes(challenge: Challenge, realm: &str, scopes: &str) -> Option<HeaderValue> {
    // scope-token *( SP scope-token ), RFC 6749 §3.3.
    if !scopes.split(' ').all(is_scope_token) {
        return None;
    }
    HeaderValue::from_str(&line(challenge, Scheme::Bearer, realm, Some(scopes))).ok()
}

fn line(challenge: Challenge, scheme: Scheme<'_>, realm: &str, scopes: Option<&str>) -> String {
    let realm = realm.replace('\\', "\\\\").replace('"', "\\\"");
    match scheme {
        Scheme::Basic(_) => format!(r#"Basic realm="{realm}", charset="UTF-8""#),
        Scheme::Bearer | Scheme::WideBearer => {
            let mut line = format!(r#"Bearer realm="{realm}""#);
            if let Some(error) = error(challenge) {
                line += &format!(r#", error="{error}""#);
            }
            if let Some(scopes) = scopes {
                line += &format!(r#", scope="{scopes}""#);
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
    use crate::profile::BasicKey;

    #[test]
    fn challenges_name_every_scheme_that_is_read() {
        use Challenge::{Bare, InsufficientScope, InvalidRequest, InvalidToken, None};
        let sources = [
            CredentialSource::basic(BasicKey::UserOrPassword),
            CredentialSource::bearer(),
            CredentialSource::scheme("Token"),
            CredentialSource::header("x-api-key"),
        ];
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
            let status = StatusCode::from_u16(status).unwrap();
            let lines = lines(challenge, status, "a \"b\"", &sources).unwrap();
            assert_eq!(lines, expected, "{challenge:?}");
        }
        let scoped = with_scopes(InsufficientScope, "r", "a b").unwrap();
        assert_eq!(scoped, r#"Bearer realm="r", error="insufficient_scope", scope="a b""#);
        for scopes in ["", "a  b", "a\"b", "a\\", "a\nb", r#"a", error_uri="x"#] {
            assert!(with_scopes(InsufficientScope, "r", scopes).is_none(), "{scopes:?}");
        }
        assert!(lines(Bare, StatusCode::UNAUTHORIZED, "a\nb", &sources).is_err());
    }
}
