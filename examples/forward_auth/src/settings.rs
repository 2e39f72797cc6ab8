//! The table `[forward_auth]` of the program's file.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use http::HeaderName;
use serde::Deserialize;
use tower_api_key::config::SectionMistake;
use tower_api_key::request::OriginalRequest;

/// The program's own settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where proxies connect: `127.0.0.1:9190`, or `unix:/run/forward-auth/socket`.
    pub listen: Listen,
    /// The path of questions. nginx also asks at `/refusal` below it; all of Envoy's questions are below it.
    #[serde(default = "default_path")]
    pub path: String,
    /// The proxy that asks.
    pub proxy: Proxy,
}

/// A proxy, each of which asks and understands in a way of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proxy {
    /// `auth_request`, which knows no refusals but 401 and 403, and drops their bodies.
    Nginx,
    /// `ForwardAuth`.
    Traefik,
    /// `forward_auth`.
    Caddy,
    /// `ext_authz` over HTTP.
    Envoy,
}

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Listen {
    /// A TCP socket.
    Tcp(SocketAddr),
    /// A Unix socket. Only the proxy may be able to open it.
    Unix(PathBuf),
}

impl TryFrom<String> for Listen {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(_) => Err("write the whole path of the socket, as `unix:/run/forward-auth/socket`"),
            None => text.parse().map(Self::Tcp).map_err(|_| {
                "write an address with a port, as `127.0.0.1:9190`, or `unix:/run/forward-auth/socket`"
            }),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

impl Settings {
    /// Returns how the proxy states the original request.
    pub fn original_request(&self) -> OriginalRequest {
        match self.proxy {
            Proxy::Nginx => OriginalRequest::headers(
                HeaderName::from_static("x-original-method"),
                HeaderName::from_static("x-original-uri"),
            ),
            Proxy::Traefik | Proxy::Caddy => OriginalRequest::x_forwarded(),
            Proxy::Envoy => OriginalRequest::below(&self.path),
        }
    }

    /// Refuses a path that no question has, and a change of what stays until a restart.
    pub(crate) fn check(&self, first: &Self) -> Result<(), SectionMistake> {
        let is_path = self.path.starts_with('/')
            && !self.path.ends_with('/')
            && self
                .path
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte));
        if !is_path {
            let problem = "this is no path of questions: write one as `/check`, with a slash before it and none after it";
            return Err(SectionMistake::new("path", problem));
        }
        let changed = [
            ("listen", self.listen != first.listen),
            ("path", self.path != first.path),
            ("proxy", self.proxy != first.proxy),
        ];
        match changed.iter().find(|(_, has_changed)| *has_changed) {
            Some((field, _)) => Err(SectionMistake::new(
                *field,
                "this stays until a restart: restart, or change it back",
            )),
            None => Ok(()),
        }
    }
}

fn default_path() -> String {
    "/check".to_owned()
}
