//! The gateway as a whole: it starts, reloads and ends.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

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
        check_management(&settings, &front_door)?;
        let routing = Arc::new(Routing::new(&settings, None)?);
        let management = front_door.management();
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

    /// Serves by other settings from now on, and by the front door of the file that was read last, all of them or none.
    /// Requests that have begun keep theirs. Upstreams that have not changed keep their connections.
    ///
    /// # Errors
    ///
    /// [`Problem`] with the field that is wrong. Then the settings and the front door in force stay.
    pub fn reload(&mut self, settings: GatewaySettings) -> Result<(), Problem> {
        FixedSettings::of(&self.settings).refuse_change(&settings)?;
        check_management(&settings, &self.front_door)?;
        let routing = Arc::new(Routing::new(&settings, Some(&self.current.load().routing))?);
        let pairs = pairs(&settings.listeners)?;
        let management = self.front_door.management();
        let in_force = InForce { gate: self.front_door.gate(), routing, management };
        // Nothing fails from here on.
        for (certificate, pair) in self.certificates.iter().zip(pairs) {
            if let Some((certificate, pair)) = certificate.as_ref().zip(pair) {
                certificate.replace(pair);
            }
        }
        self.current.store(Arc::new(in_force));
        self.settings = settings;
        Ok(())
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

/// Checks settings without serving by them: names, addresses, and the files of TLS.
///
/// # Errors
///
/// [`Problem`] with the field that is wrong.
pub fn check(settings: &GatewaySettings) -> Result<(), Problem> {
    if settings.listeners.is_empty() {
        return Err(Problem::new("listeners", "name at least one address"));
    }
    pairs(&settings.listeners)?;
    Routing::new(settings, None).map(drop)
}

/// Checks settings beside the front door of the same file: no route lies where the file's management is served.
///
/// # Errors
///
/// [`Problem`] with the route that no request would reach.
pub fn check_management(settings: &GatewaySettings, front_door: &FrontDoor) -> Result<(), Problem> {
    let Some(management) = front_door.management() else { return Ok(()) };
    for (at, route) in settings.routes.iter().enumerate() {
        let taken = match (management.host(), &route.host) {
            (Some(own), Some(host)) if own.eq_ignore_ascii_case(host) => Some("host"),
            (None, _) if management.takes("", route.path.trim_end_matches('/')) => Some("path"),
            _ => None,
        };
        if let Some(field) = taken {
            let problem = "no request would reach this route, because `[management]` is served there: write another \
                one, or move management";
            return Err(Problem::new(field, problem).within(&format!("routes[{at}]")));
        }
    }
    Ok(())
}

/// Reads the certificates of all listeners.
fn pairs(listeners: &[ListenerSettings]) -> Result<Vec<Option<Arc<ServerConfig>>>, Problem> {
    let read = |(at, listener): (usize, &ListenerSettings)| {
        let pair = listener.tls.as_ref().map(Certificate::read).transpose();
        pair.map_err(|problem| within(at, problem))
    };
    listeners.iter().enumerate().map(read).collect()
}

fn within(listener: usize, problem: Problem) -> Problem {
    problem.within(&format!("listeners[{listener}]"))
}
