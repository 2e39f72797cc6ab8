//! The model: what becomes of a question, check after check, in the documented order.

use std::collections::HashMap;

use super::client::{Believed, Network, client, network};
use super::credential::{Presented, credential, has_none, has_none_in_fields, is_key};
use super::grpc::is_call;
use super::holder::{DISABLED_ACCOUNT, HOLDERS, Holder, is_in_the_office};
use super::path::covering;
use super::question::Question;
use super::vendor::{Demand, EXTRA, Line, Reason, Scheme, VENDORS, Vendor};
use super::window::Windows;

/// How a gate is configured.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools)] // Each is a switch of its own.
pub(crate) struct Setting {
    pub(crate) vendor: usize,
    /// Whether it serves keys of `production` alone.
    pub(crate) pinned: bool,
    pub(crate) believed: Believed,
    /// Whether trusted peers never send a request of their own.
    pub(crate) always_proxies: bool,
    pub(crate) assume_https: bool,
    pub(crate) optional: bool,
    /// Whether it counts those without a key by their network.
    pub(crate) anonymous: bool,
    pub(crate) preflight: bool,
    /// Whether it has a table of routes.
    pub(crate) table: bool,
}

/// What becomes of a question.
#[derive(Debug, Clone)]
pub(crate) enum Judgement {
    /// Served for this key, or for none.
    Served(Option<Holder>),
    Refused {
        reason: Reason,
        /// The key's holder, if the key serves.
        holder: Option<Holder>,
        /// The scopes that would do, or the seconds to wait.
        scopes: &'static [&'static str],
        wait: Option<u64>,
    },
}

/// The model of one gate.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) setting: Setting,
    pub(crate) vendor: &'static Vendor,
    /// What each account has used.
    pub(crate) windows: HashMap<&'static str, Windows>,
    /// What each network has used.
    pub(crate) networks: HashMap<Network, Windows>,
    /// The network that the last question was counted for.
    pub(crate) counted: Option<Network>,
}

impl Model {
    pub(crate) fn of(setting: Setting) -> Self {
        Self {
            setting,
            vendor: &VENDORS[setting.vendor],
            windows: HashMap::new(),
            networks: HashMap::new(),
            counted: None,
        }
    }

    pub(crate) fn judge(&mut self, question: &Question, now: u64) -> Judgement {
        let stranger =
            |reason| Judgement::Refused { reason, holder: None, scopes: &[], wait: None };
        self.counted = None;
        let (address, https) = client(question, self.setting.believed, self.setting.always_proxies);
        if !https && !self.setting.assume_https {
            return stranger(Reason::PlainHttp);
        }
        let lines: Vec<&Line> = self.vendor.lines.iter().chain(EXTRA).collect();
        // HTTP/2 has another method for what HTTP/1.1 gets.
        let extended = question.method == "CONNECT" && !question.path.is_empty();
        let method = if extended { "GET" } else { question.method };
        let line = covering(&lines, method, &question.path);
        let is_preflight = self.setting.preflight && is_preflight(question);
        if is_preflight && has_none_in_fields(question, self.vendor) {
            return Judgement::Served(None);
        }
        if has_none(question, self.vendor) {
            let line = line.as_ref().map(|(line, _)| *line);
            if self.setting.optional && self.is_open(line) {
                let cost = line.filter(|_| self.setting.table).map_or(1, |line| line.cost);
                return self.count_network(network(address), now, cost);
            }
        }
        let Presented { key, id, scheme } = match credential(question, self.vendor) {
            Ok(read) => read,
            Err(reason) => return stranger(reason),
        };
        if !is_key(&key, self.vendor.key) {
            return stranger(Reason::NotAKey);
        }
        // A text that names another environment is not looked up.
        if self.setting.pinned && key.starts_with(b"persona_sandbox_") {
            return stranger(Reason::Dead);
        }
        if !question.store_answers {
            return stranger(Reason::StoreDown);
        }
        let text = |holder: &&Holder| holder.key(self.vendor).as_bytes() == key;
        let Some(holder) = HOLDERS.iter().filter(|holder| holder.known).find(text) else {
            return stranger(Reason::Unknown);
        };
        if id.is_some_and(|id| id != holder.id.as_bytes()) {
            return stranger(Reason::Unknown);
        }
        if !self.serves(holder, scheme) {
            return stranger(Reason::Dead);
        }
        let refused = |reason, scopes| Judgement::Refused {
            reason,
            holder: Some(*holder),
            scopes,
            wait: None,
        };
        if holder.office && !address.is_some_and(is_in_the_office) {
            return refused(Reason::Network, &[]);
        }
        if let Some((line, account)) = &line
            && self.setting.table
        {
            let kind = holder.kind(self.vendor);
            if !line.kinds.is_empty() && !kind.is_some_and(|kind| line.kinds.contains(&kind)) {
                return refused(Reason::Kind, &[]);
            }
            if line.account_in_path && account.as_deref() != Some(holder.account) {
                return refused(Reason::Account, &[]);
            }
        }
        if !self.has_what_is_demanded(question) {
            return refused(Reason::Header, &[]);
        }
        let mut cost = 1;
        if self.setting.table {
            let Some((line, _)) = line else { return refused(Reason::Route, &[]) };
            let has = |scope: &&&str| holder.scopes().contains(*scope);
            if !line.all_of.iter().all(|scope| has(&scope)) {
                return refused(Reason::Scope, line.all_of);
            }
            if !line.any_of.is_empty() && !line.any_of.iter().any(|scope| has(&scope)) {
                return refused(Reason::Scope, line.any_of);
            }
            cost = line.cost;
        }
        let windows = self.windows.entry(holder.account).or_default();
        match windows.take(now, cost) {
            Ok(()) => Judgement::Served(Some(*holder)),
            Err(wait) => Judgement::Refused {
                reason: Reason::Limit,
                holder: Some(*holder),
                scopes: &[],
                wait: Some(wait),
            },
        }
    }

    /// Whether a request without a key may pass.
    fn is_open(&self, line: Option<&Line>) -> bool {
        match line {
            // A limiter counts each request with a key, so only what costs nothing passes without one, or what
            // its network pays for.
            Some(line) if self.setting.table => {
                let needs = [line.all_of, line.any_of, line.kinds];
                let needs_a_key = needs.iter().any(|list| !list.is_empty());
                let is_paid = line.cost == 0 || self.setting.anonymous;
                !needs_a_key && !line.account_in_path && !line.places && is_paid
            }
            _ => !self.setting.table && self.setting.anonymous,
        }
    }

    fn count_network(&mut self, network: Network, now: u64, cost: u32) -> Judgement {
        if !self.setting.anonymous {
            return Judgement::Served(None);
        }
        self.counted = Some(network);
        match self.networks.entry(network).or_default().take(now, cost) {
            Ok(()) => Judgement::Served(None),
            Err(wait) => Judgement::Refused {
                reason: Reason::Limit,
                holder: None,
                scopes: &[],
                wait: Some(wait),
            },
        }
    }

    fn serves(&self, holder: &Holder, scheme: Scheme) -> bool {
        let kind = holder.kind(self.vendor);
        let by_scheme = match scheme {
            Scheme::BasicEither(only) => kind == Some(only),
            Scheme::Bearer(only) => {
                only.is_empty() || kind.is_some_and(|kind| only.contains(&kind))
            }
            _ => true,
        };
        let dead = holder.revoked
            || holder.disabled
            || holder.early
            || holder.expired
            || holder.account == DISABLED_ACCOUNT;
        !dead && by_scheme && (!self.setting.pinned || holder.environment() == "production")
    }

    fn has_what_is_demanded(&self, question: &Question) -> bool {
        let Some(demand) = self.vendor.demands else { return true };
        let name = match demand {
            Demand::Json => "content-type",
            Demand::Version => "x-polytomic-version",
        };
        let lines = question.lines(name);
        let [line] = lines.as_slice() else { return false };
        let Ok(text) = std::str::from_utf8(line) else { return false };
        let text = text.trim_matches([' ', '\t']);
        match demand {
            Demand::Json if is_call(question) => true,
            Demand::Json => {
                let essence = text.split(';').next().unwrap().trim_end_matches([' ', '\t']);
                essence.eq_ignore_ascii_case("application/json")
            }
            Demand::Version => is_date(text),
        }
    }
}

fn is_preflight(question: &Question) -> bool {
    let one = |name: &str| matches!(question.lines(name)[..], [line] if !line.is_empty());
    let empty = question.lines("transfer-encoding").is_empty()
        && question.lines("upgrade").is_empty()
        && question.lines("content-length").iter().all(|length| *length == b"0");
    question.method == "OPTIONS" && one("origin") && one("access-control-request-method") && empty
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let number = |text: &str, digits: usize| {
        let legal = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        legal.then(|| text.parse::<u32>().unwrap())
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}
