//! Workshop: a vendor of our own, to try what the five do not have: other credentials, roles and wildcards, limit
//! headers of any name, answers with facts, request ids and refunds.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_api_key::key::KeyFormat;
use tower_api_key::profile::{
    Answer, Answers, BasicKey, Challenge, CredentialSource, ErrorBody, LimitField, LimitHeaders,
    LimitValue, Problem, ProblemMember, ProblemValue, RequestIdHeader, ResponseHeader,
};
use tower_api_key::quota::Quota;
use tower_api_key::rules::{Roles, Route, RouteRow, ScopeRules};
use tower_api_key::{Grant, Profile};

use crate::app::{complaining, unknown};
use crate::database::Database;
use crate::gates::Gates;
use crate::keys::{Keys, account};
use crate::{Failure, openapi};

pub(crate) const VENDOR: &str = "workshop";

const FORMAT: KeyFormat = KeyFormat::prefixed("workshop", &["live"]);
const LIVE: Option<&str> = Some("live");

/// How Workshop authenticates.
const PROFILE: Profile = Profile {
    name: "Workshop",
    realm: "workshop",
    credentials: &[
        CredentialSource::bearer().allow_equal(),
        CredentialSource::scheme("Token").allow_equal(),
        CredentialSource::basic(BasicKey::UserName).allow_equal(),
        CredentialSource::header("x-api-key").allow_equal(),
        CredentialSource::insecure_query("key").allow_equal(),
    ],
    formats: &[FORMAT],
    quotas: &[Quota::new("requests", 20, Duration::from_secs(60))],
    limit_headers: LimitHeaders {
        fields: &[
            LimitField::new("x-ratelimit-limit-{quota}", LimitValue::Limit),
            LimitField::new("x-ratelimit-remaining-{quota}", LimitValue::Remaining),
            LimitField::new("x-ratelimit-reset-{quota}", LimitValue::ResetDuration),
        ],
        ..LimitHeaders::NONE
    },
    request_id: Some(RequestIdHeader::new("x-request-id").prefix("req_")),
    response_headers: &[ResponseHeader { name: "x-workshop-version", value: "2026-11" }],
    answers: ANSWERS,
    ..Profile::STANDARD
};

const ANSWERS: Answers = Answers {
    scope_missing: Answer::new(
        StatusCode::FORBIDDEN,
        ErrorBody::Problem(
            Problem::new(
                "https://workshop.example/problems/scope",
                "Scope missing",
                "{account} may not {method} {path}: it needs {scopes}.",
            )
            .instance("urn:request:{request_id}")
            .members(&[ProblemMember { name: "scopes", value: ProblemValue::Text("{scopes}") }]),
        ),
    )
    .challenge(Challenge::InsufficientScope),
    rate_limited: Answer::new(
        StatusCode::TOO_MANY_REQUESTS,
        ErrorBody::Json {
            shape: r#"{"error":{"message":"{message}","limit":"{#limit}","retry_in":"{#retry_after}"}}"#,
            values: &[("message", "The quota {quota} is used up.")],
        },
    )
    .headers(&[("x-should-retry", "false")]),
    ..Profile::STANDARD.answers
};

const ROUTES: &[RouteRow] = &[
    RouteRow {
        methods: &[Method::GET],
        path: "/workshop/pieces",
        route: Route::new().any_of_sets(&[&["pieces.read", "shelf.read"], &["full"]]),
    },
    RouteRow {
        methods: &[Method::POST],
        path: "/workshop/pieces",
        route: Route::new().all_of(&["pieces.write"]).cost(2),
    },
    // What fails for a reason of ours costs nothing.
    RouteRow {
        methods: &[Method::GET],
        path: "/workshop/broken",
        route: Route::new().refund_on(&[500..=599]),
    },
];

/// What the service itself does.
const DOCUMENT: &str = include_str!("../openapi/workshop.json");

/// Builds the routes of `/workshop`, behind their gate.
pub(crate) async fn router(
    keys: &mut Keys,
    database: &Database,
    gates: &Gates,
) -> Result<Router, Failure> {
    let store = database.of(VENDOR);
    let mut keys = keys.of(VENDOR, &FORMAT, &store);
    let guild = account("guild", &[])?;
    keys.add("apprentice", &guild, LIVE, |key| key.scopes(["pieces.read", "shelf.read"])).await?;
    keys.add("joiner", &guild, LIVE, |key| key.scopes(["role:joiner"])).await?;
    keys.add("carver", &guild, LIVE, |key| key.scopes(["pieces.*"])).await?;

    let roles = Roles::new();
    roles.set("role:joiner", ["pieces.read", "pieces.write", "shelf.read"])?;
    let gate = gates.builder(&PROFILE, ROUTES, &store)?;
    let gate = gate.scopes(ScopeRules::new().wildcards()).roles(roles).build()?;
    let document = gate.openapi().merged(&openapi::read(DOCUMENT)?)?;
    let router = Router::new()
        .route("/workshop/pieces", get(list).post(create))
        .route("/workshop/broken", get(fail));
    let router = unknown(
        router,
        &["/workshop", "/workshop/", "/workshop/{*unknown}"],
        &any(|| async { StatusCode::NOT_FOUND }),
    );
    Ok(openapi::serve(complaining(router, error).layer(gate), VENDOR, &document))
}

async fn list(grant: Grant) -> Json<Value> {
    Json(json!({ "account": grant.account().as_str(), "pieces": ["a box", "a chair"] }))
}

async fn create() -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({ "piece": "a stool" })))
}

fn error(status: StatusCode, message: &'static str) -> Response {
    (status, Json(json!({ "error": { "message": message } }))).into_response()
}

async fn fail() -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}
