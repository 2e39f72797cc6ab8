//! Opens the store that a file names.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tower_api_key::config::{SectionMistake, StoreSettings, TelemetrySettings};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use tower_api_key::store::PepperManager;
use tower_api_key::store::{KeyManager, MemoryStore, Rehasher};
use tower_api_key::usage::UsageRecorder;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
use crate::background_log;
use crate::error::{OpenError, unknown_scheme};

/// A store that is open.
#[derive(Clone)]
pub(crate) struct OpenStore {
    /// Where keys are found and changed, through the cache or the replica.
    pub(crate) keys: Arc<dyn KeyManager>,
    /// The recorder of the usage that the database keeps.
    pub(crate) usage: Option<UsageRecorder>,
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    #[cfg_attr(not(any(feature = "events", feature = "management")), allow(dead_code))]
    pub(crate) database: Option<tower_api_key_sqlx::SqlStore>,
    /// Writes the digests that gates record, until it is started.
    rehashing: Rehashing,
}

/// A task that waits for its start. Clones are one task.
type Rehashing = Arc<Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>>;

impl OpenStore {
    /// Begins to give keys digests by the current pepper, and to delete former ones, unless that has begun.
    pub(crate) fn start(&self) {
        let waiting = self.rehashing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(rehashing) = waiting {
            tokio::spawn(rehashing);
        }
    }
}

/// Opens a store. Once started, it writes the digests that `rehasher` records.
#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(unused_variables, clippy::unused_async)
)]
pub(crate) async fn open(
    settings: &StoreSettings,
    telemetry: TelemetrySettings,
    file: &str,
    rehasher: &Rehasher,
) -> Result<OpenStore, OpenError> {
    match settings.scheme() {
        // Nothing adds a key to this store, so there is none to give a digest.
        "memory" => Ok(OpenStore {
            keys: Arc::new(MemoryStore::new()),
            usage: None,
            #[cfg(any(feature = "sqlite", feature = "postgres"))]
            database: None,
            rehashing: Rehashing::default(),
        }),
        #[cfg(feature = "sqlite")]
        "sqlite" => open_sql(settings, telemetry, file, rehasher).await,
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => open_sql(settings, telemetry, file, rehasher).await,
        _ => {
            let problem = unknown_scheme(settings.url.expose(), &known());
            Err(OpenError::Url { file: file.to_owned(), field: "store.url", problem })
        }
    }
}

/// Finds what [`open`] would refuse in the settings themselves, and opens nothing.
pub(crate) fn mistake(settings: &StoreSettings) -> Option<SectionMistake> {
    match settings.scheme() {
        "memory" => None,
        #[cfg(feature = "sqlite")]
        "sqlite" => sql_mistake(settings),
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => sql_mistake(settings),
        _ => {
            let problem = unknown_scheme(settings.url.expose(), &known());
            Some(SectionMistake::new("store.url", problem))
        }
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn sql_mistake(settings: &StoreSettings) -> Option<SectionMistake> {
    let wrong = builder(settings).check().err();
    wrong.map(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        SectionMistake::new("store", cause.unwrap_or_else(|| error.to_string()))
    })
}

fn known() -> Vec<&'static str> {
    let sqlite = cfg!(feature = "sqlite").then_some("sqlite:FILE");
    let postgres = cfg!(feature = "postgres").then_some("postgres://…");
    sqlite.into_iter().chain(postgres).chain(["memory:"]).collect()
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn builder(settings: &StoreSettings) -> tower_api_key_sqlx::SqlStoreBuilder {
    use tower_api_key_sqlx::SqlStore;

    let mut builder = SqlStore::builder(settings.url.expose())
        .create_if_missing(settings.create_if_missing)
        .behind_pooler(settings.behind_pooler);
    if let Some(url) = &settings.listen_url {
        builder = builder.listen_url(url.expose());
    }
    if let Some(lag) = settings.max_lag {
        builder = builder.max_lag(lag.duration());
    }
    if let Some(time) = settings.max_lifetime {
        builder = builder.max_lifetime(time.duration());
    }
    if let Some(time) = settings.idle_timeout {
        builder = builder.idle_timeout(time.duration());
    }
    if let Some(connections) = settings.max_connections {
        builder = builder.max_connections(connections);
    }
    if let Some(timeout) = settings.lookup_timeout {
        builder = builder.lookup_timeout(timeout.duration());
    }
    if let Some(timeout) = settings.change_timeout {
        builder = builder.change_timeout(timeout.duration());
    }
    if let Some(prefix) = &settings.prefix {
        builder = builder.prefix(prefix);
    }
    if let Some(schema) = &settings.schema {
        builder = builder.schema(schema);
    }
    builder
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
async fn open_sql(
    settings: &StoreSettings,
    telemetry: TelemetrySettings,
    file: &str,
    rehasher: &Rehasher,
) -> Result<OpenStore, OpenError> {
    let store = builder(settings).connect().await;
    let store = store.map_err(|source| OpenError::Store { file: file.to_owned(), source })?;
    let usage = settings.usage.as_ref().map(|usage| (usage.recorder(), store.clone()));
    let database = Some(store.clone());
    let keys: Arc<dyn PepperManager> = match (&settings.replica, &settings.cache) {
        (Some(replica), _) => Arc::new(replicated(store, replica, telemetry, file).await?),
        (None, Some(cache)) => Arc::new(cached(store, cache, telemetry)),
        (None, None) => Arc::new(store),
    };
    let rehashing: Pin<Box<dyn Future<Output = ()> + Send>> =
        Box::pin(rehasher.write_to(Arc::clone(&keys)).report_to(background_log::digests));
    let rehashing = Arc::new(Mutex::new(Some(rehashing)));
    let usage = usage.map(|(usage, database)| {
        // The task ends, after a last write, when no layer has the recorder any more.
        tokio::spawn(usage.write_to(Arc::new(database)).report_to(background_log::usage));
        usage
    });
    Ok(OpenStore { keys, usage, database, rehashing })
}

/// Copies all records, follows the database's changes, and writes last uses.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
async fn replicated(
    store: tower_api_key_sqlx::SqlStore,
    settings: &tower_api_key::config::ReplicaSettings,
    telemetry: TelemetrySettings,
    file: &str,
) -> Result<tower_api_key::store::Replica<tower_api_key_sqlx::SqlStore>, OpenError> {
    use std::time::Duration;

    use tower_api_key::config::LengthOfTime;

    /// How long the first copy may take, unless set.
    const READY_WITHIN: Duration = Duration::from_secs(60);

    let within = settings.ready_within.map_or(READY_WITHIN, LengthOfTime::duration);
    let replica = settings.builder(store.clone()).build();
    let replica = replica.map_err(|source| OpenError::Layer { file: file.to_owned(), source })?;
    tokio::spawn(replica.follow());
    if telemetry.metrics {
        publish(&replica);
    }
    if tokio::time::timeout(within, replica.ready()).await.is_err() {
        let (file, source) = (file.to_owned(), replica.failure());
        return Err(OpenError::NotCopied { file, within, source });
    }
    tokio::spawn(replica.record_uses(Arc::new(store)).report_to(background_log::uses));
    Ok(replica)
}

/// Publishes the state of a replica.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
#[cfg_attr(not(feature = "metrics"), allow(unused_variables))]
fn publish(replica: &tower_api_key::store::Replica<tower_api_key_sqlx::SqlStore>) {
    /// Shorter than the periods of most scrapes.
    #[cfg(feature = "metrics")]
    const PERIOD: std::time::Duration = std::time::Duration::from_secs(5);

    #[cfg(feature = "metrics")]
    tokio::spawn(tower_api_key::telemetry::ReplicaMetrics::new().publish(replica.gauge(), PERIOD));
}

/// Counts how a cache answers.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn count(
    builder: tower_api_key::store::CachedBuilder<tower_api_key_sqlx::SqlStore>,
) -> tower_api_key::store::CachedBuilder<tower_api_key_sqlx::SqlStore> {
    #[cfg(feature = "metrics")]
    let builder = builder.observer(tower_api_key::telemetry::CacheMetrics::new());
    builder
}

/// Keeps records in memory, learns of changes where the database tells of them, and writes last uses.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn cached(
    store: tower_api_key_sqlx::SqlStore,
    settings: &tower_api_key::config::CacheSettings,
    telemetry: TelemetrySettings,
) -> tower_api_key::store::Cached<tower_api_key_sqlx::SqlStore> {
    use tower_api_key::store::Cached;

    /// The numbers of records and unknown secrets, unless set.
    const CAPACITY: (usize, usize) = (100_000, 10_000);

    let mut builder = Cached::builder(store.clone())
        .capacity(settings.records.unwrap_or(CAPACITY.0), settings.unknown.unwrap_or(CAPACITY.1));
    if let Some(staleness) = settings.staleness {
        builder = builder.staleness(staleness.duration());
    }
    if let Some(grace) = settings.grace {
        builder = builder.grace(grace.duration());
    }
    if let Some(time) = settings.unknown_for {
        builder = builder.unknown_for(time.duration());
    }
    if let Some(time) = settings.refresh_after {
        builder = builder.refresh_after(time.duration());
    }
    if let Some(timeout) = settings.timeout {
        builder = builder.timeout(timeout.duration());
    }
    if let Some(lookups) = settings.lookups_at_once {
        builder = builder.lookups_at_once(lookups);
    }
    if telemetry.metrics {
        builder = count(builder);
    }
    let cached = builder.build();
    #[cfg(feature = "postgres")]
    if let Some(mut changes) = store.invalidations() {
        if let Some(every) = settings.prove_every {
            changes = changes.prove_every(every.duration());
        }
        tokio::spawn(cached.listen(changes));
    }
    tokio::spawn(cached.record_uses(Arc::new(store)).report_to(background_log::uses));
    cached
}
