//! Any profile can be written as a file, and is read from it as it was.

use std::env;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tower_api_key::config::{FileFormat, FrontDoor, to_toml};
use tower_api_key::key::{Alphabet, KeyFormat};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::profile::{
    Answer, Answers, BasicKey, Challenge, CredentialSource, Dialect, ErrorBody, Expected, GrpcCode,
    LimitField, LimitHeaders, LimitValue, PathAnswers, PrincipalHeader, PrincipalValue, Problem,
    ProblemMember, ProblemValue, RequestIdHeader, RequiredHeader, Reset, ResponseHeader,
    SchemeChallenge,
};
use tower_api_key::quota::{Algorithm, OnLimiterFailure, Per, Quota};
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, Profile};

/// Chooses the parts of a profile. What it makes lives as long as the test.
struct Chooser(StdRng);

fn kept<T>(list: Vec<T>) -> &'static [T] {
    list.leak()
}

impl Chooser {
    fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    fn one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }

    fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    fn some<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> &'static [T] {
        let count = self.below(most + 1);
        kept((0..count).map(|_| make(self)).collect())
    }

    /// A text with what TOML escapes, and with what gates refuse.
    fn text(&mut self) -> &'static str {
        let texts = [
            "No.",
            "it's \"quoted\"",
            "a \\ b",
            "tab\there",
            "line\nbreak\r\n",
            "żółć 🎉",
            "",
            "'''",
            "# no comment",
            "{{braces}}",
            "{status|none}",
            "\u{7f}\u{0}\u{85}",
            " ends with blanks  ",
        ];
        // Rarely one that no gate takes.
        if self.one_in(500) { "{unknown}" } else { self.of(&texts) }
    }

    fn name(&mut self) -> &'static str {
        let names =
            ["x-one", "x-two", "x-three", "x-four", "x-five", "x-six", "x-seven", "x-eight"];
        self.of(&names)
    }

    fn source(&mut self) -> CredentialSource<'static> {
        let keys = [
            BasicKey::PasswordOf("api"),
            BasicKey::UserOrPassword,
            BasicKey::UserName,
            BasicKey::SecretOfId,
        ];
        let source = match self.below(9) {
            0 => CredentialSource::basic(self.of(&keys)),
            1 => CredentialSource::wide_bearer(),
            2 => CredentialSource::scheme("Token"),
            3 => CredentialSource::pair("ApiKey", self.of(&keys)),
            4 => CredentialSource::header("x-api-key"),
            5 => CredentialSource::insecure_query("key"),
            6 => CredentialSource::websocket_protocol("key."),
            7 => CredentialSource::id_and_secret("x-id", "x-secret"),
            _ => CredentialSource::bearer(),
        };
        let source = if self.one_in(4) { source.only(&["a", "b"]) } else { source };
        if self.one_in(40) { source.allow_equal() } else { source }
    }

    fn format(&mut self) -> KeyFormat<'static> {
        let alphabets = [
            Alphabet::Hex,
            Alphabet::LowerHex,
            Alphabet::Base62,
            Alphabet::Base64Url,
            Alphabet::Token,
        ];
        match self.below(6) {
            0 => KeyFormat::STANDARD,
            1 => KeyFormat::uuid(),
            2 => KeyFormat::hex(40),
            3 => KeyFormat::prefixed("acme", &["live", "test"]),
            4 => KeyFormat::new().literal("a-").between(self.of(&alphabets), 32, 64),
            _ => {
                let format = KeyFormat::new().environment(&["x", "y"]).literal("~");
                let format = format.characters(self.of(&alphabets), 40);
                if self.one_in(2) { format.checksum() } else { format }
            }
        }
    }

    fn quota(&mut self, name: &'static str) -> Quota {
        let limit = self.0.random_range(1..=u32::MAX);
        let milliseconds = self.0.random_range(1_000..100_000_000);
        let quota = Quota::new(name, limit, Duration::from_millis(milliseconds));
        let quota = quota.with_algorithm(self.of(&[
            Algorithm::FixedWindow,
            Algorithm::LeakyBucket,
            Algorithm::SlidingWindow,
            Algorithm::CalendarDay,
            Algorithm::CalendarMonth,
        ]));
        let quota = quota.with_per(self.of(&[Per::Account, Per::Key]));
        let quota = if self.one_in(3) { quota.in_shadow() } else { quota };
        match self.below(4) {
            0 => quota.with_failure_choice(OnLimiterFailure::Allow),
            1 => quota.with_failure_choice("local/4".parse().unwrap()),
            _ => quota,
        }
    }

    fn body(&mut self) -> ErrorBody<'static> {
        match self.below(9) {
            0 => ErrorBody::Empty,
            1 => ErrorBody::Text(self.text()),
            2 => ErrorBody::Error(self.text()),
            3 => ErrorBody::CodeAndMessage { code: self.text(), message: self.text() },
            4 => ErrorBody::TitleAndDetails { title: self.text(), details: self.text() },
            5 => ErrorBody::CodeAndContext { error: self.text() },
            6 => ErrorBody::KeyAndMetadata { key: self.text(), message: self.text() },
            7 => ErrorBody::Json {
                shape: self.of(&[r#"{"b":null,"a":[1,"{#status}","{message}"]}"#, "\"{message}\""]),
                values: kept(vec![("message", self.text())]),
            },
            _ => {
                let problem = Problem::new("about:blank", self.text(), self.text());
                let problem =
                    if self.one_in(2) { problem.instance("urn:x:{status}") } else { problem };
                problem_with(
                    problem,
                    kept(vec![
                        ProblemMember { name: "text", value: ProblemValue::Text(self.text()) },
                        ProblemMember { name: "json", value: ProblemValue::Json("[1, 2]") },
                    ]),
                )
            }
        }
    }

    fn challenge(&mut self) -> SchemeChallenge<'static> {
        let challenge = SchemeChallenge::new(self.of(&["Bearer", "ApiKey"]));
        let challenge = if self.one_in(2) { challenge.without_realm() } else { challenge };
        if self.one_in(2) { challenge.parameters(&[("error", "no such key")]) } else { challenge }
    }

    fn answer(&mut self) -> Answer<'static> {
        let body = self.body();
        let statuses: &[u16] = match body {
            ErrorBody::CodeAndContext { .. } | ErrorBody::Empty => &[400, 401, 403, 503],
            _ => &[200, 400, 401, 403, 404, 429, 456, 500, 503, 529],
        };
        let answer = match self.of(statuses) {
            200 => Answer::insecure_success(body),
            status => Answer::of_code(status, body),
        };
        let challenge = if answer.status() == 401 {
            self.of(&[Challenge::Bare, Challenge::InvalidToken])
        } else {
            Challenge::None
        };
        let mut answer = answer.challenge(challenge);
        if self.one_in(6) && answer.status() == 401 {
            answer = answer.challenges(kept(vec![self.challenge()]));
        }
        if self.one_in(4) {
            answer = answer.retry_after(self.0.random_range(1..100));
        }
        if self.one_in(4) {
            answer =
                answer.grpc(self.of(&[GrpcCode::Aborted, GrpcCode::DataLoss, GrpcCode::NotFound]));
        }
        if self.one_in(4) {
            answer = answer.documentation_url("https://example.com/a#b");
        }
        if self.one_in(4) {
            answer = answer.headers(kept(vec![("x-row", "{status}")]));
        }
        answer
    }

    /// A table in which several rows are equal.
    fn answers(&mut self) -> Answers<'static> {
        let pool: Vec<_> = (0..=self.below(6)).map(|_| self.answer()).collect();
        let mut row = || self.of(&pool);
        Answers {
            insecure_transport: row(),
            credentials_missing: row(),
            scheme_unsupported: row(),
            too_many_failures: row(),
            credentials_ambiguous: row(),
            credentials_malformed: row(),
            key_malformed: row(),
            key_unknown: row(),
            key_revoked: row(),
            key_disabled: row(),
            key_not_yet_valid: row(),
            key_expired: row(),
            environment_mismatch: row(),
            network_not_allowed: row(),
            scheme_not_for_kind: row(),
            route_unknown: row(),
            kind_not_allowed: row(),
            account_mismatch: row(),
            header_refused: row(),
            scope_missing: row(),
            rate_limited: row(),
            concurrency_exceeded: row(),
            timed_out: row(),
            internal_error: row(),
            store_unavailable: row(),
            limiter_unavailable: row(),
        }
    }

    fn limit_headers(&mut self) -> LimitHeaders<'static> {
        let dialects =
            [Dialect::None, Dialect::RateLimit, Dialect::XRateLimit, Dialect::Structured];
        let dialect = self.of(&dialects);
        let writes = dialect != Dialect::None;
        let values = [
            LimitValue::Limit,
            LimitValue::Remaining,
            LimitValue::Used,
            LimitValue::ResetSeconds,
            LimitValue::ResetUnixTime,
            LimitValue::Window,
            LimitValue::QuotaName,
        ];
        let fields = self.some(1, |this| {
            let field = LimitField::new("x-own", this.of(&values));
            if this.one_in(2) { field.of_quota("minute") } else { field }
        });
        LimitHeaders {
            dialect,
            limit: writes && !self.one_in(3),
            remaining: writes,
            reset: if writes {
                self.of(&[Reset::Seconds, Reset::UnixTime])
            } else {
                Reset::Omitted
            },
            fields,
            unit: (dialect == Dialect::Structured && self.one_in(2)).then_some("requests"),
            partition_keys: dialect == Dialect::Structured && self.one_in(2),
        }
    }

    fn profile(&mut self) -> Profile<'static> {
        let answers = self.answers();
        Profile {
            name: self.of(&["Acme", "żółć", "it's"]),
            realm: self.of(&["acme", "a \"realm\"", "r\\"]),
            credentials: kept(vec![self.source()]),
            formats: kept(vec![self.format(), self.format()]),
            required_headers: self.some(1, |this| RequiredHeader {
                name: "x-version",
                expected: this.of(&[
                    Expected::Present,
                    Expected::OneOf(&["1", "2"]),
                    Expected::MediaType("application/json"),
                    Expected::Date,
                ]),
            }),
            quotas: if self.one_in(2) {
                kept(vec![self.quota("minute"), self.quota("hour")])
            } else {
                &[]
            },
            limit_headers: self.limit_headers(),
            principal_headers: self.some(1, |this| PrincipalHeader {
                name: "x-principal",
                value: this.of(&[
                    PrincipalValue::RequestId("req_"),
                    PrincipalValue::Account,
                    PrincipalValue::Environment,
                    PrincipalValue::KeyId,
                    PrincipalValue::Metadata("team"),
                ]),
            }),
            request_id: match self.below(3) {
                0 => Some(RequestIdHeader::new("x-request-id").uuid()),
                1 => Some(RequestIdHeader::new("x-request-id").prefix("req-")),
                _ => None,
            },
            response_headers: self
                .some(1, |this| ResponseHeader { name: this.name(), value: "it's \"7\"" }),
            challenges: self.some(1, Self::challenge),
            answers,
            answers_by_path: self.some(2, |this| PathAnswers {
                prefix: this.of(&["/a", "/b/c"]),
                answers: if this.one_in(2) {
                    Answers { key_unknown: this.answer(), rate_limited: this.answer(), ..answers }
                } else {
                    this.answers()
                },
            }),
        }
    }
}

fn problem_with(
    problem: Problem<'static>,
    members: &'static [ProblemMember<'static>],
) -> ErrorBody<'static> {
    ErrorBody::Problem(problem.members(members))
}

/// Returns why no gate can be built with a profile.
fn mistake(profile: &Profile<'_>) -> Option<String> {
    let builder = ApiKeyLayer::builder(*profile, MemoryStore::new());
    let built = builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny).build();
    built.err().map(|error| error.to_string())
}

#[test]
fn any_profile_is_read_as_it_was_written() {
    let all = env::var("PROFILES").map_or(300, |text| text.parse().unwrap());
    let mut read = 0;
    for seed in 0..all {
        let profile = Chooser(StdRng::seed_from_u64(seed)).profile();
        let file = to_toml(&profile, &[]).unwrap();
        match (FrontDoor::parse("gate.toml", &file, FileFormat::Toml), mistake(&profile)) {
            (Ok(door), None) => {
                let got = door.with_profile(|profile| format!("{profile:#?}"));
                assert_eq!(got, format!("{profile:#?}"), "seed {seed}\n{file}");
                read += 1;
            }
            (Err(_), Some(_)) => {}
            (Ok(_), Some(error)) => panic!("seed {seed}: only in Rust: {error}\n{file}"),
            (Err(error), None) => panic!("seed {seed}: only in the file: {error}\n{file}"),
        }
    }
    assert!(read > all / 4, "{read} of {all} are profiles");
}

#[test]
fn what_a_function_makes_is_refused() {
    let custom = Answer::of_code(403, ErrorBody::Custom(|_| unreachable!()));
    let headers = Answer::of_code(403, ErrorBody::Empty).headers_from(|_| unreachable!());
    let standard = Profile::STANDARD;
    for (answers, by_path, expected) in [
        (
            Answers { key_unknown: custom, ..standard.answers },
            None,
            "the answer `key_unknown` is made by a function (`ErrorBody::Custom`)",
        ),
        (
            Answers { rate_limited: headers, ..standard.answers },
            None,
            "the answer `rate_limited` is made by a function (`Answer::headers_from`)",
        ),
        (
            standard.answers,
            Some(Answers { timed_out: custom, ..standard.answers }),
            "the answer `timed_out` of the paths under `/a` is made by a function (`ErrorBody::Custom`)",
        ),
    ] {
        let paths: Vec<_> =
            by_path.into_iter().map(|answers| PathAnswers { prefix: "/a", answers }).collect();
        let profile = Profile { answers, answers_by_path: &paths, ..standard };
        let error = to_toml(&profile, &[]).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
