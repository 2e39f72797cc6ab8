//! The gateway as a whole: it starts, reloads and ends.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower_api_key_front_door::{LiveFrontDoor, ManagementDoor};
use tracing::{info, warn};

use crate::check::{check, check_management};
use crate::drain::Drain;
use crate::forward::Routing;
use crate::front_door::FrontDoor;
use crate::in_force::{Current, InForce};
use crate::listen::{Certificate, Listener, Server};
use crate::readiness::Readiness;
use crate::settings::{FixedSettings, GatewaySettings, ListenerSettings};
use crate::{Problem, admin};

/// A gateway that serves.
pub struct Gateway {
    settings: GatewaySettings,
    front_door: FrontDoor,
    current: Current,
    certificates: Vec<Option<Arc<Certificate>>>,
    addresses: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
    /// Ends the listeners.
    closing: CancellationToken,
    drain: Drain,
    readiness: Arc<Readiness>,
}

impl Gateway {
    /// Opens all addresses, and begins to serve.
    ///
    /// # Errors
    ///
    /// [`Problem`] with the field that is wrong, or the address that cannot be had.
    pub async fn start(settings: GatewaySettings, front_door: FrontDoor) -> Result<Self, Problem> {
        check(&settings)?;
        let management = front_door.management();
        check_management(&settings, management.as_ref())?;
        let routing = Arc::new(Routing::new(&settings, None)?);
        let in_force = InForce { gate: front_door.gate(), routing, management };
        let current = Arc::new(ArcSwap::from_pointee(in_force));
        let drain = Drain::default();
        let server = Server { current: Arc::clone(&current), drain: drain.clone() };
        let closing = CancellationToken::new();
        let readiness = Arc::new(Readiness::new(front_door.clone(), Arc::clone(&current)));

        let mut listeners = Vec::with_capacity(settings.listeners.len());
        for (at, listener) in settings.listeners.iter().enumerate() {
            listeners.push(Listener::open(listener).await.map_err(|problem| within(at, problem))?);
        }
        let admin = match &settings.admin {
            None => None,
            Some(admin) => Some(TcpListener::bind(admin.address).await.map_err(|error| {
                Problem::new("admin.address", format!("cannot listen on it: {error}"))
            })?),
        };
        let address = |error: std::io::Error| Problem::new("listeners", error.to_string());
        let addresses = listeners.iter().map(Listener::address).collect::<Result<Vec<_>, _>>();
        let admin_address = admin.as_ref().map(TcpListener::local_addr).transpose();
        let gateway = Self {
            certificates: listeners.iter().map(Listener::certificate).collect(),
            addresses: addresses.map_err(address)?,
            admin: admin_address.map_err(address)?,
            settings,
            front_door,
            current,
            closing,
            drain,
            readiness,
        };
        for listener in listeners {
            tokio::spawn(listener.accept(server.clone(), gateway.closing.clone()));
        }
        if let Some(admin) = admin {
            tokio::spawn(admin::serve(admin, Arc::clone(&gateway.readiness)));
        }
        Ok(gateway)
    }

    /// Returns the addresses of the listeners, in the order of the settings.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns the address for probes of health.
    pub const fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Lists the files of the settings that can change while the gateway serves.
    pub fn files(&self) -> Vec<PathBuf> {
        let pairs = self.settings.listeners.iter().filter_map(|listener| listener.tls.as_ref());
        let pairs = pairs.flat_map(|tls| [tls.certificate.clone(), tls.private_key.clone()]);
        let upstreams =
            self.settings.upstreams.values().filter_map(|upstream| upstream.tls.as_ref());
        pairs.chain(upstreams.filter_map(|tls| tls.authorities.clone())).collect()
    }

    /// Returns the settings that are in force.
    pub const fn settings(&self) -> &GatewaySettings {
        &self.settings
    }

    /// Serves by other settings from now on, and by the front door that is in force, all of them or none. Requests that have
    /// begun keep theirs. Upstreams that have not changed keep their connections.
    ///
    /// # Errors
    ///
    /// [`Problem`] with the field that is wrong. Then the settings and the front door in force stay.
    pub fn reload(&mut self, settings: GatewaySettings) -> Result<(), Problem> {
        let prepared = self.prepare(settings, self.front_door.management().as_ref())?;
        self.take(prepared);
        Ok(())
    }

    /// Follows a front door's file: serves by it from now on, or changes nothing. Returns false if nothing has changed, and
    /// `again` does not ask for it.
    ///
    /// # Errors
    ///
    /// The mistake of the file, or what does not open. Then all that served before stays, events and webhooks included.
    pub async fn follow(
        &mut self,
        live: &LiveFrontDoor<GatewaySettings>,
        again: bool,
    ) -> Result<bool, Box<dyn Error + Send + Sync>> {
        let next = live.prepare_reload().await?;
        let is_same = !next.is_changed() && *next.settings() == self.settings;
        if is_same && !again {
            return Ok(false);
        }
        let prepared = self.prepare(next.settings().clone(), next.management().as_ref())?;
        // Nothing fails from here on. The front door's part decides nothing before the gateway takes it over.
        next.take().await;
        self.take(prepared);
        Ok(true)
    }

    /// Does all of a reload that can fail.
    fn prepare(
        &self,
        settings: GatewaySettings,
        management: Option<&ManagementDoor>,
    ) -> Result<PreparedGateway, Problem> {
        FixedSettings::of(&self.settings).refuse_change(&settings)?;
        check_management(&settings, management)?;
        let routing = Arc::new(Routing::new(&settings, Some(&self.current.load().routing))?);
        let pairs = pairs(&settings.listeners)?;
        Ok(PreparedGateway { settings, routing, pairs })
    }

    fn take(&mut self, prepared: PreparedGateway) {
        let PreparedGateway { settings, routing, pairs } = prepared;
        for (certificate, pair) in self.certificates.iter().zip(pairs) {
            if let Some((certificate, pair)) = certificate.as_ref().zip(pair) {
                certificate.replace(pair);
            }
        }
        let management = self.front_door.management();
        let in_force = InForce { gate: self.front_door.gate(), routing, management };
        self.current.store(Arc::new(in_force));
        self.settings = settings;
    }

    /// Ends: `/readyz` fails, listeners close, clients are asked to leave, and requests and sockets in flight may end
    /// within the time of the settings. Returns true if all of them did.
    pub async fn end(self) -> bool {
        self.readiness.begin_to_end();
        if let Some(delay) = self.settings.drain.delay {
            sleep(delay.get()).await;
        }
        self.closing.cancel();
        self.drain.begin();
        info!("ending: no more connections are accepted");
        let limit = self.settings.drain.timeout.get();
        let is_done = timeout(limit, self.drain.ended()).await.is_ok();
        if !is_done {
            let open = self.drain.open();
            warn!(open, "what did not end within {} seconds is cut off", limit.as_secs());
        }
        is_done
    }
}

/// Settings that were checked and built, and are not in force yet.
struct PreparedGateway {
    settings: GatewaySettings,
    routing: Arc<Routing>,
    pairs: Vec<Option<Arc<ServerConfig>>>,
}

/// Reads the certificates of all listeners.
pub(crate) fn pairs(
    listeners: &[ListenerSettings],
) -> Result<Vec<Option<Arc<ServerConfig>>>, Problem> {
    let read = |(at, listener): (usize, &ListenerSettings)| {
        let pair = listener.tls.as_ref().map(Certificate::read).transpose();
        pair.map_err(|problem| within(at, problem))
    };
    listeners.iter().enumerate().map(read).collect()
}

fn within(listener: usize, problem: Problem) -> Problem {
    problem.within(&format!("listeners[{listener}]"))
}
