//! The way of one request through the decision. What must wait is a step of its own; what need
//! not, goes on at once, so a request whose store and limiter are in memory never waits at all.

use std::future::Future;
use std::mem;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

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
    Find { lookup: Eventually<Found>, source: &'static CredentialSource, client: Client },
    /// The limiter is being asked.
    Charge { purpose: Purpose, charge: Eventually<Result<Verdict, LimiterError>> },
    /// The request waits for a place on its route.
    Queue(Pin<Box<dyn Future<Output = Option<Permit>> + Send>>),
    /// All was said before the store was asked: the request passes without a key, within this
    /// budget, or does not.
    Settled(Result<Option<Duration>, Denial>),
    /// The outcome was taken.
    Done,
}

/// What follows a step: another one, or the outcome. It is handed on and never kept, for it is
/// large, and to move it costs more than most steps.
type Next = ControlFlow<Outcome, Step>;

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
            Ok(Admission::Key(digest, source)) => {
                Step::Find { lookup: shared.store.find(&digest), source, client }
            }
            Ok(Admission::Anonymous(budget)) => Step::Settled(Ok(budget)),
            Err(denial) => {
                // Nobody else needs the digest of a key that is refused unseen.
                if denial == Denial::InsecureTransport
                    && shared.observed
                    && let Some(digest) = policy.exposed_key(request.headers())
                {
                    shared.observer.key_exposed(&digest);
                }
                shared.observer.refused(&denial, None);
                Step::Settled(Err(denial))
            }
        };
        Self { shared, step, judged: None }
    }

    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Goes on until something has to wait. Pending for ever once the outcome was taken.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, head: Head<'_>) -> Poll<Outcome> {
        loop {
            let next = match &mut self.step {
                Step::Find { lookup, source, client } => {
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
                Step::Settled(settled) => {
                    ControlFlow::Break(match mem::replace(settled, Ok(None)) {
                        Ok(budget) => Outcome::Admitted(Admitted { budget, ..Admitted::default() }),
                        Err(denial) => Outcome::Refused { denial, passage: None },
                    })
                }
                Step::Done => return Poll::Pending,
            };
            match next {
                ControlFlow::Continue(step) => self.step = step,
                ControlFlow::Break(outcome) => {
                    self.step = Step::Done;
                    return Poll::Ready(outcome);
                }
            }
        }
    }

    /// Judges the record that the store found.
    fn found(
        &mut self,
        found: Found,
        source: &'static CredentialSource,
        client: Client,
        head: Head<'_>,
    ) -> Next {
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
        let concurrency = shared.policy.route(route).and_then(|route| route.concurrency);
        self.judged = Some(Judged {
            passage: Passage { record, route, verdict: None, now },
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
    fn ask(&mut self, purpose: Purpose) -> Next {
        let shared = &*self.shared;
        let Some(Judged { passage, .. }) = &self.judged else {
            return ControlFlow::Continue(Step::Done);
        };
        let quotas = shared.policy.quotas(&passage.record, passage.route);
        let silent = matches!(purpose, Purpose::Report(_)) && !shared.renderer.speaks_of_limits();
        let charged = match &shared.limits {
            _ if quotas.is_empty() || silent => Ok(Verdict::passed()),
            Limits::Off => Ok(Verdict::passed()),
            Limits::Unset => Err(LimiterError::new("no limiter is configured")),
            Limits::Counted(limiter, _) => {
                let charge = limiter.charge(Charge {
                    account: passage.record.account().id(),
                    key: passage.record.id(),
                    quotas,
                    cost: u32::from(!matches!(purpose, Purpose::Report(_))),
                    commit: matches!(purpose, Purpose::Take),
                    now: passage.now,
                });
                match charge.into_now() {
                    Ok(charged) => charged,
                    Err(charge) => return ControlFlow::Continue(Step::Charge { purpose, charge }),
                }
            }
        };
        self.charged(purpose, charged)
    }

    /// Goes on with the limiter's verdict.
    fn charged(&mut self, purpose: Purpose, charged: Result<Verdict, LimiterError>) -> Next {
        let shared = &*self.shared;
        let Some(mut judged) = self.judged.take() else {
            return ControlFlow::Continue(Step::Done);
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
        judged.passage.verdict = Some(verdict.clone());
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
    fn enter(&mut self, judged: Judged, rule: Concurrency) -> Next {
        let passage = &judged.passage;
        let account = passage.record.account().id();
        let place = self.shared.places.enter(account, passage.route.unwrap_or(0), rule);
        self.judged = Some(judged);
        match place {
            Place::Free(permit) => self.placed(Some(permit)),
            Place::Refused => self.placed(None),
            Place::Queued(ticket) => {
                ControlFlow::Continue(Step::Queue(Box::pin(ticket.wait(rule))))
            }
        }
    }

    /// Takes the cost of a request that found its place.
    fn placed(&mut self, permit: Option<Permit>) -> Next {
        let Some(mut judged) = self.judged.take() else {
            return ControlFlow::Continue(Step::Done);
        };
        if permit.is_none() {
            return refused(&self.shared, Denial::ConcurrencyExceeded, Some(judged.passage));
        }
        judged.permit = permit;
        // It may have queued for a while.
        judged.passage.now = self.shared.clock.now();
        self.judged = Some(judged);
        self.ask(Purpose::Take)
    }
}

fn refused(shared: &Shared, denial: Denial, passage: Option<Passage>) -> Next {
    let record = passage.as_ref().map(|passage| &*passage.record);
    shared.observer.refused(&denial, record);
    ControlFlow::Break(Outcome::Refused { denial, passage })
}

fn granted(shared: &Shared, judged: Judged, verdict: Verdict) -> Next {
    let Some(cleared) = judged.cleared else {
        return ControlFlow::Continue(Step::Done);
    };
    let Passage { route, now, .. } = judged.passage;
    match cleared.grant(verdict) {
        Err(denial) => refused(shared, denial, Some(judged.passage)),
        Ok(grant) => ControlFlow::Break(Outcome::Admitted(Admitted {
            grant: Some(grant),
            route,
            now,
            permit: judged.permit,
            budget: shared.policy.route(route).and_then(|route| route.budget),
            own_header: judged.own_header,
        })),
    }
}
