//! The settings that stay until a restart.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use super::gateway::GatewaySettings;
use super::period::Period;
use crate::Problem;

/// The settings that stay until a restart: the addresses, and how connections are accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FixedSettings {
    listeners: Vec<(SocketAddr, bool, NonZeroUsize, Period)>,
    admin: Option<SocketAddr>,
}

impl FixedSettings {
    pub(crate) fn of(settings: &GatewaySettings) -> Self {
        let listeners = settings.listeners.iter().map(|listener| {
            let has_tls = listener.tls.is_some();
            (listener.address, has_tls, listener.max_connections, listener.header_timeout)
        });
        let admin = settings.admin.as_ref().map(|admin| admin.address);
        Self { listeners: listeners.collect(), admin }
    }

    /// Refuses settings that need a restart.
    ///
    /// # Errors
    ///
    /// [`Problem`] with the field.
    pub(crate) fn refuse_change(&self, settings: &GatewaySettings) -> Result<(), Problem> {
        let new = Self::of(settings);
        if new.listeners != self.listeners {
            let problem = "only certificates can change without a restart";
            return Err(Problem::new("listeners", problem));
        }
        if new.admin != self.admin {
            return Err(Problem::new("admin", "it cannot change without a restart"));
        }
        Ok(())
    }
}
