//! A permit that was asked for: refused, or held until it is dropped.

use std::sync::Arc;

use super::keeper::LeaseKeeper;
use crate::failure::Failure;

/// Holds a permit. Dropped without a word from the server, it is given back like one that was taken: the
/// question may have been carried out.
pub(super) struct Held {
    keeper: Arc<LeaseKeeper>,
    key: Arc<str>,
    number: u64,
    state: PermitState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PermitState {
    Asked,
    Taken,
    Refused,
}

impl Held {
    /// Names a permit that is to be asked for.
    pub(super) fn new(keeper: &Arc<LeaseKeeper>, key: &Arc<str>) -> Result<Self, Failure> {
        let number = keeper.next_permit()?;
        let (keeper, key) = (Arc::clone(keeper), Arc::clone(key));
        Ok(Self { keeper, key, number, state: PermitState::Asked })
    }

    /// Returns the permit's name, which no other has.
    pub(super) fn permit(&self) -> String {
        self.keeper.server.permit(self.number)
    }

    /// Notes that the permit was taken; from now on it is renewed.
    pub(super) fn taken(mut self) -> Self {
        self.keeper.hold(&self.key, self.number);
        self.state = PermitState::Taken;
        self
    }

    /// Notes that there was none.
    pub(super) fn refused(mut self) {
        self.state = PermitState::Refused;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.state != PermitState::Refused {
            self.keeper.give_back(&self.key, self.number);
        }
    }
}
