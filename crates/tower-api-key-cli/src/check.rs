//! Runs `check`, which explains a request.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Request};
use secrecy::{ExposeSecret, SecretString};
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::key::{Issuer, KeyHasher, KeyRecord};
use tower_api_key::request::Connection;
use tower_api_key::store::{KeyManager, ManageError};

use crate::failure::{Failure, REFUSED};
use crate::gate::Gate;
use crate::moment::Moment;
use crate::output::Output;
use crate::secret;
use crate::vendor::Vendor;

/// A request to explain.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Decide as the gate of this vendor
    #[arg(long, value_enum, required_unless_present = "config")]
    pub(crate) vendor: Option<Vendor>,
    /// Decide as the gate of this front door's file. The command looks the key up in the file's store, unless
    /// --store or TOWER_API_KEY_STORE names another
    #[arg(long, value_name = "FILE", conflicts_with = "vendor")]
    pub(crate) config: Option<PathBuf>,
    /// Allow one table more in the file of --config, which belongs to the program that serves it, as `gateway`
    #[arg(long, value_name = "NAME", conflicts_with = "vendor")]
    pub(crate) table: Option<String>,
    /// Explain a request with the newest secret of the key with this id, instead of reading a key
    #[arg(long, value_name = "ID", conflicts_with = "pepper_file")]
    pub(crate) id: Option<String>,
    /// Method of the request
    #[arg(long, default_value = "GET")]
    pub(crate) method: String,
    /// Path of the request, with its query
    #[arg(long, default_value = "/")]
    pub(crate) path: String,
    /// Header of the request, apart from `authorization`; repeatable
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// IP address of the client
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub(crate) from: IpAddr,
    /// Send the request over plain HTTP instead of HTTPS
    #[arg(long)]
    pub(crate) plain_http: bool,
    /// Send the key as the password of Basic authentication with this user name, instead of as a Bearer token
    #[arg(long, value_name = "USER")]
    pub(crate) basic: Option<String>,
    /// Send the key in this header, instead of as a Bearer token
    #[arg(long, value_name = "NAME", conflicts_with = "basic")]
    pub(crate) key_header: Option<String>,
    /// Decide as a gate with this audience [default: a gate without an audience]
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    pub(crate) audience: Option<String>,
    /// Decide at this time, such as 2027-01-31T12:00:00Z or "in 90 days" [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Moment>,
    /// Digest the key with the pepper in this file; it must be the gate's pepper
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub(crate) pepper_file: Option<PathBuf>,
}

impl Check {
    /// Returns the gate that decides.
    pub(crate) fn gate(&self) -> Result<Gate, Failure> {
        Gate::of(
            self.config.as_deref(),
            self.table.as_deref(),
            self.vendor,
            self.pepper_file.as_deref(),
        )
    }
}

pub(crate) async fn run(
    store: &dyn KeyManager,
    question: &Check,
    gate: Gate,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let now = question.at.as_ref().map_or_else(|| SystemClock.now(), |moment| moment.0);
    let (key, record) = match &question.id {
        Some(id) => by_id(store, id).await?,
        None => by_secret(store, &gate, now).await?,
    };
    let builder = gate.builder();
    let builder = match &question.audience {
        Some(audience) => builder.audience(audience),
        None => builder,
    };
    let request = request(question, &key)?;
    let peer = SocketAddr::new(question.from, 0);
    let connection =
        if question.plain_http { Connection::plain(peer) } else { Connection::tls(peer) };
    let explanation = builder.build()?.explain(&request, connection, record.as_deref(), now);
    output.explanation(&explanation)?;
    Ok(if explanation.decision().is_ok() { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}

/// Reads a key, and finds its record.
async fn by_secret(
    store: &dyn KeyManager,
    gate: &Gate,
    now: Timestamp,
) -> Result<(SecretString, Option<Arc<KeyRecord>>), Failure> {
    let key = secret::read()?;
    let mut found = None;
    for digest in gate.hasher().digests_at(key.expose_secret().as_bytes(), now) {
        found = store.find(&digest).await?;
        if found.is_some() {
            break;
        }
    }
    Ok((key, found.map(|record| Arc::new(KeyRecord::clone(&record)))))
}

/// Finds the record of an id, with a text that looks like the secret. The secret itself is in no store.
async fn by_id(
    store: &dyn KeyManager,
    id: &str,
) -> Result<(SecretString, Option<Arc<KeyRecord>>), Failure> {
    let record = store.get(id).await?.ok_or(ManageError::NotFound)?.record;
    let Some(form) = record.form() else {
        return Err(Failure::Invalid(
            "the form of the key is unknown, because it was imported or is old: leave out --id, and write the key to \
             TOWER_API_KEY_KEY or standard input"
                .to_owned(),
        ));
    };
    let text = Issuer::of_form(form.clone(), KeyHasher::sha256()).issue(None)?;
    Ok((SecretString::from(text.expose().to_owned()), Some(Arc::new(record))))
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
    let (header, credential) = match (&question.basic, &question.key_header) {
        (Some(user), _) => {
            let pair = format!("{user}:{}", key.expose_secret());
            (AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)))
        }
        (None, Some(name)) => {
            let name = name.parse().map_err(|_| {
                invalid("--key-header is not valid in HTTP: write a name like x-api-key")
            })?;
            (name, key.expose_secret().to_owned())
        }
        (None, None) => (AUTHORIZATION, format!("Bearer {}", key.expose_secret())),
    };
    let credential = HeaderValue::try_from(credential).map_err(|_| {
        invalid("the key cannot be sent in a header: remove its control characters")
    })?;
    request.headers_mut().insert(header, credential);
    Ok(request)
}
