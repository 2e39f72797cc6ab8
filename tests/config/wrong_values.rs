//! A valid file in which one value is broken has mistakes, and no mistake shows a secret.

use proptest::prelude::*;
use serde_json::{Value, json};
use tower_api_key::config::FileFormat;

use crate::read;

/// What no message shows.
const CANARY: &str = "c4n4ryT0k3n";

/// Files with their mistakes.
const FILES: [&str; 4] = [
    include_str!("mistakes/gate.txt"),
    include_str!("mistakes/profile.txt"),
    include_str!("mistakes/toml.txt"),
    include_str!("mistakes/json.txt"),
];

/// A file with nearly every field.
fn whole() -> Value {
    json!({
        "profile": {
            "name": "acme",
            "realm": "acme",
            "credentials": [
                {"scheme": "bearer", "kinds": ["user", "robot"]},
                {"scheme": {"basic": {"password_of": "api"}}},
                {"scheme": {"header": "x-api-key"}},
            ],
            "formats": [
                {"hex": 40},
                {"prefixed": {"prefix": "key", "environments": ["live", "test"]}},
                {"segments": [{"literal": "k"}, {"characters": {"alphabet": "hex", "count": 20}}]},
            ],
            "required_headers": [{"name": "x-version", "expected": {"one_of": ["1", "2"]}}],
            "quotas": [{"name": "minute", "limit": 100, "window": "60s"}],
            "limit_headers": {
                "dialect": "none",
                "fields": [{"name": "x-limit", "value": "limit", "quota": "minute"}],
            },
            "principal_headers": [{"name": "x-account", "value": "account"}],
            "request_id": {"name": "x-request-id", "prefix": "req-"},
            "response_headers": {"x-served-by": "acme"},
            "challenges": [{"scheme": "Bearer", "parameters": {"error": "none"}}],
            "answers": {
                "otherwise": {"status": 403, "body": {"error": "refused {status}"}},
                "key_unknown": {
                    "status": 401,
                    "challenge": "bare",
                    "body": {"json": {"shape": {"error": "{text}"}, "values": {"text": "no"}}},
                    "headers": {"x-why": "unknown"},
                },
            },
            "answers_by_path": [{"prefix": "/v2", "answers": {"key_revoked": "key_unknown"}}],
        },
        "store": {"url": "sqlite:keys.db", "cache": {}},
        "limiter": {"url": "memory:", "on_failure": "deny"},
        "routes": [
            {"path": "/users", "methods": ["GET"], "all_of": ["users.read"]},
            {
                "path": "/orgs/{org}",
                "account_parameter": "org",
                "any_of": ["a", "b"],
                "any_of_sets": [["c", "d"]],
                "kinds": ["user"],
                "quotas": [{"name": "q", "limit": 9, "window": "1h", "on_failure": "allow"}],
                "cost": 2,
                "refund_on": ["500-599", 429],
                "concurrency": {"limit": 1, "longest_wait": "1s"},
                "budget": "10s",
            },
        ],
        "otherwise": {"need": {"all_of": ["admin"]}},
        "scopes": {"separator": ":", "wildcards": true, "hierarchy": {"admin": ["users.read"]}},
        "roles": {"support": ["users.read"]},
        "plans": {"free": [{"name": "minute", "limit": 10, "window": "60s"}]},
        "environment": "live",
        "audience": "billing",
        "pepper": "0123456789abcdef",
        "trusted_proxies": {"networks": ["10.0.0.0/8"], "headers": "x_forwarded"},
        "request_id_from_proxies": true,
        "optional": true,
        "anonymous_quotas": {
            "quotas": [{"name": "anonymous", "limit": 5, "window": "60s"}],
            "prefixes": {"ipv4": 24},
        },
        "answer_preflight": {"from_origins": ["https://a.example"], "methods": ["GET"]},
        "grpc_services": ["acme.v1.Users"],
        "select_websocket_protocol": "chat.v1",
        "failed_attempts": {"limit": 5, "window": "60s", "capacity": 8},
        "refused_requests": {"limit": 5, "window": "60s", "keys": 8},
        "management": {
            "path": "/manage",
            "host": "keys.example.com",
            "operators": ["staff"],
            "catalogue": {"users.read": "Read users"},
            "owners": {"path": "/own", "most_keys": 20, "longest_life": "90d"},
            "console": {"path": "/console", "title": "Keys", "for_owners": true, "idle": "10m"},
        },
        "events": {"log": true, "interval": "1h", "keep": "30d", "unused_days": 90},
        "webhooks": [{
            "name": "billing",
            "url": "https://hooks.example.com/keys",
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "more_secrets": ["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"],
            "kinds": ["key.created"],
            "account": "acme",
            "timeout": "5s",
        }],
    })
}

/// Returns pointers (RFC 6901) to all values below one.
fn pointers(value: &Value, path: &str, found: &mut Vec<String>) {
    let mut add = |name: &str, inner: &Value| {
        let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
        found.push(path.clone());
        pointers(inner, &path, found);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, inner)| add(name, inner)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, inner)| add(&index.to_string(), inner));
        }
        _ => {}
    }
}

fn all_pointers() -> Vec<String> {
    let mut found = Vec::new();
    pointers(&whole(), "", &mut found);
    found
}

fn broken(value: Value) -> impl Strategy<Value = Value> {
    let others = [
        json!(null),
        json!(7),
        json!(-1),
        json!(1.5),
        json!(true),
        json!(""),
        json!("\u{0}é\n{"),
        json!([]),
        json!({}),
        json!([[]]),
        json!({"x": {}}),
        json!([null]),
        value,
    ];
    prop::sample::select(others.to_vec())
}

#[test]
fn the_whole_file_is_valid() {
    let read = read(&whole().to_string(), FileFormat::Json);
    assert!(read.is_ok(), "{}", read.unwrap_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// With several broken values nothing panics, and a refused file has mistakes that lie in it.
    #[test]
    fn a_broken_file_has_mistakes(
        places in prop::collection::vec(
            (prop::sample::select(all_pointers()), broken(json!("x".repeat(300)))),
            1..6,
        ),
    ) {
        let mut file = whole();
        for (pointer, value) in places {
            if let Some(place) = file.pointer_mut(&pointer) {
                *place = value;
            }
        }
        let text = serde_json::to_string_pretty(&file).unwrap();
        if let Err(error) = read(&text, FileFormat::Json) {
            let lines = text.lines().count();
            prop_assert!(!error.mistakes().is_empty());
            prop_assert!(error.mistakes().iter().all(|it| (1..=lines).contains(&it.line())), "{error}");
            prop_assert!(!error.to_string().is_empty());
        }
    }

    /// A value of another type, or one that is wrong, is the first mistake.
    #[test]
    fn a_field_without_a_name_is_found(pointer in prop::sample::select(all_pointers())) {
        let mut file = whole();
        let Some(Value::Object(fields)) = file.pointer_mut(&pointer) else { return Ok(()) };
        if ["response_headers", "parameters", "values", "headers", "roles", "plans", "hierarchy", "shape"]
            .iter().any(|free| pointer.ends_with(free) || pointer.contains("shape"))
        {
            return Ok(());
        }
        fields.insert("no_such_field".to_owned(), json!(1));
        let error = read(&file.to_string(), FileFormat::Json).unwrap_err();
        let found = error.mistakes().iter().any(|it| {
            it.field().ends_with("no_such_field") || it.message().contains("one name")
        });
        prop_assert!(found, "{error}");
    }

    /// A file with letters left out, put in or exchanged is read without a panic, in either format.
    #[test]
    fn no_text_is_too_strange(
        file in prop::sample::select(FILES.to_vec()),
        block in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<Option<char>>()), 0..6),
        doubled in any::<Option<(prop::sample::Index, prop::sample::Index)>>(),
    ) {
        let blocks: Vec<&str> = file.split("\n----\n").collect();
        let text = block.get(&blocks).split("\n=>").next().unwrap();
        let mut letters: Vec<char> = text.chars().collect();
        if let (Some((from, to)), false) = (doubled, letters.is_empty()) {
            let (from, to) = (from.index(letters.len()), to.index(letters.len()));
            let part: Vec<char> = letters[from.min(to)..from.max(to)].to_vec();
            letters.splice(to..to, part);
        }
        for (place, letter) in edits {
            let place = place.index(letters.len() + 1);
            match letter {
                Some(letter) => letters.insert(place, letter),
                None if place < letters.len() => drop(letters.remove(place)),
                None => {}
            }
        }
        let text: String = letters.into_iter().collect();
        for format in [FileFormat::Toml, FileFormat::Json] {
            if let Err(error) = read(&text, format) {
                prop_assert!(!error.mistakes().is_empty(), "{text}");
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }

    /// A text from another file is shown nowhere, whatever the field, and whatever else is wrong.
    #[test]
    fn no_text_from_elsewhere_is_shown(
        places in prop::collection::vec(prop::sample::select(all_pointers()), 1..4),
        other in (prop::sample::select(all_pointers()), broken(json!("x"))),
        shape in prop::sample::select(vec!["{}", "A{}b", "two {} words", "{}\n", "/{}/:x", "é{}\u{7f}"]),
    ) {
        let folder = std::env::temp_dir().join(format!("config-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let secret = folder.join("secret");
        std::fs::write(&secret, shape.replace("{}", CANARY)).unwrap();
        let mut file = whole();
        if let Some(place) = file.pointer_mut(&other.0) {
            *place = other.1;
        }
        for pointer in places {
            if let Some(place) = file.pointer_mut(&pointer) {
                *place = json!({"file": secret.to_str().unwrap()});
            }
        }
        shows_nothing(&file)?;
    }

    /// A pepper and an address that stand in the file are shown nowhere either.
    #[test]
    fn no_secret_of_the_file_is_shown(
        other in prop::collection::vec(
            (prop::sample::select(all_pointers()), broken(json!("x"))),
            0..4,
        ),
        pepper in prop::sample::select(vec!["{}", "{}{}", "\u{0}{}"]),
        kind in prop::sample::select(vec!["text", "hex", "base64", "none"]),
    ) {
        let mut file = whole();
        let secret = pepper.replace("{}", CANARY);
        file["pepper"] = match kind {
            "text" => json!(secret),
            kind => json!({ kind: secret }),
        };
        file["store"]["url"] = json!(format!("postgres://user:{CANARY}@h/db"));
        file["limiter"]["url"] = json!(format!("redis://:{CANARY}@h"));
        for (pointer, value) in other {
            if let Some(place) = file.pointer_mut(&pointer) {
                *place = value;
            }
        }
        shows_nothing(&file)?;
    }
}

/// Reads a file, and looks for the canary in all that is shown of it.
fn shows_nothing(file: &Value) -> Result<(), TestCaseError> {
    for text in [file.to_string(), serde_json::to_string_pretty(file).unwrap()] {
        let shown = match read(&text, FileFormat::Json) {
            Ok(door) => format!("{door:?} {:?} {:?}", door.store(), door.limiter()),
            Err(error) => {
                prop_assert!(!error.mistakes().is_empty());
                format!("{error} {error:?} {:?}", error.mistakes())
            }
        };
        prop_assert!(!shown.to_lowercase().contains(&CANARY.to_lowercase()), "{shown}");
    }
    Ok(())
}
