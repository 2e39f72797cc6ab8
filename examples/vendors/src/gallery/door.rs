//! A front door of the gallery: its file, its gate and its keys.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::path::Path;

use axum::body::Body;
use axum::http::{Request, Response};
use serde_json::Value;
use tower::util::BoxCloneSyncService;
use tower::{Layer, service_fn};
use tower_api_key::config::{Backends, FrontDoor};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::store::MemoryStore;

use super::answers::CannedAnswers;
use super::issued::{GalleryKey, KeyMaker, KeyPlan};
use crate::Failure;
use crate::telemetry::observed;

const PLANS: &str = include_str!("../../gallery/keys.json");
const SERVICES: &str = include_str!("../../gallery/services.json");

/// A service behind its gate.
pub(super) type GatedService = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// A front door that is a file.
pub(crate) struct GalleryDoor {
    /// The name of the file without its ending, which is the first segment of every path.
    pub(crate) vendor: String,
    pub(super) base: String,
    /// The name of the profile.
    pub(super) title: String,
    /// The comment that the file begins with.
    pub(super) notes: String,
    pub(crate) keys: Vec<GalleryKey>,
    pub(super) service: GatedService,
}

/// Opens each TOML file of a folder. `https` is the URL of the demo.
pub(crate) fn doors(folder: &Path, https: &str) -> Result<Vec<GalleryDoor>, Failure> {
    let plans: BTreeMap<String, KeyPlan> = serde_json::from_str(PLANS)?;
    let services: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_str(SERVICES)?;
    // The name stays unsaid: it may be a key in the wrong place.
    let unreadable = |error| format!("cannot read the folder that `--gallery` names: {error}");
    let entries = fs::read_dir(folder).map_err(unreadable)?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    let open = |file: &std::path::PathBuf| {
        let vendor = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let plan = plans.get(&vendor).cloned().unwrap_or_default();
        let operations = services.get(&vendor).cloned().unwrap_or_default();
        GalleryDoor::open(file, vendor, https, &plan, CannedAnswers::new(&operations)?)
    };
    files.iter().map(open).collect()
}

impl GalleryDoor {
    fn open(
        file: &Path,
        vendor: String,
        https: &str,
        plan: &KeyPlan,
        answers: CannedAnswers,
    ) -> Result<Self, Failure> {
        let door = FrontDoor::read(file)?;
        let (store, base) = (MemoryStore::new(), format!("{https}/{vendor}"));
        let maker = KeyMaker { door: &door, plan, store: &store, vendor: &vendor, base: &base };
        let keys = maker.issue_all()?;
        let backends = Backends::new(store).limiter(MemoryLimiter::new());
        let gate = observed(door.builder(&backends)).build()?;
        let inner = service_fn(move |request: Request<Body>| {
            let answer = answers.answer(&request);
            async move { Ok::<_, Infallible>(answer) }
        });
        let service =
            tower::ServiceExt::map_response(gate.layer(inner), |response: Response<_>| {
                response.map(Body::new)
            });
        let title = door.with_profile(|profile| profile.name.to_owned());
        let service = BoxCloneSyncService::new(service);
        Ok(Self { vendor, base, title, notes: notes(file)?, keys, service })
    }
}

/// Returns the comment that a file begins with.
fn notes(file: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(file)?;
    let lines = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
    Ok(lines.collect::<Vec<_>>().join("\n"))
}
