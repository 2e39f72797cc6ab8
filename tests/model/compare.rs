//! The gate and its model side by side.

use std::collections::BTreeMap;

use super::choices::Choices;
use super::client::Believed;
use super::credential::{could_be, credential};
use super::family::{code as family_code, family};
use super::gate::{Answered, Begin, Gate, of_constant};
use super::generator;
use super::grpc::{code as grpc_code, is_call};
use super::handshake::other_protocols;
use super::holder::Holder;
use super::judge::{Judgement, Model, Setting};
use super::question::Question;
use super::vendor::{Reason, Reports, Scheme, VENDORS, Vendor};
use super::window::ALL_OVER;

/// The most questions of one episode.
const QUESTIONS: usize = 6;

/// All gates with their models, and what became of all questions so far.
pub(crate) struct Pairs {
    all: Vec<Pair>,
    pub(crate) asked: BTreeMap<(usize, Option<Reason>), u64>,
    /// How often networks were served, and refused for their quotas.
    pub(crate) networks: [u64; 2],
}

struct Pair {
    gate: Gate,
    model: Model,
    now: u64,
}

impl Pairs {
    #[cfg_attr(test, allow(dead_code))] // What fuzzes asks all of them.
    pub(crate) fn new() -> Self {
        Self::with(settings(), &[of_constant])
    }

    /// The gates of one vendor, whose profile comes from each of these sources.
    #[cfg(test)]
    pub(crate) fn of(vendor: usize, sources: &[Begin]) -> Self {
        Self::with(settings().filter(|setting| setting.vendor == vendor), sources)
    }

    fn with(settings: impl Iterator<Item = Setting>, sources: &[Begin]) -> Self {
        let pair = |setting: Setting, begin: Begin| Pair {
            gate: Gate::of(&setting, begin),
            model: Model::of(setting),
            now: 0,
        };
        let pairs =
            settings.flat_map(|setting| sources.iter().map(move |begin| pair(setting, *begin)));
        Self { all: pairs.collect(), asked: BTreeMap::new(), networks: [0; 2] }
    }

    /// Asks one gate several questions, as many as the bytes choose.
    ///
    /// # Errors
    ///
    /// What the gate and its model disagree in.
    pub(crate) async fn run(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut choices = Choices::new(bytes);
        let place = choices.below(self.all.len());
        let pair = &mut self.all[place];
        // Whatever was used before is over, so that an episode repeats by itself.
        pair.wait(ALL_OVER);
        let steady = choices.one_in(if pair.model.setting.anonymous { 2 } else { 8 });
        for _ in 0..QUESTIONS {
            let question = if steady {
                generator::good(&mut choices, &pair.model.setting)
            } else {
                generator::question(&mut choices, &pair.model.setting)
            };
            pair.wait(question.pause);
            if let Some(reason) = pair.ask(&question).await? {
                *self.asked.entry((pair.model.setting.vendor, reason)).or_default() += 1;
                if pair.model.counted.is_some() {
                    self.networks[usize::from(reason == Some(Reason::Limit))] += 1;
                }
            }
            if choices.is_empty() {
                break;
            }
        }
        Ok(())
    }
}

impl Pair {
    fn wait(&mut self, milliseconds: u64) {
        self.gate.wait(milliseconds);
        self.now += milliseconds;
    }

    /// Asks both; `None` for a question that cannot be asked.
    async fn ask(&mut self, question: &Question) -> Result<Option<Option<Reason>>, String> {
        let Some(answered) = self.gate.ask(question).await else { return Ok(None) };
        let judgement = self.model.judge(question, self.now);
        let differences = self.differences(question, &judgement, &answered);
        if differences.is_empty() {
            return Ok(Some(match judgement {
                Judgement::Served(_) => None,
                Judgement::Refused { reason, .. } => Some(reason),
            }));
        }
        let fields = question.fields.iter();
        let fields: Vec<_> =
            fields.map(|(name, value)| format!("{name}: {}", value.escape_ascii())).collect();
        let (setting, vendor) = (self.model.setting, self.model.vendor.name);
        Err(format!(
            "{}\n{vendor}: {setting:?}\n{question:?}\n{fields:#?}\n{judgement:?}\n{answered:?}",
            differences.join("\n")
        ))
    }

    fn differences(
        &mut self,
        question: &Question,
        judgement: &Judgement,
        answered: &Answered,
    ) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: &str, got: String, wanted: String| {
            if got != wanted {
                found.push(format!("{what}: {got}, and by the model {wanted}"));
            }
        };
        let vendor = self.model.vendor;
        let body = String::from_utf8_lossy(&answered.body).into_owned();
        let header = |name: &str| {
            let values = answered.headers.get_all(name).iter();
            values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let holder = match judgement {
            Judgement::Served(holder) => {
                compare("status", answered.status.to_string(), "200".to_owned());
                compare("denial", format!("{:?}", answered.denial), "None".to_owned());
                let text = holder.map(|holder| format!("{} {}", holder.account, holder.id));
                compare("body", body, text.unwrap_or_else(|| "stranger".to_owned()));
                *holder
            }
            Judgement::Refused { reason, holder, scopes, wait } => {
                let family = family(vendor, &question.path);
                let (status, text) = family.map_or(vendor.replies, |it| it.replies)(*reason);
                let facts = vendor.speaks.then(|| facts(question, *reason, status, *holder));
                let text = facts.as_deref().or(text);
                let call = is_call(question);
                let code = family.map_or(grpc_code(*reason, status), |_| family_code(*reason));
                let code = call.then_some(code);
                compare_call(&mut compare, &answered.headers, code, text);
                let shown = if call { 200 } else { status };
                compare("status", answered.status.to_string(), shown.to_string());
                let denial = answered.denial.and_then(reason_of);
                compare("denial", format!("{denial:?}"), format!("{:?}", Some(reason)));
                if call || question.method == "HEAD" {
                    compare("body", body, String::new());
                } else if let Some(text) = text {
                    compare("body", body, text.to_owned());
                } else {
                    compare("body is there", (!body.is_empty()).to_string(), "true".to_owned());
                }
                let challenges = match family {
                    Some(_) => Vec::new(),
                    None => challenges(vendor, *reason, status, scopes),
                };
                compare(
                    "challenges",
                    format!("{:?}", header("www-authenticate")),
                    format!("{challenges:?}"),
                );
                compare("cache", header("cache-control").concat(), "no-store".to_owned());
                let waits = header("retry-after");
                match (reason, wait) {
                    (Reason::Limit, Some(wait)) => {
                        compare("wait", waits.concat(), wait.to_string());
                    }
                    (Reason::StoreDown, _) => {
                        compare("waits", waits.len().to_string(), "1".to_owned());
                    }
                    _ => compare("wait", waits.concat(), String::new()),
                }
                *holder
            }
        };
        let version = if vendor.name == "Families" { "7" } else { "" };
        compare("version", header("x-api-version").concat(), version.to_owned());
        if answered.denial.is_none() {
            let seen = without_key(question, vendor);
            compare("query", format!("{:?}", answered.seen), format!("{seen:?}"));
            let offered = other_protocols(question, vendor);
            compare("protocols", format!("{:?}", answered.offered), format!("{offered:?}"));
        }
        // A cache must not answer one who has a key by what one without was told, nor the other way round.
        let stranger = matches!(judgement, Judgement::Served(None));
        let by = match judgement {
            Judgement::Served(Some(_)) => credential(question, vendor).ok().map(|read| read.scheme),
            _ => None,
        };
        let vary = vary(vendor, self.model.setting.optional || stranger, by);
        compare("vary", header("vary").join("|"), vary);
        if answered.denial.is_none() {
            let own = by.is_some_and(|scheme| scheme.authorization().is_none());
            let private = if own { "private" } else { "" };
            compare("cache", header("cache-control").concat(), private.to_owned());
        }
        let limits = self.limits(holder);
        let names = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];
        compare("limits", format!("{:?}", names.map(|name| header(name).concat())), limits);
        let told = (vendor.name == "Persona").then_some(holder).flatten();
        let principal = told.map_or_else(Vec::new, |holder| {
            vec![holder.environment().to_owned(), holder.account.to_owned()]
        });
        let names = ["persona-environment-id", "persona-organization-id"];
        compare("principal", format!("{:?}", names.map(header).concat()), format!("{principal:?}"));
        let numbered = header("request-id").concat().starts_with("req_");
        compare_id(&mut compare, &answered.headers, vendor.speaks);
        compare("request id", numbered.to_string(), told.is_some().to_string());
        found
    }

    /// Says how the account of a known key stands under its limits, or the network of one without.
    fn limits(&mut self, holder: Option<Holder>) -> String {
        let windows = match (holder, self.model.counted) {
            _ if self.model.vendor.reports == Reports::Nothing => None,
            (Some(holder), _) => Some(self.model.windows.entry(holder.account).or_default()),
            (None, Some(network)) => Some(self.model.networks.entry(network).or_default()),
            (None, None) => None,
        };
        let Some(windows) = windows else { return format!("{:?}", [""; 3]) };
        let (limit, left, reset) = windows.nearest(self.now);
        let limit = match self.model.vendor.reports {
            Reports::All => limit.to_string(),
            _ => String::new(),
        };
        format!("{:?}", [limit, left.to_string(), reset.to_string()])
    }
}

/// The fields that `Vary` names: all that may carry a key if the answer depends on whether one came, else those that
/// carried it and are no `Authorization`.
fn vary(vendor: &Vendor, admits_without: bool, by: Option<Scheme>) -> String {
    if !admits_without {
        let own = by.filter(|scheme| scheme.authorization().is_none());
        return own.map_or_else(String::new, |scheme| scheme.fields().join("|"));
    }
    let mut names: Vec<&str> = Vec::new();
    for name in vendor.schemes.iter().flat_map(|scheme| scheme.fields()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn settings() -> impl Iterator<Item = Setting> {
    let of = |vendor| {
        let plain = Setting {
            vendor,
            pinned: false,
            believed: Believed::Nobody,
            always_proxies: false,
            assume_https: false,
            optional: false,
            anonymous: false,
            preflight: false,
            table: true,
        };
        [
            plain,
            Setting { believed: Believed::Forwarded, pinned: true, ..plain },
            Setting { believed: Believed::XForwarded, ..plain },
            Setting { believed: Believed::Either, ..plain },
            Setting { believed: Believed::XForwarded, always_proxies: true, ..plain },
            Setting { optional: true, ..plain },
            Setting { optional: true, anonymous: true, believed: Believed::Either, ..plain },
            Setting { table: false, optional: true, anonymous: true, assume_https: true, ..plain },
            Setting { preflight: true, assume_https: true, pinned: true, ..plain },
            Setting { table: false, optional: true, preflight: true, ..plain },
        ]
    };
    (0..VENDORS.len()).flat_map(of)
}

/// The body of an answer with facts.
fn facts(question: &Question, reason: Reason, status: u16, holder: Option<Holder>) -> String {
    let path: String = question
        .path
        .bytes()
        .map(|byte| match char::from(byte) {
            letter if letter.is_ascii_alphanumeric() => letter.to_string(),
            sign if "-._~%/:@!$()*+,;=".contains(sign) => sign.to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let text = format!("{status} {} {path}", question.method);
    match (reason, holder) {
        // An anonymous client over its quota has neither an account nor a key.
        (Reason::Limit, None) => format!("{text}  "),
        (Reason::Header, _) | (_, None) => text,
        (_, Some(holder)) => format!("{text} {} {}", holder.account, holder.id),
    }
}

/// What a client may know of a denial.
fn reason_of(denial: &str) -> Option<Reason> {
    Some(match denial {
        "insecure_transport" => Reason::PlainHttp,
        "credentials_missing" | "scheme_unsupported" => Reason::Missing,
        "credentials_ambiguous" => Reason::Ambiguous,
        "credentials_malformed" => Reason::Malformed,
        "key_malformed" => Reason::NotAKey,
        "key_unknown" => Reason::Unknown,
        "key_revoked"
        | "key_disabled"
        | "key_not_yet_valid"
        | "key_expired"
        | "environment_mismatch"
        | "scheme_not_for_kind" => Reason::Dead,
        "network_not_allowed" => Reason::Network,
        "kind_not_allowed" => Reason::Kind,
        "account_mismatch" => Reason::Account,
        "header_refused" => Reason::Header,
        "route_unknown" => Reason::Route,
        "scope_missing" => Reason::Scope,
        "rate_limited" => Reason::Limit,
        "store_unavailable" => Reason::StoreDown,
        _ => return None,
    })
}

/// The query without the vendor's parameter, which a handler must not see.
fn without_key(question: &Question, vendor: &Vendor) -> Option<String> {
    let query = question.query.as_ref()?;
    let names: Vec<&str> = vendor
        .schemes
        .iter()
        .filter_map(|scheme| match scheme {
            Scheme::Query(name) => Some(*name),
            _ => None,
        })
        .collect();
    let carries = |pair: &&str| names.iter().any(|name| could_be(pair, name));
    if !query.split('&').any(|pair| carries(&pair)) {
        return Some(query.clone());
    }
    let left: Vec<&str> = query.split('&').filter(|pair| !carries(pair)).collect();
    let left = left.join("&");
    (!left.is_empty()).then_some(left)
}

fn challenges(vendor: &Vendor, reason: Reason, status: u16, scopes: &[&str]) -> Vec<String> {
    let realm = match vendor.name {
        "Polytomic on premises" => "Polytomic",
        "Imports" | "Imports, once" | "Pairs" | "Families" | "Sockets" => "Polyteia",
        name => name,
    };
    let bearer = |attributes: &str| format!(r#"Bearer realm="{realm}"{attributes}"#);
    let challenge = |scheme: &Scheme| match scheme {
        Scheme::Bearer(_) | Scheme::WideBearer if reason == Reason::Missing => bearer(""),
        Scheme::Bearer(_) | Scheme::WideBearer => bearer(r#", error="invalid_token""#),
        Scheme::Named(name) => format!(r#"{name} realm="{realm}""#),
        Scheme::IdPair("ApiKey") => format!(r#"ApiKey realm="{realm}""#),
        Scheme::Own(name) => format!(r#"ApiKey realm="{realm}", header="{name}""#),
        Scheme::TwoFields(id, secret) => {
            format!(r#"ApiKey realm="{realm}", id-header="{id}", header="{secret}""#)
        }
        Scheme::Query(name) => format!(r#"ApiKey realm="{realm}", query="{name}""#),
        Scheme::Protocol(prefix) => {
            format!(r#"ApiKey realm="{realm}", websocket-protocol="{prefix}""#)
        }
        _ => format!(r#"Basic realm="{realm}", charset="UTF-8""#),
    };
    if vendor.name == "Families" {
        let metadata = r#", resource_metadata="https://example.com""#;
        let bearer = |attributes: &str| bearer(&format!("{attributes}{metadata}"));
        let scopes = format!(r#", scope="{}""#, scopes.join(" "));
        return match (status, reason) {
            (401, Reason::Missing) => vec![bearer(""), "ApiKey".to_owned()],
            (401, _) => vec![bearer(r#", error="invalid_token""#), "ApiKey".to_owned()],
            (400, _) => vec![bearer(r#", error="invalid_request""#)],
            (_, Reason::Scope) => {
                vec![bearer(r#", error="insufficient_scope""#) + &scopes]
            }
            _ => Vec::new(),
        };
    }
    let reads_bearer = vendor
        .schemes
        .iter()
        .any(|scheme| matches!(scheme, Scheme::Bearer(_) | Scheme::WideBearer));
    match (status, reason) {
        (401, _) => vendor.schemes.iter().map(challenge).collect(),
        _ if !reads_bearer => Vec::new(),
        (400, _) => vec![bearer(r#", error="invalid_request""#)],
        (_, Reason::Scope) => {
            let scopes = scopes.join(" ");
            vec![bearer(&format!(r#", error="insufficient_scope", scope="{scopes}""#))]
        }
        _ => Vec::new(),
    }
}

/// Compares the id that each response has, or none.
fn compare_id(
    compare: &mut impl FnMut(&str, String, String),
    headers: &http::HeaderMap,
    has_ids: bool,
) {
    let ids: Vec<_> = headers.get_all("x-request-id").iter().collect();
    let is_id =
        |id: &&http::HeaderValue| id.len() == 32 && id.as_bytes().iter().all(u8::is_ascii_hexdigit);
    let fits = ids.len() == usize::from(has_ids) && ids.iter().all(is_id);
    compare("id of the request", format!("{fits} {ids:?}"), format!("true {ids:?}"));
}

/// Compares the parts of a refusal in gRPC's own form. Without a code it must have none of them.
fn compare_call(
    compare: &mut impl FnMut(&str, String, String),
    headers: &http::HeaderMap,
    code: Option<u8>,
    text: Option<&str>,
) {
    let header = |name: &str| {
        let value = headers.get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or_default().to_owned()
    };
    compare("code", header("grpc-status"), code.map_or(String::new(), |code| code.to_string()));
    if code.is_none() {
        return;
    }
    let message = header("grpc-message");
    let text = text.filter(|text| !text.is_empty());
    // The percent sign itself is encoded.
    let message = message.replace("%25", "%");
    let told = text.is_none_or(|text| text.contains(&message)) && !message.is_empty();
    compare("message", told.to_string(), "true".to_owned());
    let detailed = !header("grpc-status-details-bin").is_empty();
    let waits = !header("retry-after").is_empty();
    compare("details", detailed.to_string(), waits.to_string());
}
