//! A permit that this process has asked for.

use std::sync::Arc;

use super::keeper::LeaseKeeper;
use crate::failure::Failure;

/// A permit that this process has asked for. When it is dropped, it is given back, unless the server refused
/// it. Without an answer it is given back as well, because the server may have granted it.
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
    /// Creates a permit that the server has not granted yet.
    pub(super) fn new(keeper: &Arc<LeaseKeeper>, key: &Arc<str>) -> Result<Self, Failure> {
        let number = keeper.next_permit()?;
        let (keeper, key) = (Arc::clone(keeper), Arc::clone(key));
        Ok(Self { keeper, key, number, state: PermitState::Asked })
    }

    /// Returns the unique name of the permit.
    pub(super) fn permit(&self) -> String {
        self.keeper.server.permit(self.number)
    }

    /// Called when the server granted the permit. The keeper renews it from now on.
    pub(super) fn taken(mut self) -> Self {
        self.keeper.hold(&self.key, self.number);
        self.state = PermitState::Taken;
        self
    }

    /// Called when the server refused the permit.
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
