//! Requests by curl, and what comes back.

use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::server::Demo;

/// Where curl writes what nobody reads.
pub(crate) const NOWHERE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// An answer as curl saw it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) version: String,
    pub(crate) body: String,
    headers: Vec<(String, String)>,
}

impl Answer {
    /// Returns a header that comes once, or not at all.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(header, _)| header == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} comes twice in {self:?}");
        value
    }

    /// Returns all values of a header, in their order.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let values = self.headers.iter().filter(|(header, _)| header == name);
        values.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn number(&self, name: &str) -> u64 {
        let value = self.header(name);
        value.unwrap_or_else(|| panic!("no {name} in {self:?}")).parse().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// Checks a refusal to the byte, and what every refusal has.
    #[track_caller]
    pub(crate) fn is_refusal(&self, status: u16, body: &str, challenge: Option<&str>) {
        assert_eq!((self.status, self.body.as_str()), (status, body), "{self:?}");
        assert_eq!(self.header("www-authenticate"), challenge, "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{self:?}");
    }
}

/// Runs curl with these arguments, the certificate's added.
pub(crate) fn curl(demo: &Demo, arguments: &[&str]) -> Answer {
    let output = Command::new("curl")
        // First, so that no file of the user's is read.
        .arg("-q")
        .args(["--silent", "--show-error", "--max-time", "30", "--noproxy", "*"])
        .args(["--cacert", demo.certificate(), "--include"])
        .args(["--write-out", "\n%{http_code} %{http_version}"])
        .args(arguments)
        .stderr(Stdio::piped())
        .output()
        .expect("these tests need curl");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "curl {arguments:?}: {errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (text, facts) = text.rsplit_once('\n').unwrap();
    let (status, version) = facts.split_once(' ').unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let lines = head.lines().skip(1).map(|line| line.split_once(':').unwrap());
    Answer {
        status: status.parse().unwrap(),
        version: version.to_owned(),
        body: body.to_owned(),
        headers: lines
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
    }
}

/// Runs curl several times at once.
pub(crate) fn at_once(demo: &Demo, times: usize, arguments: &[&str]) -> Vec<Answer> {
    thread::scope(|scope| {
        let running: Vec<_> = (0..times).map(|_| scope.spawn(|| curl(demo, arguments))).collect();
        running.into_iter().map(|answer| answer.join().unwrap()).collect()
    })
}

/// Writes the header that carries a demo key.
pub(crate) fn bearer(demo: &Demo, vendor: &str, label: &str) -> String {
    format!("Authorization: Bearer {}", demo.key(vendor, label))
}
