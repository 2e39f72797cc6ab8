//! Each kind of mistake, with its place, its text and its remedy.

use tower_api_key::config::FileFormat;

use crate::read;

/// A profile in full, on lines 1 to 8.
const PROFILE: &str = r#"[profile]
name = "acme"
realm = "acme"
credentials = [{ scheme = "bearer" }]
formats = [{ hex = 40 }]
[profile.answers.otherwise]
status = 401
challenge = "bare"
body = { error = "refused" }
"#;

/// Returns the mistakes of a file, one a line, as `LINE:COLUMN MISTAKE`.
fn told(text: &str, format: FileFormat) -> String {
    let Err(error) = read(text, format) else { return "no mistake".to_owned() };
    let mistakes = error.mistakes().iter();
    let lines = mistakes.map(|it| format!("{}:{} {it}", it.line(), it.column()));
    lines.collect::<Vec<_>>().join("\n")
}

/// Files after [`PROFILE`], with their mistakes. The first line is the tenth.
const OF_THE_GATE: &[(&str, &str)] = &[
    // Unknown names.
    ("optionl = true", ""),
    ("xyz = true", ""),
    ("[[routes]]\npath = \"/a\"\nal_of = [\"a\"]", ""),
    ("[trusted_proxies]\nheaders = \"x-forwarded\"\nnetworks = [\"10.0.0.0/33\"]", ""),
    ("otherwise = { needs = { all_of = [\"a\"] } }", ""),
    ("otherwise = \"allow\"", ""),
    ("[pepper]\nbas64 = \"AAECAwQFBgcICQoLDA0ODw==\"", ""),
    // Wrong types.
    ("[[routes]]\npath = 7", ""),
    ("[[routes]]\npath = \"/a\"\ncost = -1", ""),
    ("[[routes]]\npath = \"/a\"\nbudget = \"soon\"", ""),
    ("[[routes]]\npath = \"/a\"\nmethods = [\"get\"]", ""),
    ("[[routes]]\npath = \"/a\"\nrefund_on = [\"5xx\"]", ""),
    ("[[routes]]\npath = \"/a\"\nrefund_on = [true]", ""),
    ("[scopes]\nseparator = \"::\"", ""),
    ("pepper = 12345", ""),
    ("routes = {}", ""),
    ("strip_credential = \"yes\"", ""),
    ("[failed_attempts]\nlimit = 5", ""),
    ("[[plans.free]]\nname = \"m\"\nlimit = 1\nwindow = \"60s\"\nper = \"user\"", ""),
    // Routes.
    ("[[routes]]\npath = \"/a/:id\"", ""),
    (
        "[[routes]]\npath = \"/a\"\n[[routes]]\nmethods = [\"GET\"]\npath = \"/b\"\n[[routes]]\nmethods = [\"GET\"]\npath = \"/b\"",
        "",
    ),
    ("[[routes]]\npath = \"/{a}\"\n[[routes]]\npath = \"/{b}\"", ""),
    ("[[routes]]\npath = \"/a\"\naccount_parameter = \"org\"", ""),
    ("[[routes]]\npath = \"/a\"\nall_of = [\"x\", \"a b\"]", ""),
    ("[[routes]]\npath = \"/a\"\nany_of = []", ""),
    ("[[routes]]\npath = \"/a\"\nany_of_sets = [[\"x\"], []]", ""),
    ("[[routes]]\npath = \"/a\"\nany_of_sets = [[\"x\"], [\"a b\"]]", ""),
    ("[[routes]]\npath = \"/a\"\nkinds = []", ""),
    ("[[routes]]\npath = \"/a\"\nkinds = [\"a b\"]", ""),
    ("[[routes]]\npath = \"/a\"\nconcurrency = { limit = 0 }", ""),
    ("[[routes]]\npath = \"/a\"\nbudget = \"0s\"", ""),
    ("[[routes]]\npath = \"/a\"\nrefund_on = [\"599-500\"]", ""),
    ("[[routes]]\npath = \"/a\"\nrefund_on = [503]\ncost = 0", ""),
    (
        "limiter.url = \"memory:\"\n[[routes]]\npath = \"/a\"\ncost = 3\nquotas = [{ name = \"m\", limit = 2, window = \"60s\" }]",
        "",
    ),
    ("[[routes]]\npath = \"/a\"\nquotas = [{ name = \"m\", limit = 2 }]", ""),
    ("[[routes]]\npath = \"/a\"\nquotas = [{ name = \"m\", limit = 2, window = \"1ms\" }]", ""),
    (
        "[[routes]]\npath = \"/a\"\nanonymous_quotas = [{ name = \"m\", limit = 2, window = \"60s\" }]\nall_of = [\"a\"]",
        "",
    ),
    ("otherwise = { need = { any_of = [] } }", ""),
    ("routes_of = \"polytomic\"\n[[routes]]\nmethods = [\"GET\"]\npath = \"/api/me\"", ""),
    // Scopes, roles, plans.
    ("[scopes]\nseparator = \"x\"\nwildcards = true", ""),
    ("[scopes]\nseparator = \":\"", ""),
    ("[scopes.hierarchy]\nadmin = []", ""),
    ("[scopes.hierarchy]\nadmin = [\"a\", \"b c\"]", ""),
    ("[scopes.hierarchy]\na = [\"b\"]\nb = [\"a\"]", ""),
    ("[scopes]\nwildcards = true\n[[routes]]\npath = \"/a\"\nall_of = [\"a.*\"]", ""),
    ("[roles]\n\"two words\" = [\"a\"]", ""),
    ("[roles]\nsupport = [\"a\", \"b c\"]", ""),
    ("[[plans.\"two words\"]]\nname = \"m\"\nlimit = 1\nwindow = \"60s\"", ""),
    ("limiter.url = \"memory:\"\n[[plans.free]]\nname = \"m\"\nlimit = 0\nwindow = \"60s\"", ""),
    (
        "limiter.url = \"memory:\"\n[[plans.free]]\nname = \"m\"\nlimit = 1\nwindow = \"60s\"\n[[plans.free]]\nname = \"m\"\nlimit = 2\nwindow = \"60s\"",
        "",
    ),
    // The rest of the gate.
    ("environment = \"\"", ""),
    ("audience = \"two words\"", ""),
    ("pepper = \"short\"", ""),
    ("pepper = { hex = \"0x00112233445566778899aabbccddeeff\" }", ""),
    ("pepper = { base64 = \"!\" }", ""),
    ("pepper = { base64 = \"AAAA\", hex = \"00\" }", ""),
    ("[trusted_proxies]\nheaders = \"either\"", ""),
    ("[trusted_proxies]\nheaders = \"either\"\nnetworks = [\"10.0.0.0/8\", \"x\"]", ""),
    ("[trusted_proxies]\nheaders = \"either\"\nnetworks = [\"0.0.0.0/0\"]", ""),
    (
        "[trusted_proxies]\nheaders = \"either\"\nnetworks = [\"10.0.0.0/8\"]\ninsecure_whole_internet = true",
        "",
    ),
    ("request_id_from_proxies = true", ""),
    ("request_id_from_proxies = true\n[profile.request_id]\nname = \"x-request-id\"", ""),
    ("anonymous_quotas = { quotas = [{ name = \"m\", limit = 1, window = \"60s\" }] }", ""),
    (
        "limiter.url = \"memory:\"\nanonymous_quotas = { quotas = [{ name = \"m\", limit = 1, window = \"60s\" }] }",
        "",
    ),
    ("limiter.url = \"memory:\"\noptional = true\nanonymous_quotas = {}", ""),
    (
        "limiter.url = \"memory:\"\noptional = true\n[anonymous_quotas]\nquotas = [{ name = \"m\", limit = 1, window = \"60s\" }]\nprefixes = { ipv6 = 129 }",
        "",
    ),
    (
        "limiter.url = \"memory:\"\noptional = true\n[anonymous_quotas]\nquotas = [{ name = \"m\", limit = 1, window = \"60s\", per = \"key\" }]",
        "",
    ),
    ("[answer_preflight]", ""),
    ("[answer_preflight]\nfrom_origins = []", ""),
    ("[answer_preflight]\nfrom_origins = [\"https://a.example\", \"https://b.example/\"]", ""),
    ("[answer_preflight]\nfrom_any_origin = true\nfrom_origins = [\"https://a.example\"]", ""),
    ("[answer_preflight]\nfrom_any_origin = true\nmethods = []", ""),
    ("[answer_preflight]\nfrom_any_origin = true\nheaders = [\"x-a\", \"x b\"]", ""),
    (
        "without_grant = true\nlimiter.url = \"memory:\"\n[[routes]]\npath = \"/a\"\nmetered = true",
        "",
    ),
    ("grpc_services = [\"vendors.v1.Users\", \"no/service\"]", ""),
    ("select_websocket_protocol = \"two words\"", ""),
    ("[failed_attempts]\nlimit = 0\nwindow = \"60s\"", ""),
    ("[failed_attempts]\nlimit = 5\nwindow = \"60s\"\nprefixes = { ipv4 = 0 }", ""),
    ("[failed_attempts]\nlimit = 5\nwindow = \"60s\"\ncapacity = 100000000", ""),
    ("[refused_requests]\nlimit = 5\nwindow = \"1ms\"", ""),
    ("[refused_requests]\nlimit = 5\nwindow = \"60s\"\nkeys = 100000000", ""),
    ("without_limits = true\nlimiter.url = \"memory:\"", ""),
    (
        "[[plans.free]]\nname = \"m\"\nlimit = 1\nwindow = \"60s\"\n[[routes]]\npath = \"/a\"\nquotas = [{ name = \"m\", limit = 2, window = \"60s\" }]",
        "",
    ),
];

#[test]
fn each_mistake_of_the_gate_has_its_place() {
    let mut wrong = Vec::new();
    for (text, expected) in OF_THE_GATE {
        // Fields of the whole file stand before its tables.
        let (fields, tables) = match text.find("\n[") {
            _ if text.starts_with('[') => ("", *text),
            Some(start) => text.split_at(start + 1),
            None => (*text, ""),
        };
        let file = format!("{fields}\n{PROFILE}{tables}");
        let told = told(&file, FileFormat::Toml);
        if told != *expected {
            wrong.push(format!("{text}\n=>\n{told}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
