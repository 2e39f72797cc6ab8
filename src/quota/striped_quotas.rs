//! Quotas that every request of a gate holds: behind several counts, one for each [`stripe`].

use std::sync::Arc;

use super::quota::Quota;
use super::quotas::Quotas;
use crate::sync::{STRIPES, stripe};

/// Quotas of which each thread holds a count of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct StripedQuotas {
    all: Quotas,
    // None if there are no quotas, so that nothing is counted for them.
    stripes: Option<Arc<[HeldQuotas; STRIPES]>>,
}

/// Quotas as one request holds them.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeldQuotas(Option<Arc<QuotaStripe>>);

/// A count for itself, not beside another's.
#[derive(Debug)]
#[repr(align(64))]
struct QuotaStripe(Quotas);

impl StripedQuotas {
    /// Returns the quotas in the order given.
    pub(crate) fn as_slice(&self) -> &[Quota] {
        self.all.as_slice()
    }

    /// Returns the set itself.
    pub(crate) const fn quotas(&self) -> &Quotas {
        &self.all
    }

    /// Holds the quotas by the count of this thread.
    pub(crate) fn hold(&self) -> HeldQuotas {
        let mine = self.stripes.as_ref().and_then(|stripes| stripes.get(stripe()));
        mine.cloned().unwrap_or_default()
    }
}

impl HeldQuotas {
    /// Returns the quotas in the order given.
    pub(crate) fn as_slice(&self) -> &[Quota] {
        self.0.as_ref().map_or(&[], |stripe| stripe.0.as_slice())
    }
}

impl From<Quotas> for StripedQuotas {
    fn from(all: Quotas) -> Self {
        let held = || HeldQuotas(Some(Arc::new(QuotaStripe(all.clone()))));
        let stripes =
            (!all.as_slice().is_empty()).then(|| Arc::new([(); STRIPES].map(|()| held())));
        Self { all, stripes }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn every_thread_holds_the_same_quotas() {
        let quotas = [Quota::by_day("day", 10), Quota::by_month("month", 100)];
        let striped = StripedQuotas::from(Quotas::new(quotas.clone()).unwrap());
        for _ in 0..2 * STRIPES {
            let striped = striped.clone();
            let held = thread::spawn(move || striped.hold()).join().unwrap();
            assert_eq!(held.as_slice(), quotas);
        }
        assert_eq!(striped.as_slice(), quotas);
        assert_eq!(striped.quotas().as_slice(), quotas);
    }

    #[test]
    fn no_quotas_take_no_count() {
        let striped = StripedQuotas::from(Quotas::default());
        assert!(striped.hold().0.is_none() && striped.hold().as_slice().is_empty());
    }
}
