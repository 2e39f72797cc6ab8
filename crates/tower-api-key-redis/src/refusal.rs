//! What a server says when it says no.

use std::fmt;

/// Codes that say that another server has to be asked, or this one later, or as somebody else. What was
/// asked was not done.
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

/// Where a server begins to quote what it was asked.
const QUOTES: &str = "with args beginning with";

/// How much of a server's text is kept, in characters.
const LONGEST: usize = 200;

/// What a server says, and what to do about it: its code, and the first line of its text up to where it
/// quotes what it was asked. That is of the script, or names an account's counters; a password is said in
/// no call, and what is answered to the greeting is left out before.
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

    /// Returns what the server calls it.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// Returns true if another server has to be asked, or this one later, or as somebody else.
    pub(super) const fn is_not_here(&self) -> bool {
        self.not_here
    }

    fn remedy(&self) -> Option<&'static str> {
        Some(match &*self.code {
            "READONLY" | "MASTERDOWN" => "the URL must lead to the primary, and leads to a replica",
            "MOVED" | "ASK" | "CLUSTERDOWN" | "CROSSSLOT" | "TRYAGAIN" => {
                "the URL leads to a node of a cluster, and must lead to a proxy in front of it"
            }
            "LOADING" => "it still loads its data",
            "NOAUTH" => "the URL needs a password",
            "WRONGPASS" => "check the URL's user and password",
            "NOPERM" => "the URL's user needs the permissions that the docs of RedisLimiter list",
            "OOM" => "give it more memory, and see what else is kept there",
            "MISCONF" => "it cannot write its data to disk; see its log",
            "NOREPLICAS" => "it has fewer replicas than it is to have",
            "BUSY" => "a script of somebody else's runs too long",
            "ERR" if self.text.starts_with("unknown command") => {
                "the command was renamed, or this is no Redis; a Sentinel's port is none"
            }
            "ERR" if self.text.contains("DB index") => {
                "the URL names a database that the server does not have"
            }
            _ => return None,
        })
    }
}

/// Finds the code of an error inside of a script: Redis 6.2 calls it `ERR Error running script (…):
/// @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.`, and leaves the
/// dash out where the script's command failed by itself.
fn in_script(code: &str, text: &str) -> Option<&'static str> {
    const OTHERS: [&str; 5] = ["WRONGTYPE", "OOM", "MISCONF", "NOREPLICAS", "BUSY"];
    if code != "ERR" {
        return None;
    }
    // What a user may not do in a script is told in words, in 6.2 and in 7.
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
    fn what_means_not_here_is_found_by_word_in_the_first_line() {
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
    fn what_is_told_quotes_nothing_and_is_one_short_line() {
        let text = "unknown command 'EVALSHA', with args beginning with: 'secret' 'word'";
        let told = Refusal::new("ERR", Some(text)).to_string();
        assert!(told.starts_with("ERR unknown command 'EVALSHA'; "), "{told}");
        let long = format!("a\u{1b}[31mred\r{}\nsecret", "x".repeat(10_000));
        let told = Refusal::new("ERR", Some(&long)).to_string();
        assert!(told.starts_with("ERR a?[31mred?xxx"), "{told}");
        assert!(told.len() < 300 && !told.contains("secret"), "{told}");
        assert_eq!(Refusal::new("FUTURE", None).to_string(), "FUTURE");
    }
}
