//! The table `[forward_auth]` of the program's file.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use http::HeaderName;
use serde::Deserialize;
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
    /// Reads the settings from a file that has only the table `[forward_auth]`.
    ///
    /// # Errors
    ///
    /// The line and the field that are not valid.
    pub fn read(file: &str) -> Result<Self, toml::de::Error> {
        toml::from_str::<OwnTable>(file).map(|file| file.forward_auth)
    }

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
}

/// The file, which has one table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnTable {
    forward_auth: Settings,
}

fn default_path() -> String {
    "/check".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_names_a_socket_and_a_proxy() {
        let nginx = "[forward_auth]\nlisten = \"127.0.0.1:9190\"\nproxy = \"nginx\"\n";
        let settings = Settings::read(nginx).unwrap();
        assert_eq!((&*settings.path, settings.proxy), ("/check", Proxy::Nginx));
        assert_eq!(settings.listen.to_string(), "127.0.0.1:9190");
        for (change, said) in [
            (nginx.replace("nginx", "apache"), "apache"),
            (nginx.replace("127.0.0.1:9190", "localhost"), "write an address with a port"),
            (nginx.replace("127.0.0.1:9190", "unix:socket"), "write the whole path"),
            (format!("{nginx}paths = \"/a\"\n"), "paths"),
            (nginx.replace("proxy", "# proxy"), "proxy"),
        ] {
            let error = Settings::read(&change).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("line"), "{said}: {error}");
        }
        let unix = nginx.replace("127.0.0.1:9190", "unix:/run/a");
        assert_eq!(Settings::read(&unix).unwrap().listen, Listen::Unix("/run/a".into()));
    }
}
