//! The vendors as their documentation has them, written down a second time.

use super::family::{FAMILIES, Family};

/// Which keys and requests a vendor takes, and what it answers.
#[derive(Debug)]
pub(crate) struct Vendor {
    pub(crate) name: &'static str,
    pub(crate) schemes: &'static [Scheme],
    /// Whether equal credentials in several places count once.
    pub(crate) equal: bool,
    pub(crate) key: KeyText,
    /// The field that each request must have besides.
    pub(crate) demands: Option<Demand>,
    pub(crate) lines: &'static [Line],
    pub(crate) reports: Reports,
    pub(crate) replies: fn(Reason) -> Reply,
    /// What it answers to some paths instead.
    pub(crate) families: &'static [Family],
    /// Whether the answers have facts of the request and the key, and each response an id.
    pub(crate) speaks: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Basic, with this user name.
    BasicAs(&'static str),
    /// Basic for keys of one kind: the password, or the user name if that is empty.
    BasicEither(&'static str),
    /// Bearer, for keys of these kinds, or of any.
    Bearer(&'static [&'static str]),
    /// Bearer with any visible ASCII.
    WideBearer,
    /// Another scheme, with any visible ASCII.
    Named(&'static str),
    /// Basic, with the key as user name.
    UserName,
    /// A scheme with a pair of the key's id and the key.
    IdPair(&'static str),
    /// A field whose value is the key.
    Own(&'static str),
    /// Two fields: the key's id, and the key.
    TwoFields(&'static str, &'static str),
    /// A query parameter.
    Query(&'static str),
    /// A protocol of a WebSocket handshake, which begins so.
    Protocol(&'static str),
}

impl Scheme {
    /// Names the scheme of `Authorization`, in lower case.
    pub(crate) fn authorization(self) -> Option<String> {
        match self {
            Self::BasicAs(_) | Self::BasicEither(_) | Self::UserName => Some("basic".to_owned()),
            Self::Bearer(_) | Self::WideBearer => Some("bearer".to_owned()),
            Self::Named(name) | Self::IdPair(name) => Some(name.to_ascii_lowercase()),
            Self::Own(_) | Self::TwoFields(..) | Self::Query(_) | Self::Protocol(_) => None,
        }
    }

    /// Lists the fields that carry a key, as `Vary` names them.
    pub(crate) fn fields(self) -> Vec<&'static str> {
        match self {
            Self::Own(name) => vec![name],
            Self::TwoFields(id, secret) => vec![secret, id],
            Self::Query(_) => Vec::new(),
            Self::Protocol(_) => vec!["sec-websocket-protocol"],
            _ => vec!["authorization"],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyText {
    FortyHex,
    Token,
    Persona,
    Polytomic,
    Imported,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    Json,
    Version,
}

/// Which limit fields an answer to a known key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reports {
    Nothing,
    RemainingAndReset,
    All,
}

/// A line of the route table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) methods: &'static [&'static str],
    pub(crate) path: &'static str,
    pub(crate) all_of: &'static [&'static str],
    pub(crate) any_of: &'static [&'static str],
    pub(crate) kinds: &'static [&'static str],
    pub(crate) account_in_path: bool,
    pub(crate) cost: u32,
    /// Whether it has a limit of simultaneous requests.
    pub(crate) places: bool,
}

const fn line(methods: &'static [&'static str], path: &'static str) -> Line {
    Line {
        methods,
        path,
        all_of: &[],
        any_of: &[],
        kinds: &[],
        account_in_path: false,
        cost: 1,
        places: false,
    }
}

impl Line {
    const fn all_of(self, all_of: &'static [&'static str]) -> Self {
        Self { all_of, ..self }
    }

    const fn kinds(self, kinds: &'static [&'static str]) -> Self {
        Self { kinds, ..self }
    }
}

/// Why a request is refused, as far as a client may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reason {
    PlainHttp,
    Missing,
    Ambiguous,
    Malformed,
    NotAKey,
    Unknown,
    /// Revoked, disabled, early, expired, of another environment, or by a scheme not its own.
    Dead,
    Network,
    Kind,
    Account,
    Header,
    Route,
    Scope,
    Limit,
    StoreDown,
}

/// A status, and the body where it is documented.
pub(crate) type Reply = (u16, Option<&'static str>);

/// Lines that no vendor documents, for what their own cannot show.
pub(crate) const EXTRA: &[Line] = &[
    Line { account_in_path: true, ..line(&[], "/accounts/{account}/data") },
    line(&["GET", "PUT"], "/scopes/all").all_of(&["users.read", "inquiry.read"]),
    Line { any_of: &["users.write", "dataset.write"], ..line(&[], "/scopes/any") },
    line(&[], "/kinds").kinds(&["partner", "organization"]),
    Line { cost: 2, ..line(&[], "/cost/two") },
    Line { cost: 0, ..line(&[], "/cost/none") },
];

pub(crate) const VENDORS: &[Vendor] = &[
    Vendor {
        name: "Personyze",
        schemes: &[Scheme::BasicAs("api")],
        equal: false,
        key: KeyText::FortyHex,
        demands: None,
        lines: &[
            Line { places: true, ..line(&["POST"], "/rest/users") },
            line(&["GET"], "/rest/users"),
            line(&[], "/rest/tracker"),
            line(&[], "/rest/{*rest}"),
        ],
        reports: Reports::Nothing,
        replies: personyze,
        families: &[],
        speaks: false,
    },
    Vendor {
        name: "REST API Integrations",
        schemes: &[Scheme::Bearer(&[])],
        equal: false,
        key: KeyText::Token,
        demands: None,
        lines: &[
            line(&["GET"], "/v1/{*rest}").all_of(&["users.read"]),
            line(&["POST", "PUT", "DELETE"], "/v1/{*rest}").all_of(&["users.write"]),
        ],
        reports: Reports::RemainingAndReset,
        replies: rest_integrations,
        families: &[],
        speaks: false,
    },
    Vendor {
        name: "Polyteia",
        schemes: &[Scheme::Bearer(&[])],
        equal: false,
        key: KeyText::Token,
        demands: Some(Demand::Json),
        lines: &[line(&[], "/api")],
        reports: Reports::Nothing,
        replies: polyteia,
        families: &[],
        speaks: false,
    },
    Vendor {
        name: "Persona",
        schemes: &[Scheme::Bearer(&[])],
        equal: false,
        key: KeyText::Persona,
        demands: None,
        lines: &[
            line(&["GET"], "/api/v1/inquiries").all_of(&["inquiry.read"]),
            line(&["POST"], "/api/v1/inquiries").all_of(&["inquiry.write"]),
            line(&["GET"], "/api/v1/inquiries/{id}").all_of(&["inquiry.read"]),
            line(&["GET"], "/api/v1/accounts").all_of(&["account.read"]),
            line(&["GET"], "/api/v1/reports").all_of(&["report.read"]),
            line(&["POST"], "/api/v1/reports").all_of(&["report.write"]),
            line(&["GET"], "/api/v1/api-keys").all_of(&["api_key.read"]),
            line(&["GET"], "/api/v1/rate-limits"),
        ],
        reports: Reports::All,
        replies: persona,
        families: &[],
        speaks: false,
    },
    Vendor {
        name: "Polytomic",
        schemes: &[Scheme::Bearer(&["partner", "organization"])],
        equal: false,
        key: KeyText::Polytomic,
        demands: Some(Demand::Version),
        lines: POLYTOMIC_LINES,
        reports: Reports::Nothing,
        replies: polytomic,
        families: &[],
        speaks: false,
    },
    Vendor {
        name: "Polytomic on premises",
        schemes: &[Scheme::BasicEither("deployment"), Scheme::Bearer(&["partner", "organization"])],
        equal: false,
        key: KeyText::Polytomic,
        demands: Some(Demand::Version),
        lines: POLYTOMIC_LINES,
        reports: Reports::Nothing,
        replies: polytomic,
        families: &[],
        speaks: false,
    },
    Vendor { name: "Imports, once", equal: false, ..IMPORTS },
    IMPORTS,
    Vendor {
        name: "Pairs",
        schemes: &[
            Scheme::IdPair("Basic"),
            Scheme::IdPair("ApiKey"),
            Scheme::TwoFields("x-key-id", "x-key-secret"),
        ],
        key: KeyText::Token,
        speaks: true,
        ..IMPORTS
    },
    Vendor {
        name: "Families",
        schemes: &[Scheme::Bearer(&[])],
        equal: false,
        key: KeyText::Token,
        families: FAMILIES,
        ..IMPORTS
    },
    Vendor {
        name: "Sockets",
        schemes: &[Scheme::WideBearer, Scheme::Protocol("api-key."), Scheme::Protocol("token.")],
        demands: None,
        lines: &[line(&["GET"], "/api").all_of(&["users.read"])],
        ..IMPORTS
    },
];

/// No vendor: what others document, all at once, with the answers of one.
const IMPORTS: Vendor = Vendor {
    name: "Imports",
    schemes: &[
        Scheme::WideBearer,
        Scheme::Named("Token"),
        Scheme::UserName,
        Scheme::Own("x-api-key"),
        Scheme::Query("key"),
    ],
    equal: true,
    key: KeyText::Imported,
    demands: Some(Demand::Json),
    lines: &[line(&[], "/api").all_of(&["users.read"])],
    reports: Reports::Nothing,
    replies: polyteia,
    families: &[],
    speaks: false,
};

const POLYTOMIC_LINES: &[Line] = &[
    line(&["GET"], "/api/me"),
    line(&["GET"], "/api/organizations").kinds(&["partner", "deployment"]),
    line(&["GET"], "/api/organizations/{org}/users").kinds(&["partner", "deployment"]),
    line(&["POST"], "/api/organizations/{org}/users/{user}/keys").kinds(&["partner", "deployment"]),
    line(&["GET"], "/api/bulk/syncs").kinds(&["organization", "deployment"]),
];

fn personyze(reason: Reason) -> Reply {
    match reason {
        Reason::PlainHttp => (401, Some("HTTPS is required")),
        Reason::Missing | Reason::Ambiguous | Reason::Malformed => (401, Some("Please, log in")),
        Reason::NotAKey | Reason::Dead | Reason::Account => (401, Some("Unknown API key")),
        Reason::Unknown => (400, Some("Invalid API key")),
        Reason::Network | Reason::Route | Reason::Kind | Reason::Scope => (403, None),
        Reason::Header => (400, None),
        Reason::Limit => (429, None),
        Reason::StoreDown => (503, None),
    }
}

fn rest_integrations(reason: Reason) -> Reply {
    const MALFORMED: &str = r#"{"error":"Malformed Authorization header."}"#;
    const FORBIDDEN: &str = r#"{"error":"You do not have permission to perform this action."}"#;
    match reason {
        Reason::PlainHttp | Reason::Header => (400, None),
        Reason::Missing => (401, Some(r#"{"error":"Missing API key."}"#)),
        Reason::Ambiguous | Reason::Malformed => (400, Some(MALFORMED)),
        Reason::NotAKey | Reason::Unknown | Reason::Dead => {
            (401, Some(r#"{"error":"Invalid API key provided."}"#))
        }
        Reason::Network | Reason::Kind | Reason::Account | Reason::Route | Reason::Scope => {
            (403, Some(FORBIDDEN))
        }
        Reason::Limit => (429, Some(r#"{"error":"Rate limit exceeded."}"#)),
        Reason::StoreDown => (503, None),
    }
}

fn polyteia(reason: Reason) -> Reply {
    match reason {
        Reason::Missing | Reason::Malformed | Reason::NotAKey | Reason::Unknown | Reason::Dead => {
            (401, None)
        }
        Reason::PlainHttp | Reason::Ambiguous | Reason::Header => (400, None),
        Reason::Network | Reason::Kind | Reason::Account | Reason::Route | Reason::Scope => {
            (403, None)
        }
        Reason::Limit => (429, None),
        Reason::StoreDown => (503, None),
    }
}

/// Persona documents the same statuses, and other bodies.
fn persona(reason: Reason) -> Reply {
    polyteia(reason)
}

fn polytomic(reason: Reason) -> Reply {
    match reason {
        // An organization that is not there, or not this key's; and a path that is none.
        Reason::Account | Reason::Route => (404, None),
        other => polyteia(other),
    }
}
