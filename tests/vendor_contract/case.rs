//! A row of a vendor's table, as data: what comes in, what the store holds, what goes out.

use std::time::Duration;

use tower_api_key::Profile;
use tower_api_key::clock::Timestamp;
use tower_api_key::concurrency::Concurrency;
use tower_api_key::key::KeyRecordBuilder;
use tower_api_key::quota::OnLimiterFailure;
use tower_api_key::rules::{Route, RouteRow};

use crate::source::Source;

/// The instant of every request, unless a test moves the clock.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// Makes the record of a case from a plain one.
pub(crate) type Edit = fn(KeyRecordBuilder) -> KeyRecordBuilder;

/// Names and values of headers; an expected value that ends in `…` is a prefix.
pub(crate) type Lines = &'static [(&'static str, &'static str)];

#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) profile: Profile<'static>,
    /// Where the gate gets it from.
    pub(crate) source: Source,
    pub(crate) routes: &'static [RouteRow<'static>],
    pub(crate) environment: Option<&'static str>,
    pub(crate) world: World,
    pub(crate) transport: Transport,
    pub(crate) method: &'static str,
    pub(crate) target: &'static str,
    pub(crate) authorization: &'static [&'static str],
    pub(crate) headers: Lines,
    pub(crate) key: &'static str,
    pub(crate) record: Option<Edit>,
    /// The media type of all the vendor's refusals.
    pub(crate) content_type: &'static str,
    pub(crate) reply: Reply,
}

/// What a client must get, to the byte.
#[derive(Clone, Copy)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: &'static str,
    pub(crate) challenges: &'static [&'static str],
    pub(crate) headers: Lines,
    /// The name of the denial in the response's extensions; none if the service answered.
    pub(crate) denial: Option<&'static str>,
}

/// How the request came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Tls,
    Plain,
    /// The server's acceptor said nothing.
    Unmarked,
}

/// What else is the matter when the request comes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum World {
    Sound,
    StoreFails,
    StoreFailsLater,
    LimiterFails(OnLimiterFailure),
    LimiterFailsLater(OnLimiterFailure),
    /// The same request was served just before.
    ServedBefore,
    /// The same request was served just before, and the client still reads its response.
    InFlight,
    /// One failed attempt is all that a network may make in a minute, and the same request failed just
    /// before.
    FailedBefore,
    /// The service never answers.
    ServiceStalls,
    /// The service asks for a scope, as a handler does that alone knows what is needed.
    ServiceAsks(&'static str),
    /// The service fails, and says so.
    ServiceFails,
}

/// What the service behind the gate answers.
pub(crate) const SERVED: Reply =
    Reply { status: 200, body: "acme key_1", challenges: &[], headers: &[], denial: None };

/// Routes for the denials that a vendor's documented routes cannot cause.
pub(crate) const UNDOCUMENTED: &[RouteRow] = &[
    row("/kind", Route::new().kinds(&["other"])),
    row("/accounts/{account}", Route::new().account_parameter("account")),
    row("/scope", Route::new().all_of(&["need.this", "need.that"])),
    row("/place", Route::new().concurrency(Concurrency::new(1))),
    row("/other-place", Route::new().concurrency(Concurrency::new(1))),
    row("/budget", Route::new().budget(Duration::from_secs(2))),
];

const fn row(path: &'static str, route: Route<'static>) -> RouteRow<'static> {
    RouteRow { methods: &[], path, route }
}

impl Case {
    pub(crate) const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub(crate) const fn profile(mut self, profile: Profile<'static>) -> Self {
        self.profile = profile;
        self
    }

    /// Returns the case with each source of its profile: the constant, and the file if it ships as one.
    pub(crate) fn with_each_source(self) -> Vec<Self> {
        let of = |source| Self { source, ..self };
        Source::each(&self.profile).into_iter().map(of).collect()
    }

    /// Returns true if the profile comes from the constant.
    pub(crate) const fn is_of_constant(&self) -> bool {
        matches!(self.source, Source::Constant)
    }

    pub(crate) const fn at(mut self, routes: &'static [RouteRow], target: &'static str) -> Self {
        self.routes = routes;
        self.target = target;
        self
    }

    pub(crate) const fn pinned(mut self, environment: &'static str) -> Self {
        self.environment = Some(environment);
        self
    }

    pub(crate) const fn world(mut self, world: World) -> Self {
        self.world = world;
        self
    }

    pub(crate) const fn over(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    pub(crate) const fn request(mut self, method: &'static str, target: &'static str) -> Self {
        self.method = method;
        self.target = target;
        self
    }

    pub(crate) const fn authorization(mut self, lines: &'static [&'static str]) -> Self {
        self.authorization = lines;
        self
    }

    pub(crate) const fn headers(mut self, headers: Lines) -> Self {
        self.headers = headers;
        self
    }

    pub(crate) const fn key(mut self, key: &'static str) -> Self {
        self.key = key;
        self
    }

    pub(crate) const fn record(mut self, record: Edit) -> Self {
        self.record = Some(record);
        self
    }

    pub(crate) const fn unknown(mut self) -> Self {
        self.record = None;
        self
    }

    pub(crate) const fn served(mut self, headers: Lines) -> Self {
        self.reply = Reply { headers, ..SERVED };
        self
    }

    pub(crate) const fn refused(
        mut self,
        denial: &'static str,
        status: u16,
        body: &'static str,
        challenges: &'static [&'static str],
    ) -> Self {
        self.reply = Reply { status, body, challenges, headers: &[], denial: Some(denial) };
        self
    }

    /// Expects these headers besides those that every refusal has.
    pub(crate) const fn with(mut self, headers: Lines) -> Self {
        self.reply.headers = headers;
        self
    }
}
