//! Finds the upstream of a request by host and path.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Problem;
use crate::settings::RouteSettings;
use crate::upstream::Upstream;

/// Protocols that are never passed on: requests inside of them would pass no gate.
const NEVER: [&str; 4] = ["h2c", "h2", "http", "tls"];

/// The routes, in the order in which they are tried.
pub(super) struct RouteTable(Vec<TableRow>);

struct TableRow {
    host: Option<String>,
    /// Without a slash at its end.
    path: String,
    target: Target,
}

/// The route and the upstream of an answer, in its extensions.
#[derive(Debug, Clone)]
pub(crate) struct ServedBy {
    /// The path of the route, not of the request.
    pub(crate) route: Arc<str>,
    /// The name of the upstream.
    pub(crate) upstream: Arc<str>,
}

/// Where requests of a route go.
pub(super) struct Target {
    pub(super) served_by: ServedBy,
    pub(super) max_content_bytes: u64,
    pub(super) upstream: Arc<Upstream>,
    /// The protocols that a client may switch to, in lower case.
    pub(super) upgrades: Vec<String>,
}

impl RouteTable {
    pub(super) fn new(
        routes: &[RouteSettings],
        upstreams: &BTreeMap<String, Arc<Upstream>>,
    ) -> Result<Self, Problem> {
        let mut rows: Vec<TableRow> = Vec::new();
        for (at, route) in routes.iter().enumerate() {
            let row = row(route, upstreams)
                .map_err(|problem| problem.within(&format!("routes[{at}]")))?;
            if rows.iter().any(|other| (&other.host, &other.path) == (&row.host, &row.path)) {
                let problem = "another route has the same path and host";
                return Err(Problem::new("path", problem).within(&format!("routes[{at}]")));
            }
            rows.push(row);
        }
        if rows.is_empty() {
            return Err(Problem::new("routes", "name at least one route"));
        }
        rows.sort_by_key(|row| std::cmp::Reverse((row.host.is_some(), row.path.len())));
        Ok(Self(rows))
    }

    /// Finds the route of a request. A port in the host does not count, and case does not either.
    pub(super) fn find(&self, host: &str, path: &str) -> Option<&Target> {
        let host = without_port(host);
        let row = self.0.iter().find(|row| {
            row.host.as_ref().is_none_or(|named| named.eq_ignore_ascii_case(host))
                && path
                    .strip_prefix(&*row.path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        row.map(|row| &row.target)
    }
}

fn row(
    route: &RouteSettings,
    upstreams: &BTreeMap<String, Arc<Upstream>>,
) -> Result<TableRow, Problem> {
    if !route.path.starts_with('/') || super::path::is_ambiguous(&route.path) {
        return Err(Problem::new("path", "begin it with a slash, without `.` and `..`"));
    }
    let upstream = upstreams.get(&route.upstream).ok_or_else(|| {
        let known: Vec<&str> = upstreams.keys().map(String::as_str).collect();
        Problem::new("upstream", format!("there is no such one; there are: {}", known.join(", ")))
    })?;
    if route.host.as_ref().is_some_and(|host| host.is_empty() || without_port(host) != host) {
        return Err(Problem::new("host", "name one without a port"));
    }
    let upgrades: Vec<String> =
        route.upgrades.iter().map(|protocol| protocol.to_ascii_lowercase()).collect();
    let is_never =
        |protocol: &String| NEVER.contains(&protocol.split('/').next().unwrap_or_default());
    if upgrades.iter().any(is_never) {
        let problem = "HTTP and TLS are never passed on, because requests inside pass no gate";
        return Err(Problem::new("upgrades", problem));
    }
    Ok(TableRow {
        host: route.host.clone(),
        path: route.path.trim_end_matches('/').to_owned(),
        target: Target {
            served_by: ServedBy { route: (*route.path).into(), upstream: (*route.upstream).into() },
            max_content_bytes: route.max_content_bytes.unwrap_or(u64::MAX),
            upstream: Arc::clone(upstream),
            upgrades,
        },
    })
}

/// Returns a host without its port, and without a dot at its end.
fn without_port(host: &str) -> &str {
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let host = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) && (!name.contains(':') || name.ends_with(']')) => name,
        _ => host,
    };
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::UpstreamSettings;

    fn upstreams() -> BTreeMap<String, Arc<Upstream>> {
        let settings: UpstreamSettings = toml::from_str("addresses = ['127.0.0.1:1']").unwrap();
        let name =
            |name: &str| (name.to_owned(), Arc::new(Upstream::new(name, &settings).unwrap()));
        BTreeMap::from(["a", "b", "c"].map(name))
    }

    fn route(host: Option<&str>, path: &str, upstream: &str, upgrades: &[&str]) -> RouteSettings {
        RouteSettings {
            path: path.to_owned(),
            host: host.map(str::to_owned),
            upstream: upstream.to_owned(),
            max_content_bytes: None,
            upgrades: upgrades.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn host_and_longest_path_win() {
        let routes = [
            route(None, "/v1", "a", &["x"]),
            route(None, "/v1/users/", "b", &["y"]),
            route(Some("api.example"), "/", "c", &["z"]),
        ];
        let table = RouteTable::new(&routes, &upstreams()).unwrap();
        for (host, path, expected) in [
            ("other", "/v1", Some("x")),
            ("other", "/v1/", Some("x")),
            ("other", "/v1/user", Some("x")),
            ("other", "/v1/users", Some("y")),
            ("other", "/v1/users/1", Some("y")),
            ("other", "/v10", None),
            ("other", "/", None),
            ("", "/v1", Some("x")),
            ("api.example", "/v1", Some("z")),
            ("API.example.:8443", "/", Some("z")),
            ("api.example.evil", "/", None),
            ("[::1]:80", "/v1", Some("x")),
        ] {
            let found = table.find(host, path).map(|target| target.upgrades.join(""));
            assert_eq!(found.as_deref(), expected, "{host} {path}");
        }
    }

    #[test]
    fn wrong_routes_name_the_field() {
        for (routes, expected) in [
            (vec![], "gateway.routes: name at least one route"),
            (vec![route(None, "v1", "a", &[])], "gateway.routes[0].path: begin it with a slash"),
            (vec![route(None, "/a/../b", "a", &[])], "gateway.routes[0].path: begin it"),
            (
                vec![route(None, "/", "d", &[])],
                "gateway.routes[0].upstream: there is no such one; there are: a, b, c",
            ),
            (vec![route(Some("a:1"), "/", "a", &[])], "gateway.routes[0].host: name one without"),
            (vec![route(None, "/", "a", &["H2C"])], "gateway.routes[0].upgrades: HTTP and TLS"),
            (vec![route(None, "/", "a", &["TLS/1.2"])], "gateway.routes[0].upgrades: HTTP and TLS"),
            (
                vec![route(None, "/a", "a", &[]), route(None, "/a/", "b", &[])],
                "gateway.routes[1].path: another route has the same path and host",
            ),
        ] {
            let problem = RouteTable::new(&routes, &upstreams()).err().unwrap().to_string();
            assert!(problem.starts_with(expected), "{problem}");
        }
    }
}
