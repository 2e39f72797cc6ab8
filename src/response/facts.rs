//! What a response reports: of a request, of its key, and of a refusal.

use http::{Method, StatusCode};

use super::by_path::TableIndex;
use super::form::AnswerForm;
use crate::caller::Caller;
use crate::clock::Timestamp;
use crate::error::Denial;
use crate::profile::{ExceededQuotas, Refusal};
use crate::quota::{AppliedQuotas, Verdict};
use crate::request::{Head, RequestId};

/// The facts that every response to an authenticated or counted request reports, refusals included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Authenticated<'a> {
    /// The key of the request, or the network of an anonymous one.
    pub(crate) caller: Caller<'a>,
    pub(crate) quotas: AppliedQuotas<'a>,
    pub(crate) verdict: Option<&'a Verdict>,
    pub(crate) now: Timestamp,
    /// The cost that the request asked of its quotas.
    pub(crate) cost: u32,
    /// How many requests of the account are in flight on the route, if that is counted.
    pub(crate) in_flight: Option<u32>,
    /// Whether the route sends limit headers.
    pub(crate) shows_limits: bool,
}

/// What is kept of a request for the answer to it, because the inner service may have the request by then. Only
/// gates whose answers speak of the request keep it.
#[derive(Debug, Clone)]
pub(crate) struct RequestFacts {
    /// The method, and the path that the client sent, without the query.
    pub(crate) target: Option<(Method, Box<str>)>,
    pub(crate) id: Option<RequestId>,
}

impl RequestFacts {
    /// Copies the facts of a request. The target is left out if no answer has it.
    pub(crate) fn new(head: &Head<'_>, has_target: bool, id: Option<RequestId>) -> Self {
        let target = has_target.then(|| (head.method.clone(), head.path.into()));
        Self { target, id }
    }
}

/// What the answers of a profile may show, so that the gate must keep it or read it again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ShownFacts {
    /// The method or the path of the request.
    pub(super) request: bool,
    /// A part of the presented key.
    pub(super) key: bool,
}

/// All facts of a refusal.
#[derive(Clone, Copy)]
pub(crate) struct RefusalFacts<'a> {
    pub(crate) denial: &'a Denial,
    pub(crate) form: AnswerForm,
    /// The answers for the path of the request.
    pub(crate) table: TableIndex,
    pub(crate) request: Option<&'a RequestFacts>,
    pub(crate) authenticated: Option<Authenticated<'a>>,
    /// How many simultaneous requests the route admits, if it limits them.
    pub(crate) simultaneous: Option<u32>,
    /// When the key expired, if it is refused for that.
    pub(crate) expired_at: Option<Timestamp>,
    /// The presented key without its secret part, if an answer may show it.
    pub(crate) masked_key: Option<&'a str>,
}

impl<'a> RefusalFacts<'a> {
    /// Returns the facts of a refusal without a request.
    pub(crate) fn of(denial: &'a Denial, form: AnswerForm) -> Self {
        Self {
            denial,
            form,
            table: TableIndex::default(),
            request: None,
            authenticated: None,
            simultaneous: None,
            expired_at: None,
            masked_key: None,
        }
    }

    /// Returns the facts that a profile may write into its answer.
    pub(super) fn refusal(
        &self,
        status: StatusCode,
        retry_after: Option<u64>,
        documentation_url: Option<&'a str>,
    ) -> Refusal<'a> {
        let target = self.request.and_then(|request| request.target.as_ref());
        let path = target.map(|(_, path)| &**path);
        Refusal {
            denial: self.denial,
            status,
            retry_after,
            method: target.map(|(method, _)| method),
            // Empty for a path that nobody can know: see `Head::of`.
            path: path.filter(|path| !path.is_empty()),
            record: self.authenticated.and_then(|authenticated| authenticated.caller.record()),
            exceeded: self.authenticated.and_then(|it| it.exceeded(self.denial)),
            request_id: self.request.and_then(|request| request.id.as_ref()).map(RequestId::as_str),
            documentation_url,
            simultaneous: self.simultaneous.filter(|_| *self.denial == Denial::ConcurrencyExceeded),
            // A network that failed too often must not learn this of a key.
            expired_at: self.expired_at.filter(|_| *self.denial == Denial::KeyExpired),
            masked_key: self.masked_key,
        }
    }
}

impl<'a> Authenticated<'a> {
    /// Returns the quotas and their verdict, if they refused the request.
    fn exceeded(&self, denial: &Denial) -> Option<ExceededQuotas<'a>> {
        let verdict = self.verdict.filter(|verdict| verdict.retry_after().is_some())?;
        let refused = matches!(denial, Denial::RateLimited { .. });
        refused.then_some(ExceededQuotas { quotas: self.quotas, verdict, cost: self.cost })
    }
}
