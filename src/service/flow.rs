//! The way of one request through the decision. What must wait is a step of its own; what need
//! not, goes on at once, so a request whose store and limiter are in memory never waits at all.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{HeaderName, Request};

use super::connection::connection;
use super::layer::{Limits, Shared};
use super::outcome::{Admitted, Outcome, Passage};
use crate::decision::{Admission, Case, Cleared};
use crate::denial::Denial;
use crate::eventually::Eventually;
use crate::limits::{Charge, Concurrency, LimiterError, OnLimiterFailure, Permit, Place, Verdict};
use crate::request::{Client, CredentialSource, Head, Scheme};
use crate::store::Found;

/// A decision under way.
pub(super) struct Flow {
    shared: Arc<Shared>,
    step: Step,
    /// The request once its record has been judged.
    judged: Option<Judged>,
}

// Boxing the larger steps would cost every request an allocation.
#[allow(clippy::large_enum_variant)]
enum Step {
    /// The store is being asked.
    Find {
        lookup: Eventually<Found>,
        source: &'static CredentialSource,
        client: Client,
    },
    /// The limiter is being asked.
    Charge {
        purpose: Purpose,
        charge: Eventually<Result<Verdict, LimiterError>>,
    },
    /// The request waits for a place on its route.
    Queue(Pin<Box<dyn Future<Output = Option<Permit>> + Send>>),
    /// All is said; taken once.
    Done(Option<Outcome>),
}

/// Why the limiter is being asked.
enum Purpose {
    /// To say on a refusal how the account stands.
    Report(Denial),
    /// To see that there is room before the request takes a place, or queues for one; nothing is
    /// taken yet, so a request that finds no place has cost nothing.
    BeforePlace(Concurrency),
    /// To take the cost of the request.
    Take,
}

/// A request whose record was judged.
struct Judged {
    passage: Passage,
    /// The proof that it passed; none if it was refused.
    cleared: Option<Cleared>,
    permit: Option<Permit>,
    own_header: Option<HeaderName>,
}

impl Flow {
    /// Reads the request and asks the store, if there is a key to ask for.
    pub(super) fn begin<B>(shared: Arc<Shared>, request: &Request<B>) -> Self {
        let policy = &shared.policy;
        let client = policy.client(connection(request), request.headers());
        let step = match policy.admit(Head::of(request), client) {
            Ok(Admission::Key(digest, source)) => Step::Find {
                lookup: shared.store.find(&digest),
                source,
                client,
            },
            Ok(Admission::Anonymous(budget)) => admitted(Admitted {
                budget,
                ..Admitted::default()
            }),
            Err(denial) => {
                if denial == Denial::InsecureTransport
                    && let Some(digest) = policy.exposed_key(request.headers())
                {
                    shared.observer.key_exposed(&digest);
                }
                refused(&shared, denial, None)
            }
        };
        Self {
            shared,
            step,
            judged: None,
        }
    }

    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Goes on until something has to wait. Pending for ever once the outcome was taken.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, head: Head<'_>) -> Poll<Outcome> {
        loop {
            self.step = match &mut self.step {
                Step::Find {
                    lookup,
                    source,
                    client,
                } => {
                    let found = ready!(Pin::new(lookup).poll(context));
                    let (source, client) = (*source, *client);
                    self.found(found, source, client, head)
                }
                Step::Charge { purpose, charge } => {
                    let charged = ready!(Pin::new(charge).poll(context));
                    let purpose = mem::replace(purpose, Purpose::Take);
                    self.charged(purpose, charged)
                }
                Step::Queue(wait) => {
                    let permit = ready!(wait.as_mut().poll(context));
                    self.placed(permit)
                }
                Step::Done(outcome) => return outcome.take().map_or(Poll::Pending, Poll::Ready),
            };
        }
    }

    /// Judges the record that the store found.
    fn found(
        &mut self,
        found: Found,
        source: &'static CredentialSource,
        client: Client,
        head: Head<'_>,
    ) -> Step {
        let shared = &*self.shared;
        let record = match found {
            Ok(Some(record)) => record,
            Ok(None) => return refused(shared, Denial::KeyUnknown, None),
            Err(error) => {
                shared.observer.store_failed(&error);
                return refused(shared, Denial::StoreUnavailable, None);
            }
        };
        let now = shared.clock.now();
        let judged = Case::new(&shared.policy, head, client, source, &record, now).judge();
        let (cleared, objection) = match judged {
            Ok(cleared) => (Some(cleared), None),
            Err(objection) if objection.authenticated => (None, Some(objection)),
            Err(objection) => return refused(shared, objection.denial, None),
        };
        let route = match (&cleared, &objection) {
            (Some(cleared), _) => cleared.route(),
            (None, objection) => objection.as_ref().and_then(|objection| objection.route),
        };
        let own_header = match source.scheme {
            Scheme::Header(name) => Some(HeaderName::from_static(name)),
            Scheme::Basic(_) | Scheme::Bearer => None,
        };
        let concurrency = shared
            .policy
            .route(route)
            .and_then(|route| route.concurrency);
        self.judged = Some(Judged {
            passage: Passage {
                record,
                route,
                verdict: None,
                now,
            },
            cleared,
            permit: None,
            own_header,
        });
        self.ask(match (objection, concurrency) {
            (Some(objection), _) => Purpose::Report(objection.denial),
            (None, Some(rule)) => Purpose::BeforePlace(rule),
            (None, None) => Purpose::Take,
        })
    }

    /// Asks the limiter, unless there is nothing to count.
    fn ask(&mut self, purpose: Purpose) -> Step {
        let shared = &*self.shared;
        let Some(Judged { passage, .. }) = &self.judged else {
            return Step::Done(None);
        };
        let quotas = shared.policy.quotas(&passage.record, passage.route);
        let silent = matches!(purpose, Purpose::Report(_)) && !shared.renderer.speaks_of_limits();
        let charge = match &shared.limits {
            _ if quotas.is_empty() || silent => Eventually::now(Ok(Verdict::passed())),
            Limits::Off => Eventually::now(Ok(Verdict::passed())),
            Limits::Unset => Eventually::now(Err(LimiterError::new("no limiter is configured"))),
            Limits::Counted(limiter, _) => limiter.charge(Charge {
                account: passage.record.account().id(),
                key: passage.record.id(),
                quotas,
                cost: u32::from(!matches!(purpose, Purpose::Report(_))),
                commit: matches!(purpose, Purpose::Take),
                now: passage.now,
            }),
        };
        Step::Charge { purpose, charge }
    }

    /// Goes on with the limiter's verdict.
    fn charged(&mut self, purpose: Purpose, charged: Result<Verdict, LimiterError>) -> Step {
        let shared = &*self.shared;
        let Some(mut judged) = self.judged.take() else {
            return Step::Done(None);
        };
        let verdict = match (charged, &purpose) {
            (Ok(verdict), _) => verdict,
            (Err(error), purpose) => {
                let allow = matches!(shared.limits, Limits::Counted(_, OnLimiterFailure::Allow));
                shared.observer.limiter_failed(&error, allow);
                if !allow && !matches!(purpose, Purpose::Report(_)) {
                    return refused(shared, Denial::LimiterUnavailable, Some(judged.passage));
                }
                Verdict::passed()
            }
        };
        judged.passage.verdict = Some(verdict);
        match purpose {
            Purpose::Report(denial) => refused(shared, denial, Some(judged.passage)),
            Purpose::BeforePlace(rule) => match verdict.retry_after() {
                Some(retry_after) => {
                    let denial = Denial::RateLimited { retry_after };
                    refused(shared, denial, Some(judged.passage))
                }
                None => self.enter(judged, rule),
            },
            Purpose::Take => granted(shared, judged, verdict),
        }
    }

    /// Takes a place on the route, or queues for one.
    fn enter(&mut self, judged: Judged, rule: Concurrency) -> Step {
        let passage = &judged.passage;
        let account = passage.record.account().id();
        let place = self
            .shared
            .places
            .enter(account, passage.route.unwrap_or(0), rule);
        self.judged = Some(judged);
        match place {
            Place::Free(permit) => self.placed(Some(permit)),
            Place::Refused => self.placed(None),
            Place::Queued(ticket) => Step::Queue(Box::pin(ticket.wait(rule))),
        }
    }

    /// Takes the cost of a request that found its place.
    fn placed(&mut self, permit: Option<Permit>) -> Step {
        let Some(mut judged) = self.judged.take() else {
            return Step::Done(None);
        };
        if permit.is_none() {
            return refused(
                &self.shared,
                Denial::ConcurrencyExceeded,
                Some(judged.passage),
            );
        }
        judged.permit = permit;
        // It may have queued for a while.
        judged.passage.now = self.shared.clock.now();
        self.judged = Some(judged);
        self.ask(Purpose::Take)
    }
}

fn refused(shared: &Shared, denial: Denial, passage: Option<Passage>) -> Step {
    let record = passage.as_ref().map(|passage| &*passage.record);
    shared.observer.refused(&denial, record);
    Step::Done(Some(Outcome::Refused { denial, passage }))
}

fn granted(shared: &Shared, judged: Judged, verdict: Verdict) -> Step {
    let Judged {
        passage,
        cleared,
        permit,
        own_header,
    } = judged;
    let Some(cleared) = cleared else {
        return Step::Done(None);
    };
    match cleared.grant(verdict) {
        Err(denial) => refused(shared, denial, Some(passage)),
        Ok(grant) => admitted(Admitted {
            grant: Some(grant),
            budget: shared
                .policy
                .route(passage.route)
                .and_then(|route| route.budget),
            passage: Some(passage),
            permit,
            own_header,
        }),
    }
}

const fn admitted(admitted: Admitted) -> Step {
    Step::Done(Some(Outcome::Admitted(admitted)))
}
