//! The gate that decides in `check`: a vendor's, or that of a front door's file.

use std::path::Path;

use tower_api_key::config::{Backends, FrontDoor, StoreSettings};
use tower_api_key::key::KeyHasher;
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::rules::Routes;
use tower_api_key::store::MemoryStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder};

use crate::door;
use crate::failure::Failure;
use crate::issue::hasher;
use crate::vendor::Vendor;

pub(crate) enum Gate {
    Vendor(Vendor, KeyHasher),
    File(Box<FrontDoor>),
}

impl Gate {
    pub(crate) fn of(
        file: Option<&Path>,
        table: Option<&str>,
        vendor: Option<Vendor>,
        pepper_file: Option<&Path>,
    ) -> Result<Self, Failure> {
        match (file, vendor) {
            (Some(file), _) => Ok(Self::File(Box::new(door::read(file, table)?))),
            (None, Some(vendor)) => Ok(Self::Vendor(vendor, hasher(pepper_file)?)),
            (None, None) => {
                Err(Failure::Invalid("no gate is named: write --vendor or --config".to_owned()))
            }
        }
    }

    /// Returns the database that the file names, if this program can open it.
    pub(crate) fn store(&self) -> Option<&StoreSettings> {
        let Self::File(door) = self else { return None };
        door.store().filter(|store| matches!(store.scheme(), "sqlite" | "postgres" | "postgresql"))
    }

    pub(crate) fn hasher(&self) -> KeyHasher {
        match self {
            Self::Vendor(_, hasher) => hasher.clone(),
            Self::File(door) => door.hasher(),
        }
    }

    /// Starts the layer. An explanation asks neither store nor limiter, so both are empty.
    pub(crate) fn builder(&self) -> ApiKeyLayerBuilder {
        match self {
            Self::Vendor(vendor, hasher) => {
                let builder = ApiKeyLayer::builder(vendor.profile(), MemoryStore::new())
                    .hasher(hasher.clone())
                    .without_limits();
                match vendor.routes() {
                    [] => builder,
                    rows => builder.routes(Routes::new().rows(rows)),
                }
            }
            Self::File(door) => {
                let backends = Backends::new(MemoryStore::new());
                door.builder(&backends.limiter(MemoryLimiter::new()))
            }
        }
    }
}
