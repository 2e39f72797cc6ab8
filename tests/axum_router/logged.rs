//! A handler outside of any gate is logged, and nothing else is.

use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use http::Method;
use tower_api_key::ApiKeyLayer;

use super::{send, whose};
use crate::support::{PROFILE, anonymous, request, store};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

#[tokio::test]
async fn a_handler_outside_of_any_gate_is_logged_as_an_error() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());

    let routes = || Router::new().route("/whose", get(whose));
    assert_eq!(send(&routes(), request(Method::GET, "/whose")).await.status(), 500);
    let line = log.take();
    assert!(line.contains("ERROR tower_api_key::service::axum"), "{line}");
    assert!(line.contains("no API-key gate wraps it"), "{line}");

    let gate = ApiKeyLayer::builder(PROFILE, store(|key| key)).optional().build().unwrap();
    let gated = routes().layer(gate);
    assert_eq!(send(&gated, request(Method::GET, "/whose")).await.status(), 200);
    // The client has no key: that is no mistake of the program.
    assert_eq!(send(&gated, anonymous(Method::GET, "/whose")).await.status(), 401);
    assert_eq!(log.take(), "");
}
