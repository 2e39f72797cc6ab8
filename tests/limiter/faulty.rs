//! A limiter with one planted fault.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use tower_api_key::Reply;
use tower_api_key::caller::{Caller, ClientNetwork};
use tower_api_key::clock::Timestamp;
use tower_api_key::key::{Account, KeyRecord};
use tower_api_key::limits::{Charge, ChargeMode, Limiter, LimiterError, MemoryLimiter, Refund};
use tower_api_key::quota::{Algorithm, AppliedQuotas, Per, Quota, QuotaStatus, Verdict};

use crate::faults::Fault;
use crate::now;

/// Asks a sound limiter, but for one fault.
pub(crate) struct Faulty {
    inner: Mutex<Arc<MemoryLimiter>>,
    fault: Fault,
    last: Mutex<Timestamp>,
    routes: Mutex<Vec<String>>,
    refunded: Mutex<u32>,
}

impl Faulty {
    pub(crate) fn new(fault: Fault) -> Self {
        let last = Mutex::new(Timestamp::from_unix_seconds(0));
        Self {
            inner: Mutex::default(),
            fault,
            last,
            routes: Mutex::default(),
            refunded: Mutex::default(),
        }
    }

    fn ask(&self, charge: Charge<'_>) -> Verdict {
        static SHARED: LazyLock<Arc<MemoryLimiter>> = LazyLock::new(Arc::default);
        let limiter = match self.fault {
            Fault::LimitersShareCounters => Arc::clone(&SHARED),
            _ => Arc::clone(&self.inner.lock().unwrap()),
        };
        now(limiter.charge(charge)).unwrap()
    }

    fn forget(&self) {
        *self.inner.lock().unwrap() = Arc::default();
    }

    #[allow(clippy::too_many_lines)] // An arm for each fault.
    fn charged(&self, charge: Charge<'_>) -> Verdict {
        let Charge { caller, quotas, cost, mode, now } = charge;
        let earlier = {
            let mut last = self.last.lock().unwrap();
            let earlier = now < *last;
            if self.fault == Fault::TimeNeverGoesBack {
                *last = now.max(*last);
            } else {
                *last = now;
            }
            earlier.then_some(*last)
        };
        match self.fault {
            Fault::QuotasAreChargedOneByOne if mode == ChargeMode::IfAllowed => {
                let mut verdict = Verdict::passed();
                for (quota, is_route) in quotas.iter() {
                    let one = std::slice::from_ref(quota);
                    let quotas = if is_route {
                        AppliedQuotas { general: &[], route: one }
                    } else {
                        AppliedQuotas { general: one, route: &[] }
                    };
                    let told = self.ask(Charge { quotas, ..charge });
                    let status = told.statuses()[0];
                    if quota.is_in_shadow() {
                        verdict.push_in_shadow(status, told.would_refuse(0));
                    } else {
                        verdict.push(status);
                    }
                    if let Some(wait) = told.retry_after() {
                        verdict.refuse(wait);
                    }
                }
                verdict
            }
            Fault::RefusedRequestsCount | Fault::ACostIsTakenInPart
                if mode == ChargeMode::IfAllowed && cost > 0 =>
            {
                let verdict = self.ask(charge);
                if verdict.retry_after().is_some() {
                    let cost = if self.fault == Fault::RefusedRequestsCount { cost } else { 1 };
                    self.ask(Charge { cost, mode: ChargeMode::Force, ..charge });
                }
                verdict
            }
            Fault::AskingTakes if mode == ChargeMode::Peek => {
                self.ask(Charge { mode: ChargeMode::IfAllowed, ..charge })
            }
            Fault::LaterCostsAreRefused if mode == ChargeMode::Force => {
                self.ask(Charge { mode: ChargeMode::IfAllowed, ..charge })
            }
            Fault::CostsThatRunOverAreForgotten if mode == ChargeMode::Force => {
                let told = self.ask(Charge { cost: 0, mode: ChargeMode::Peek, ..charge });
                let left = told.statuses().iter().map(QuotaStatus::remaining).min();
                self.ask(Charge { cost: cost.min(left.unwrap_or(cost)), ..charge })
            }
            Fault::CostsOverflow => {
                self.ask(Charge { cost: if cost == u32::MAX { 0 } else { cost }, ..charge })
            }
            Fault::ResetsAreRounded => {
                let told = self.ask(charge);
                let mut verdict = Verdict::passed();
                for status in told.statuses() {
                    let reset = status.reset_after() + Duration::from_secs(1);
                    verdict.push(QuotaStatus::new(status.limit(), status.remaining(), reset));
                }
                if let Some(wait) = told.retry_after() {
                    verdict.refuse(wait);
                }
                verdict
            }
            Fault::KeysCountAsTheirAccount => {
                self.with(charge, |quota| quota.with_per(Per::Account))
            }
            Fault::AccountsCountTogether => {
                let Caller::Key(record) = caller else { return self.ask(charge) };
                let account = Arc::new(Account::builder("all").build().unwrap());
                let record = &KeyRecord::builder(record.id(), account).build().unwrap();
                self.ask(Charge { caller: Caller::Key(record), ..charge })
            }
            Fault::RoutesShareAccountsCounters => {
                let general = [quotas.general, quotas.route].concat();
                self.ask(Charge {
                    quotas: AppliedQuotas { general: &general, route: &[] },
                    ..charge
                })
            }
            Fault::APlanForgetsWhatWasUsed => self.with(charge, |quota| {
                let name = format!("{} {}", quota.name(), quota.limit());
                let changed = Quota::named(name, quota.limit(), quota.window());
                let changed = changed.with_algorithm(quota.algorithm()).with_per(quota.per());
                if quota.is_in_shadow() { changed.in_shadow() } else { changed }
            }),
            Fault::ShadowsRefuse => self.with(charge, |quota| {
                let lit = Quota::named(quota.name(), quota.limit(), quota.window());
                lit.with_algorithm(quota.algorithm()).with_per(quota.per())
            }),
            Fault::ShadowsCountNothing => {
                let dark = |quota: &Quota| quota.is_in_shadow();
                if mode == ChargeMode::IfAllowed && quotas.iter().any(|(quota, _)| dark(quota)) {
                    let sound = |quota: &&Quota| !dark(quota);
                    let general: Vec<_> = quotas.general.iter().filter(sound).cloned().collect();
                    let told = self.ask(charge_of(&general, charge));
                    let mut verdict = Verdict::passed();
                    let mut statuses = told.statuses().iter();
                    for quota in quotas.general {
                        let full = QuotaStatus::new(quota.limit(), quota.limit(), Duration::ZERO);
                        if quota.is_in_shadow() {
                            verdict.push_in_shadow(full, false);
                        } else {
                            verdict.push(*statuses.next().unwrap());
                        }
                    }
                    if let Some(wait) = told.retry_after() {
                        verdict.refuse(wait);
                    }
                    return verdict;
                }
                self.ask(charge)
            }
            Fault::DaysBeginWithTheFirstRequest => self.with(charge, |quota| {
                let algorithm = match quota.algorithm() {
                    Algorithm::CalendarDay | Algorithm::CalendarMonth => Algorithm::FixedWindow,
                    other => other,
                };
                quota.with_algorithm(algorithm)
            }),
            Fault::TimeNeverGoesBack => {
                let now = earlier.unwrap_or(now);
                self.ask(Charge { now, ..charge })
            }
            Fault::EarlierInstantsBeginAnew => {
                if earlier.is_some() {
                    self.forget();
                }
                self.ask(charge)
            }
            Fault::AnotherRouteForgetsTheRest => {
                let names = quotas.route.iter().map(|quota| quota.name().to_owned()).collect();
                let before = std::mem::replace(&mut *self.routes.lock().unwrap(), names);
                if before != *self.routes.lock().unwrap() {
                    self.forget();
                }
                self.ask(charge)
            }
            Fault::NetworksCountTogether if caller.record().is_none() => {
                self.ask(Charge { caller: Caller::Network(&ClientNetwork::UNKNOWN), ..charge })
            }
            Fault::NetworksAreNotCounted if caller.record().is_none() => {
                self.ask(Charge { cost: 0, ..charge })
            }
            Fault::NetworksCountAsAccounts => {
                let Caller::Network(network) = caller else { return self.ask(charge) };
                let account = Account::builder(network.to_string()).build().unwrap();
                let record = &KeyRecord::builder("key_1", account).build().unwrap();
                self.ask(Charge { caller: Caller::Key(record), ..charge })
            }
            Fault::NetworksTakeTheRoomOfAccounts if caller.record().is_none() => {
                let mut seen = self.routes.lock().unwrap();
                seen.push(String::new());
                if seen.len() == 2_000 {
                    self.forget();
                }
                self.ask(charge)
            }
            Fault::ThreadsRace if mode == ChargeMode::IfAllowed => {
                let told = self.ask(Charge { mode: ChargeMode::Peek, ..charge });
                std::thread::yield_now();
                if told.retry_after().is_some() {
                    return told;
                }
                self.ask(Charge { mode: ChargeMode::Force, ..charge })
            }
            Fault::DaysPassOneMore => self.with(charge, |quota| match quota.algorithm() {
                Algorithm::CalendarDay => Quota::by_day("calls", quota.limit() + 1),
                _ => quota,
            }),
            Fault::FixedIsSliding => self.with(charge, |quota| match quota.algorithm() {
                Algorithm::FixedWindow => quota.with_algorithm(Algorithm::SlidingWindow),
                _ => quota,
            }),
            Fault::SlidingIsFixed => self.with(charge, |quota| match quota.algorithm() {
                Algorithm::SlidingWindow => quota.with_algorithm(Algorithm::FixedWindow),
                _ => quota,
            }),
            Fault::RefundsRaiseTheLimit => self.with(charge, |quota| {
                let limit = quota.limit() + *self.refunded.lock().unwrap();
                Quota::named(quota.name(), limit, quota.window()).with_algorithm(quota.algorithm())
            }),
            _ => self.ask(charge),
        }
    }

    fn refunded(&self, refund: Refund<'_>) -> Verdict {
        let inner = Arc::clone(&self.inner.lock().unwrap());
        let (all, mut late) = (Verdict::passed(), refund.verdict.clone());
        let refund = match self.fault {
            Fault::RefundsAreLost => Refund { cost: 0, ..refund },
            Fault::RefundsOfNetworksAreLost if refund.charge.caller.record().is_none() => {
                Refund { cost: 0, ..refund }
            }
            Fault::RefundsIgnoreTheTime => {
                late.set_taken_at(refund.now);
                Refund { verdict: &late, ..refund }
            }
            Fault::RefundsReachShadows => Refund { verdict: &all, ..refund },
            _ => refund,
        };
        *self.refunded.lock().unwrap() += refund.cost;
        now(inner.refund(refund)).unwrap()
    }

    /// Asks with other quotas.
    fn with(&self, charge: Charge<'_>, change: impl Fn(Quota) -> Quota) -> Verdict {
        let change = |quotas: &[Quota]| quotas.iter().cloned().map(&change).collect::<Vec<_>>();
        let (general, route) = (change(charge.quotas.general), change(charge.quotas.route));
        self.ask(Charge { quotas: AppliedQuotas { general: &general, route: &route }, ..charge })
    }
}

fn charge_of<'a>(general: &'a [Quota], charge: Charge<'a>) -> Charge<'a> {
    Charge { quotas: AppliedQuotas { general, route: &[] }, ..charge }
}

impl Limiter for Faulty {
    fn charge(&self, charge: Charge<'_>) -> Reply<Result<Verdict, LimiterError>> {
        Reply::now(Ok(self.charged(charge)))
    }

    fn refunds(&self) -> bool {
        true
    }

    fn refund(&self, refund: Refund<'_>) -> Reply<Result<Verdict, LimiterError>> {
        Reply::now(Ok(self.refunded(refund)))
    }
}
