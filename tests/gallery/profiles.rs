//! Twelve vendors, as far as their refusals go.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use tower_api_key::profile::{
    Answer, Answers, BasicKey, Challenge, CredentialSource, CustomBody, ErrorBody, LimitHeaders,
    PathAnswers, Refusal, ResponseHeader, SchemeChallenge,
};
use tower_api_key::quota::Quota;
use tower_api_key::{Denial, Profile};

use crate::support::PROFILE;

const ONE: &[Quota] = &[Quota::new("minute", 1, Duration::from_secs(60))];

/// A vendor with Bearer keys and no header that is not tested here.
const PLAIN: Profile = Profile {
    credentials: &[CredentialSource::bearer()],
    limit_headers: LimitHeaders::NONE,
    principal_headers: &[],
    quotas: ONE,
    ..PROFILE
};

fn json(content: String) -> CustomBody {
    let content_type = HeaderValue::from_static("application/json");
    CustomBody { content_type, content: Bytes::from(content) }
}

/// Google Maps, the older services: status 200 for everything, and an empty container that depends on the path.
pub(super) mod google {
    use super::*;

    fn body(refusal: &Refusal<'_>, container: &str) -> CustomBody {
        let code = match refusal.denial() {
            Denial::RateLimited { .. } => "OVER_QUERY_LIMIT",
            Denial::StoreUnavailable => "UNKNOWN_ERROR",
            _ => "REQUEST_DENIED",
        };
        json(format!(r#"{{"error_message":"No.",{container}"status":"{code}"}}"#))
    }
    const fn table(make: fn(&Refusal<'_>) -> CustomBody) -> Answers<'static> {
        Answers::all(Answer::insecure_success(ErrorBody::Custom(make)))
    }
    pub(crate) const PROFILE: Profile = Profile {
        answers: table(|refusal| body(refusal, r#""results":[],"#)),
        answers_by_path: &[
            PathAnswers {
                prefix: "/maps/api/directions",
                answers: table(|refusal| body(refusal, r#""routes":[],"#)),
            },
            PathAnswers {
                prefix: "/maps/api/timezone",
                answers: table(|refusal| body(refusal, "")),
            },
        ],
        ..PLAIN
    };
}

/// DeepL: 403 for every key, 401 below some paths, 456 for a used quota, and no challenge.
pub(super) mod deepl {
    use super::*;

    const fn body(text: &'static str) -> ErrorBody<'static> {
        ErrorBody::Error(text)
    }
    const NO: Answer = Answer::of_code(403, ErrorBody::Empty);
    const USED: Answer = Answer::of_code(456, body("Quota exceeded."));
    const BUSY: Answer = Answer::of_code(529, body("Too many requests."));
    const ANSWERS: Answers =
        Answers { rate_limited: USED, store_unavailable: BUSY, ..Answers::all(NO) };
    const GLOSSARIES: Answers = Answers::all(
        Answer::of_code(401, body("Unauthorized.")).challenges(&[SCHEME.without_realm()]),
    );
    const SCHEME: SchemeChallenge = SchemeChallenge::new("DeepL-Auth-Key");
    pub(crate) const PROFILE: Profile = Profile {
        answers: ANSWERS,
        answers_by_path: &[PathAnswers { prefix: "/v3/glossaries", answers: GLOSSARIES }],
        ..PLAIN
    };
}

/// Elasticsearch: three challenges for one source, and a header that its client demands of every success.
pub(super) mod elasticsearch {
    use super::*;

    const CHARSET: &[(&str, &str)] = &[("charset", "UTF-8")];
    const NO: Answer =
        Answer::of_code(401, ErrorBody::Error("security_exception")).challenge(Challenge::Bare);
    pub(crate) const PROFILE: Profile = Profile {
        realm: "security",
        challenges: &[
            SchemeChallenge::new("Basic").parameters(CHARSET),
            SchemeChallenge::new("Bearer"),
            SchemeChallenge::new("ApiKey").without_realm(),
        ],
        response_headers: &[ResponseHeader { name: "X-elastic-product", value: "Elasticsearch" }],
        answers: Answers {
            scope_missing: Answer::of_code(403, ErrorBody::Error("security_exception")),
            ..Answers::all(NO)
        },
        ..PLAIN
    };
}

/// Anthropic: 529 when overloaded, and JSON in a form of its own.
pub(super) mod anthropic {
    use super::*;

    fn body(refusal: &Refusal<'_>) -> CustomBody {
        let kind = match refusal.status().as_u16() {
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            _ => "overloaded_error",
        };
        json(format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"No."}}}}"#))
    }
    const BODY: ErrorBody = ErrorBody::Custom(body);
    pub(crate) const PROFILE: Profile = Profile {
        realm: "anthropic",
        answers: Answers {
            scope_missing: Answer::of_code(403, BODY),
            rate_limited: Answer::of_code(429, BODY),
            store_unavailable: Answer::of_code(529, BODY),
            ..Answers::all(Answer::of_code(401, BODY).challenge(Challenge::Bare))
        },
        ..PLAIN
    };
}

/// OpenAI: a missing scope is 401 like a bad key.
pub(super) mod openai {
    use super::*;

    const fn no(code: &'static str) -> Answer<'static> {
        let body = ErrorBody::CodeAndMessage { code, message: "No." };
        Answer::of_code(401, body).challenge(Challenge::Bare)
    }
    pub(crate) const PROFILE: Profile = Profile {
        realm: "OpenAI API",
        answers: Answers {
            scope_missing: no("missing_scope"),
            ..Answers::all(no("invalid_api_key"))
        },
        ..PLAIN
    };
}

/// Stripe: Basic and Bearer are read, and only Basic is in the challenge.
pub(super) mod stripe {
    use super::*;

    pub(crate) const PROFILE: Profile = Profile {
        realm: "Stripe",
        credentials: &[
            CredentialSource::bearer(),
            CredentialSource::basic(BasicKey::UserOrPassword),
        ],
        challenges: &[SchemeChallenge::new("Basic")],
        answers: Answers::all(
            Answer::of_code(401, ErrorBody::Error("No.")).challenge(Challenge::InvalidToken),
        ),
        ..PLAIN
    };
}

/// Twilio: two families of endpoints, each with its own form of errors.
pub(super) mod twilio {
    use super::*;

    const BASIC: SchemeChallenge = SchemeChallenge::new("Basic");
    const fn no(body: ErrorBody<'static>) -> Answers<'static> {
        Answers::all(Answer::of_code(401, body).challenges(&[BASIC]))
    }
    fn errors(_: &Refusal<'_>) -> CustomBody {
        json(r#"{"errors":[{"code":20003,"message":"Authenticate"}]}"#.to_owned())
    }
    fn legacy(refusal: &Refusal<'_>) -> CustomBody {
        let status = refusal.status().as_u16();
        json(format!(r#"{{"code":20003,"message":"Authenticate","status":{status}}}"#))
    }
    pub(crate) const PROFILE: Profile = Profile {
        realm: "Twilio API",
        answers: no(ErrorBody::Custom(errors)),
        answers_by_path: &[PathAnswers {
            prefix: "/2010-04-01",
            answers: no(ErrorBody::Custom(legacy)),
        }],
        ..PLAIN
    };
}

/// Mailgun: one bare word for a bad key, and 420 for a used quota.
pub(super) mod mailgun {
    use super::*;

    pub(crate) const PROFILE: Profile = Profile {
        realm: "MG API",
        answers: Answers {
            rate_limited: Answer::of_code(420, ErrorBody::Error("Enhance your calm.")),
            ..Answers::all(
                Answer::of_code(401, ErrorBody::Text("Forbidden"))
                    .challenges(&[SchemeChallenge::new("Basic")]),
            )
        },
        ..PLAIN
    };
}

/// SendGrid: 401 for a used quota, too.
pub(super) mod sendgrid {
    use super::*;

    const fn no(text: &'static str) -> Answer<'static> {
        Answer::of_code(401, ErrorBody::Error(text)).challenge(Challenge::Bare)
    }
    pub(crate) const PROFILE: Profile = Profile {
        answers: Answers {
            rate_limited: no("Maximum credits exceeded"),
            ..Answers::all(no("The provided authorization grant is invalid"))
        },
        ..PLAIN
    };
}

/// Datadog: 403 for a bad key.
pub(super) mod datadog {
    use super::*;

    fn body(_: &Refusal<'_>) -> CustomBody {
        json(r#"{"errors":["Forbidden"]}"#.to_owned())
    }
    pub(crate) const PROFILE: Profile =
        Profile { answers: Answers::all(Answer::of_code(403, ErrorBody::Custom(body))), ..PLAIN };
}

/// Freshdesk: a version on every answer.
pub(super) mod freshdesk {
    use super::*;

    const NO: ErrorBody = ErrorBody::CodeAndMessage { code: "invalid_credentials", message: "No." };
    pub(crate) const PROFILE: Profile = Profile {
        response_headers: &[ResponseHeader {
            name: "x-freshdesk-api-version",
            value: "latest=v2; requested=v2",
        }],
        answers: Answers::all(Answer::of_code(401, NO).challenge(Challenge::Bare)),
        ..PLAIN
    };
}

/// GitHub: 403 for the primary limit, with a wait.
pub(super) mod github {
    use super::*;

    pub(crate) const PROFILE: Profile = Profile {
        answers: Answers {
            rate_limited: Answer::of_code(403, ErrorBody::Error("API rate limit exceeded")),
            ..Answers::all(
                Answer::of_code(401, ErrorBody::Empty).challenge(Challenge::InvalidToken),
            )
        },
        ..PLAIN
    };
}
