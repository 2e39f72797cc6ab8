//! The accounts with limits, and what vendors.md says of them.

use std::sync::Arc;
use std::time::Duration;

use crate::journal::Journal;
use crate::limit::Limit;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// The accounts with limits.
pub(crate) struct Journals {
    pub(crate) inserts: Arc<Journal>,
    pub(crate) slow_inserts: Arc<Journal>,
    pub(crate) rest: Arc<Journal>,
    pub(crate) tight: Arc<Journal>,
    pub(crate) globex: Arc<Journal>,
    pub(crate) initech: Arc<Journal>,
    pub(crate) acme: Arc<Journal>,
    pub(crate) umbrella: Arc<Journal>,
}

impl Journals {
    pub(crate) fn new() -> Self {
        let of = |name, limits| Arc::new(Journal::new(name, limits));
        let window = |most, length| Limit::Window { most, length };
        let place = || vec![Limit::Place { queue: Duration::from_secs(1) }];
        let bucket = || vec![Limit::Bucket { most: 300, length: MINUTE }];
        Self {
            inserts: of("inserts of personyze-acme", place()),
            slow_inserts: of("inserts of personyze-globex", place()),
            rest: of("rest-acme", vec![window(100, MINUTE), window(5_000, HOUR)]),
            tight: of("tight", vec![window(3, MINUTE), window(5, HOUR)]),
            globex: of("org_globex", bucket()),
            initech: of("org_initech", bucket()),
            acme: of("org_acme", bucket()),
            umbrella: of("org_umbrella", bucket()),
        }
    }

    /// Lists the accounts that are asked for more than they may have.
    pub(crate) fn pressed(&self) -> [&Journal; 5] {
        [&self.slow_inserts, &self.rest, &self.tight, &self.globex, &self.initech]
    }

    pub(crate) fn all(&self) -> [&Journal; 8] {
        let Self { inserts, slow_inserts, rest, tight, globex, initech, acme, umbrella } = self;
        [inserts, slow_inserts, rest, tight, globex, initech, acme, umbrella]
            .map(|journal| &**journal)
    }
}
