//! Brings a case about, and compares what the client gets with what it must get.

use http::Request;
use tower_api_key::Denial;
use tower_api_key::request::Connection;

use super::case::{Case, Transport, World};
use super::gate::{Answered, Gate};

/// The peer of every connection.
const PEER: &str = "192.0.2.1:4711";

impl Case {
    pub(crate) fn to_request(self) -> Request<()> {
        let mut request = Request::builder().method(self.method).uri(self.target).body(()).unwrap();
        for line in self.authorization {
            let line = line.parse().unwrap();
            request.headers_mut().append("authorization", line);
        }
        for (name, value) in self.headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let peer = PEER.parse().unwrap();
        match self.transport {
            Transport::Tls => request.extensions_mut().insert(Connection::tls(peer)),
            Transport::Plain => request.extensions_mut().insert(Connection::plain(peer)),
            Transport::Unmarked => None,
        };
        request
    }

    /// Brings the case about and returns what the client gets.
    pub(crate) async fn run(self) -> Answered {
        let gate = Gate::of(&self);
        let mut earlier = None;
        if matches!(self.world, World::ServedBefore | World::InFlight) {
            let response = gate.respond(self.to_request()).await;
            assert_eq!(response.status(), 200, "{}: the request before", self.name);
            earlier = (self.world == World::InFlight).then_some(response);
        }
        if self.world == World::FailedBefore {
            let failed = gate.send(self.to_request()).await;
            assert_eq!(failed.denial(), Some("key_unknown"), "{}: the request before", self.name);
        }
        let reached = gate.reached();
        let answered = gate.send(self.to_request()).await;
        let passes = match self.world {
            World::ServiceStalls | World::ServiceAsks(_) | World::ServiceFails => true,
            _ => self.reply.denial.is_none(),
        };
        let times = gate.reached() - reached;
        assert_eq!(times, usize::from(passes), "{}: calls", self.name);
        drop(earlier);
        answered
    }

    /// Runs the case and lists what is not as it should be.
    pub(crate) async fn differences(self) -> Vec<String> {
        let answered = self.run().await;
        let mut found = Vec::new();
        let mut compare = |what: &str, got: String, wanted: String| {
            if got != wanted {
                found.push(format!("{}: {what}\n  {got}\n  {wanted}", self.name));
            }
        };
        let text = |value: u16| value.to_string();
        compare("status", text(answered.status.as_u16()), text(self.reply.status));
        let body = String::from_utf8(answered.body.to_vec()).unwrap();
        compare("body", body, self.reply.body.to_owned());
        let denial = answered.denial.as_ref().map(Denial::name);
        compare("denial", format!("{denial:?}"), format!("{:?}", self.reply.denial));
        let (got, wanted) = self.headers_of(&answered);
        compare("headers", format!("{got:?}"), format!("{wanted:?}"));
        found
    }

    /// Lists all headers, as they are and as they should be.
    fn headers_of(self, answered: &Answered) -> (Vec<String>, Vec<String>) {
        let mut wanted: Vec<String> = Vec::new();
        let mut want = |name: &str, value: &str| wanted.push(format!("{name}: {value}"));
        if self.reply.denial.is_some() {
            want("content-type", self.content_type);
            want("content-length", &self.reply.body.len().to_string());
            want("cache-control", "no-store");
        }
        for challenge in self.reply.challenges {
            want("www-authenticate", challenge);
        }
        for (name, value) in self.reply.headers {
            want(name, value);
        }
        let mut got = answered.lines();
        for line in &mut got {
            let prefix = |wanted: &&String| {
                let prefix = wanted.strip_suffix('…');
                prefix.is_some_and(|prefix| line.starts_with(prefix))
            };
            if let Some(pattern) = wanted.iter().find(prefix) {
                *line = pattern.clone();
            }
        }
        wanted.sort();
        (got, wanted)
    }
}
