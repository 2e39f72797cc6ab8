//! Twelve vendors, as far as their refusals go: all of them read a Bearer key here.

use std::time::Duration;

use tower_api_key::Profile;
use tower_api_key::profile::{
    Answer, Answers, BasicKey, Challenge, CredentialSource, ErrorBody, LimitHeaders, PathAnswers,
    ResponseHeader, SchemeChallenge,
};
use tower_api_key::quota::Quota;

use crate::support::PROFILE;

const ONE: &[Quota] = &[Quota::new("minute", 1, Duration::from_secs(60))];

/// A vendor with no header that is not tested here.
const PLAIN: Profile = Profile {
    credentials: &[CredentialSource::bearer()],
    limit_headers: LimitHeaders::NONE,
    principal_headers: &[],
    quotas: ONE,
    ..PROFILE
};

type Values = &'static [(&'static str, &'static str)];

const fn json(shape: &'static str, values: Values) -> ErrorBody<'static> {
    ErrorBody::Json { shape, values }
}

/// Google Maps, the older services: status 200 for everything, and an empty container that depends on the path.
pub(super) mod google {
    use super::*;

    const fn table(shape: &'static str) -> Answers<'static> {
        const fn row(shape: &'static str, code: Values) -> Answer<'static> {
            Answer::insecure_success(json(shape, code))
        }
        Answers {
            rate_limited: row(shape, &[("code", "OVER_QUERY_LIMIT")]),
            store_unavailable: row(shape, &[("code", "UNKNOWN_ERROR")]),
            ..Answers::all(row(shape, &[("code", "REQUEST_DENIED")]))
        }
    }
    const PLACES: Answers = table(r#"{"error_message":"No.","results":[],"status":"{code}"}"#);
    const ROUTES: Answers = table(r#"{"error_message":"No.","routes":[],"status":"{code}"}"#);
    const ZONES: Answers = table(r#"{"errorMessage":"No.","status":"{code}"}"#);
    pub(crate) const PROFILE: Profile = Profile {
        answers: PLACES,
        answers_by_path: &[
            PathAnswers { prefix: "/maps/api/directions", answers: ROUTES },
            PathAnswers { prefix: "/maps/api/timezone", answers: ZONES },
        ],
        ..PLAIN
    };
}

/// DeepL: 403 without content for every key, 401 below some paths, and 456 for a used quota.
pub(super) mod deepl {
    use super::*;

    const fn message(code: u16, text: Values) -> Answer<'static> {
        Answer::of_code(code, json(r#"{"message":"{text}"}"#, text))
    }
    const SCHEME: SchemeChallenge = SchemeChallenge::new("DeepL-Auth-Key").without_realm();
    const GLOSSARIES: Answers =
        Answers::all(message(401, &[("text", "Unauthorized.")]).challenges(&[SCHEME]));
    pub(crate) const PROFILE: Profile = Profile {
        answers: Answers {
            rate_limited: message(456, &[("text", "Quota exceeded.")]),
            store_unavailable: message(529, &[("text", "Too many requests.")]),
            ..Answers::all(Answer::of_code(403, ErrorBody::Empty))
        },
        answers_by_path: &[PathAnswers { prefix: "/v3/glossaries", answers: GLOSSARIES }],
        ..PLAIN
    };
}

/// Elasticsearch: three challenges for one source, and a header that its client demands of every success.
pub(super) mod elasticsearch {
    use super::*;

    const SHAPE: &str = concat!(
        r#"{"error":{"root_cause":[{"type":"security_exception","reason":"{reason}"}],"#,
        r#""type":"security_exception","reason":"{reason}"},"status":"{#status}"}"#
    );
    const NO: Answer =
        Answer::of_code(401, json(SHAPE, &[("reason", "no credentials for [{path}]")]))
            .challenge(Challenge::Bare);
    pub(crate) const PROFILE: Profile = Profile {
        realm: "security",
        challenges: &[
            SchemeChallenge::new("Basic").parameters(&[("charset", "UTF-8")]),
            SchemeChallenge::new("Bearer"),
            SchemeChallenge::new("ApiKey").without_realm(),
        ],
        response_headers: &[ResponseHeader { name: "X-elastic-product", value: "Elasticsearch" }],
        answers: Answers {
            scope_missing: Answer::of_code(403, json(SHAPE, &[("reason", "needs [{scopes}]")])),
            ..Answers::all(NO)
        },
        ..PLAIN
    };
}

/// Anthropic: 529 when overloaded, and a header that stops its client from retrying.
pub(super) mod anthropic {
    use super::*;

    const fn row(code: u16, kind: Values) -> Answer<'static> {
        let shape = r#"{"type":"error","error":{"type":"{kind}","message":"No."}}"#;
        Answer::of_code(code, json(shape, kind))
    }
    pub(crate) const PROFILE: Profile = Profile {
        realm: "anthropic",
        answers: Answers {
            scope_missing: row(403, &[("kind", "permission_error")]),
            rate_limited: row(429, &[("kind", "rate_limit_error")])
                .headers(&[("x-should-retry", "false")]),
            store_unavailable: row(529, &[("kind", "overloaded_error")]),
            ..Answers::all(row(401, &[("kind", "authentication_error")]).challenge(Challenge::Bare))
        },
        ..PLAIN
    };
}

/// OpenAI: a missing scope is 401 like a bad key, and the message names it.
pub(super) mod openai {
    use super::*;

    const fn row(values: Values) -> Answer<'static> {
        let shape = concat!(
            r#"{"error":{"message":"{message}","type":"invalid_request_error","#,
            r#""param":null,"code":"{code}"}}"#
        );
        Answer::of_code(401, json(shape, values)).challenge(Challenge::Bare)
    }
    pub(crate) const PROFILE: Profile = Profile {
        realm: "OpenAI API",
        answers: Answers {
            scope_missing: row(&[
                ("message", "Missing scopes: {scopes}"),
                ("code", "missing_scope"),
            ]),
            ..Answers::all(row(&[("message", "Wrong key."), ("code", "invalid_api_key")]))
        },
        ..PLAIN
    };
}

/// Stripe: Basic and Bearer are read, and only Basic is in the challenge.
pub(super) mod stripe {
    use super::*;

    const BODY: ErrorBody =
        json(r#"{"error":{"message":"No.","type":"invalid_request_error"}}"#, &[]);
    pub(crate) const PROFILE: Profile = Profile {
        realm: "Stripe",
        credentials: &[
            CredentialSource::bearer(),
            CredentialSource::basic(BasicKey::UserOrPassword),
        ],
        challenges: &[SchemeChallenge::new("Basic")],
        answers: Answers::all(Answer::of_code(401, BODY).challenge(Challenge::InvalidToken)),
        ..PLAIN
    };
}

/// Twilio: two families of endpoints, each with its own form of errors.
pub(super) mod twilio {
    use super::*;

    const fn table(shape: &'static str) -> Answers<'static> {
        let row = Answer::of_code(401, json(shape, &[])).challenges(BASIC);
        Answers::all(row.documentation_url("https://www.twilio.com/docs/errors/20003"))
    }
    const BASIC: &[SchemeChallenge] = &[SchemeChallenge::new("Basic")];
    const PRODUCTS: Answers = table(
        r#"{"errors":[{"code":20003,"message":"Authenticate","infoUrl":"{documentation_url}"}]}"#,
    );
    const LEGACY: Answers = table(concat!(
        r#"{"code":20003,"message":"Authenticate","more_info":"{documentation_url}","#,
        r#""status":"{#status}"}"#
    ));
    pub(crate) const PROFILE: Profile = Profile {
        realm: "Twilio API",
        answers: PRODUCTS,
        answers_by_path: &[PathAnswers { prefix: "/2010-04-01", answers: LEGACY }],
        ..PLAIN
    };
}

/// Mailgun: one bare word for a bad key, and 420 for a used quota.
pub(super) mod mailgun {
    use super::*;

    const BASIC: &[SchemeChallenge] = &[SchemeChallenge::new("Basic")];
    pub(crate) const PROFILE: Profile = Profile {
        realm: "MG API",
        answers: Answers {
            rate_limited: Answer::of_code(420, json(r#"{"message":"Limit of {limit}"}"#, &[])),
            ..Answers::all(Answer::of_code(401, ErrorBody::Text("Forbidden")).challenges(BASIC))
        },
        ..PLAIN
    };
}

/// SendGrid: 401 for a used quota, too.
pub(super) mod sendgrid {
    use super::*;

    const fn row(message: Values) -> Answer<'static> {
        let shape = r#"{"errors":[{"message":"{message}","field":null,"help":null}]}"#;
        Answer::of_code(401, json(shape, message)).challenge(Challenge::Bare)
    }
    pub(crate) const PROFILE: Profile = Profile {
        answers: Answers {
            rate_limited: row(&[("message", "Maximum credits exceeded")]),
            ..Answers::all(row(&[("message", "The key is not valid")]))
        },
        ..PLAIN
    };
}

/// Datadog: 403 for a bad key.
pub(super) mod datadog {
    use super::*;

    const NO: Answer = Answer::of_code(403, json(r#"{"errors":["Forbidden"]}"#, &[]));
    pub(crate) const PROFILE: Profile = Profile { answers: Answers::all(NO), ..PLAIN };
}

/// Freshdesk: a version on every answer.
pub(super) mod freshdesk {
    use super::*;

    const VERSION: ResponseHeader =
        ResponseHeader { name: "x-freshdesk-api-version", value: "latest=v2; requested=v2" };
    const BODY: ErrorBody = json(r#"{"code":"invalid_credentials","message":"No."}"#, &[]);
    pub(crate) const PROFILE: Profile = Profile {
        response_headers: &[VERSION],
        answers: Answers::all(Answer::of_code(401, BODY).challenge(Challenge::Bare)),
        ..PLAIN
    };
}

/// GitHub: 403 for the primary limit.
pub(super) mod github {
    use super::*;

    const fn row(code: u16, message: Values) -> Answer<'static> {
        let shape = concat!(
            r#"{"message":"{message}","documentation_url":"{documentation_url}","#,
            r#""status":"{status}"}"#
        );
        Answer::of_code(code, json(shape, message))
            .documentation_url("https://docs.github.com/rest")
    }
    pub(crate) const PROFILE: Profile = Profile {
        answers: Answers {
            rate_limited: row(403, &[("message", "API rate limit exceeded")]),
            ..Answers::all(
                row(401, &[("message", "Bad credentials")]).challenge(Challenge::InvalidToken),
            )
        },
        ..PLAIN
    };
}
