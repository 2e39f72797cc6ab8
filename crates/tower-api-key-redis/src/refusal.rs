//! The refusal of a call by the server.

use std::fmt;

use super::redirect::Redirect;

/// The codes of a server that cannot serve this connection: another server can, or this one later or for
/// another user. The server did not run the call.
const NOT_HERE: [&str; 9] = [
    "READONLY",
    "MOVED",
    "ASK",
    "LOADING",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "NOAUTH",
    "NOPERM",
    "WRONGPASS",
];

/// The words after which a server quotes the arguments of the call.
const QUOTES: &str = "with args beginning with";

/// The most characters that are kept of a server's text.
const LONGEST: usize = 200;

/// A refusal by the server, with its remedy.
///
/// It has the code, and the first line of the text without quoted arguments. Arguments are of the script, or
/// name an account's counters. No call has a password, and
/// [`Failure::connecting`](super::failure::Failure::connecting) drops the texts of the greeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    code: String,
    text: String,
    not_here: bool,
}

impl Refusal {
    pub(super) fn new(code: &str, text: Option<&str>) -> Self {
        let first_line = text.and_then(|text| text.lines().next()).unwrap_or_default();
        let text = first_line.split(QUOTES).next().unwrap_or_default();
        let code = in_script(code, text).unwrap_or(code);
        let not_here = NOT_HERE.contains(&code);
        let text = text.trim_end_matches([' ', ',']).chars().take(LONGEST);
        let text = text.map(|c| if c.is_control() { '?' } else { c }).collect();
        Self { code: code.chars().take(LONGEST).collect(), text, not_here }
    }

    /// Returns the server's error code.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// Returns true if the server cannot serve this connection: another server can, or this one later or for
    /// another user.
    pub(super) const fn is_not_here(&self) -> bool {
        self.not_here
    }

    /// Returns the other node that a node of a cluster names.
    pub(super) fn redirect(&self) -> Option<Redirect> {
        Redirect::read(&self.code, &self.text)
    }

    /// Returns true if the text has these words.
    pub(super) fn says(&self, words: &str) -> bool {
        self.text.contains(words)
    }

    fn remedy(&self) -> Option<&'static str> {
        Some(match &*self.code {
            "READONLY" | "MASTERDOWN" => {
                "the URL leads to a replica: write the address of the primary"
            }
            "MOVED" | "ASK" | "CROSSSLOT" => {
                "the URL leads to a node of a cluster: build the limiter with `RedisLimiter::cluster`"
            }
            "CLUSTERDOWN" => {
                "a primary of the cluster has failed: wait for its replica, and set \
                 `cluster-require-full-coverage no`, so that the other primaries go on"
            }
            "TRYAGAIN" => "the account's slot is moving to another node: wait until it has moved",
            "LOADING" => "the server still loads its data: wait until it is ready",
            "NOAUTH" => "the URL has no password: add one",
            "WRONGPASS" => "check the URL's user and password",
            "NOPERM" => "give the URL's user the permissions that the docs of RedisLimiter list",
            "OOM" => "give the server more memory, and check what else it stores",
            "MISCONF" => "the server cannot write its data to disk: check its log",
            "NOREPLICAS" => {
                "the server has too few replicas: start more, or lower `min-replicas-to-write`"
            }
            "BUSY" => "another script runs too long: stop it with `SCRIPT KILL`",
            "ERR" if self.text.starts_with("unknown command") => {
                "the command was renamed, or the URL does not lead to Redis: check the port, which must \
                 not be a Sentinel's"
            }
            "ERR" if self.text.contains("DB index") => {
                "the server does not have the database in the URL: write another number"
            }
            _ => return None,
        })
    }
}

/// Returns the code of an error inside a script. Redis 6.2 writes `ERR Error running script (…):
/// @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.` If the script's
/// command itself failed, there is no dash.
fn in_script(code: &str, text: &str) -> Option<&'static str> {
    const OTHERS: [&str; 5] = ["WRONGTYPE", "OOM", "MISCONF", "NOREPLICAS", "BUSY"];
    if code != "ERR" {
        return None;
    }
    // Redis 6.2 and 7 report missing permissions in a script as text, without a code.
    if text.contains("ACL failure in script") || text.contains("user executing the script can't") {
        return Some("NOPERM");
    }
    let mut words = text.split_whitespace().map(|word| word.strip_prefix('-').unwrap_or(word));
    words.find_map(|word| NOT_HERE.into_iter().chain(OTHERS).find(|code| *code == word))
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.code)?;
        if !self.text.is_empty() {
            write!(formatter, " {}", self.text)?;
        }
        self.remedy().map_or(Ok(()), |remedy| write!(formatter, "; {remedy}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_as_words_in_the_first_line() {
        let script = "Error running script (call to f_ab): @user_script:1: @user_script: 1: ";
        for (code, text, expected) in [
            ("READONLY", "You can't write against a read only replica.", "READONLY"),
            ("ERR", &format!("{script}-READONLY You can't write."), "READONLY"),
            ("ERR", &format!("{script}-MOVED 3999 127.0.0.1:6381"), "MOVED"),
            ("ERR", &format!("{script}-LOADING Redis is loading"), "LOADING"),
            ("ERR", &format!("{script}-MASTERDOWN Link with MASTER is down"), "MASTERDOWN"),
            ("ERR", &format!("{script}-NOAUTH Authentication required."), "NOAUTH"),
            ("ERR", &format!("{script}LOADING Redis is loading"), "LOADING"),
            ("ERR", "ACL failure in script: User a has no permissions", "NOPERM"),
            (
                "ERR",
                &format!("{script}The user executing the script can't run this command"),
                "NOPERM",
            ),
        ] {
            let refusal = Refusal::new(code, Some(text));
            assert!(refusal.is_not_here(), "{code} {text}");
            assert_eq!(refusal.code(), expected);
            assert!(refusal.to_string().contains("; "), "there is a remedy: {refusal}");
        }
        for (code, text) in [
            ("OOM", "command not allowed"),
            ("ERR", &format!("{script}-OOM command not allowed")),
            ("ERR", "unknown command 'READONLY'"),
            ("ERR", "a text\nof two lines -READONLY"),
            ("ERR", "unknown command 'X', with args beginning with: 'a' -READONLY "),
            ("ERR", "-READONLY-ISH"),
            ("ERR", &format!("{script}WRONGTYPE Operation against a key")),
            ("NOSCRIPT", "-READONLY"),
        ] {
            assert!(!Refusal::new(code, Some(text)).is_not_here(), "{code} {text}");
        }
    }

    #[test]
    fn a_text_quotes_no_argument_and_is_one_short_line() {
        let text = "unknown command 'EVALSHA', with args beginning with: 'secret' 'word'";
        let shown = Refusal::new("ERR", Some(text)).to_string();
        assert!(shown.starts_with("ERR unknown command 'EVALSHA'; "), "{shown}");
        let long = format!("a\u{1b}[31mred\r{}\nsecret", "x".repeat(10_000));
        let shown = Refusal::new("ERR", Some(&long)).to_string();
        assert!(shown.starts_with("ERR a?[31mred?xxx"), "{shown}");
        assert!(shown.len() < 300 && !shown.contains("secret"), "{shown}");
        assert_eq!(Refusal::new("FUTURE", None).to_string(), "FUTURE");
    }
}
