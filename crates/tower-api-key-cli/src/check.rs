//! Runs `check`, which explains a request.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Request};
use secrecy::{ExposeSecret, SecretString};
use tower_api_key::ApiKeyLayer;
use tower_api_key::clock::{Clock, SystemClock};
use tower_api_key::key::KeyRecord;
use tower_api_key::request::Connection;
use tower_api_key::rules::Routes;
use tower_api_key::store::{KeyManager, MemoryStore};

use crate::arguments::Check;
use crate::failure::{Failure, REFUSED};
use crate::issue::hasher;
use crate::output::Output;
use crate::secret;

pub(crate) async fn run(
    store: &dyn KeyManager,
    question: Check,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let key = secret::read()?;
    let hasher = hasher(question.pepper_file.as_deref())?;
    let digest = hasher.digest(key.expose_secret().as_bytes());
    let found = store.find(&digest).await?;
    let record = found.map(|record| Arc::new(KeyRecord::clone(&record)));
    // The explanation asks no limiter, and the record is found already: an empty store is enough.
    let builder = ApiKeyLayer::builder(question.vendor.profile(), MemoryStore::new())
        .hasher(hasher)
        .without_limits()
        .routes(Routes::new().rows(question.vendor.routes()));
    let builder = match &question.audience {
        Some(audience) => builder.audience(audience),
        None => builder,
    };
    let request = request(&question, &key)?;
    let peer = SocketAddr::new(question.from, 0);
    let connection =
        if question.plain_http { Connection::plain(peer) } else { Connection::tls(peer) };
    let now = question.at.map_or_else(|| SystemClock.now(), |moment| moment.0);
    let explanation = builder.build()?.explain(&request, connection, record.as_deref(), now);
    output.explanation(&explanation)?;
    Ok(if explanation.decision().is_ok() { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}

fn request(question: &Check, key: &SecretString) -> Result<Request<()>, Failure> {
    let invalid = |problem: &str| Failure::Invalid(problem.to_owned());
    let mut request = Request::builder()
        .method(question.method.as_str())
        .uri(question.path.as_str())
        .body(())
        .map_err(|_| {
            invalid(
                "--method or --path is not valid in HTTP: write them like GET and /users?page=2",
            )
        })?;
    for line in &question.headers {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| invalid("--header has no colon: write \"NAME: VALUE\""))?;
        let name: HeaderName = name.trim().parse().map_err(|_| {
            invalid("the name in --header is not valid in HTTP: write one like x-request-id")
        })?;
        if name == AUTHORIZATION {
            return Err(invalid(
                "--header cannot set `authorization`: write the key to TOWER_API_KEY_KEY or standard input; \
                 `check` sends it as Bearer, or as Basic with --basic USER",
            ));
        }
        let value: HeaderValue = value.trim().parse().map_err(|_| {
            invalid("the value in --header is not valid in HTTP: write visible ASCII characters")
        })?;
        request.headers_mut().append(name, value);
    }
    let credential = match &question.basic {
        None => format!("Bearer {}", key.expose_secret()),
        Some(user) => {
            let pair = format!("{user}:{}", key.expose_secret());
            format!("Basic {}", STANDARD.encode(pair))
        }
    };
    let credential = HeaderValue::try_from(credential).map_err(|_| {
        invalid("the key cannot be sent in a header: remove its control characters")
    })?;
    request.headers_mut().insert(AUTHORIZATION, credential);
    Ok(request)
}
