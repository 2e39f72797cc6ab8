//! Large files and files of many mistakes are read in a bounded time.

use std::time::{Duration, Instant};

use tower_api_key::config::FileFormat::{self, Json, Toml};

use crate::read;

const PROFILE: &str = "[profile]\nbase = \"polyteia\"\n";

/// The bytes of a file. Nothing takes longer than in proportion.
const SIZE: usize = 300_000;

fn repeated(begin: &str, middle: impl Fn(usize) -> String, end: &str) -> String {
    let mut text = begin.to_owned();
    let mut number = 0;
    while text.len() < SIZE {
        text += &middle(number);
        number += 1;
    }
    text + end
}

#[test]
fn a_large_file_takes_no_longer_than_it_must() {
    let files: [(&str, FileFormat, String); 10] = [
        ("routes", Toml, repeated(PROFILE, |n| format!("[[routes]]\npath = \"/{n}\"\n"), "")),
        (
            "routes with a wrong scope",
            Toml,
            repeated(PROFILE, |n| format!("[[routes]]\npath = \"/{n}\"\nall_of = [\"a b\"]\n"), ""),
        ),
        ("equal routes", Toml, repeated(PROFILE, |_| "[[routes]]\npath = \"/a\"\n".to_owned(), "")),
        ("unknown fields", Toml, repeated(PROFILE, |n| format!("a{n} = 1\n"), "")),
        ("lines of no TOML", Toml, repeated("", |_| "a\n".to_owned(), "")),
        (
            "one line with many marks of comments",
            Json,
            repeated(r#"{"profile":{"base":"x","realm":["#, |_| "\"#\",".to_owned(), "1]}}"),
        ),
        ("long names", Toml, repeated(PROFILE, |_| "a".to_owned(), " = 1")),
        (
            "roles",
            Toml,
            repeated(&format!("{PROFILE}[roles]\n"), |n| format!("r{n} = [\"a b\"]\n"), ""),
        ),
        (
            "plans",
            Toml,
            repeated(
                &format!("{PROFILE}[plans]\n"),
                |n| format!("p{n} = [{{ name = \"m\", limit = 1, window = \"60s\" }}]\n"),
                "",
            ),
        ),
        ("deep lists", Json, repeated("", |_| "[".to_owned(), "")),
    ];
    for (name, format, text) in files {
        let start = Instant::now();
        let shown = read(&text, format).map_or_else(|error| error.to_string(), |_| String::new());
        let took = start.elapsed();
        println!("{name}: {took:?}, {} bytes are shown", shown.len());
        assert!(took < Duration::from_secs(60), "{name}: {took:?}");
        assert!(shown.len() < 5_000_000, "{name}: {} bytes", shown.len());
    }
}

#[test]
fn a_larger_file_is_refused() {
    let text = format!("{PROFILE}{}", "#".repeat(1024 * 1024));
    let error = read(&text, Toml).unwrap_err();
    assert!(error.to_string().contains("1 MiB"), "{error}");
}
