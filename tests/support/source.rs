//! Where a gate gets the profile of a vendor: from the constant, or from the file that ships.

#[cfg(feature = "config")]
use tower_api_key::config::Backends;
use tower_api_key::store::KeyStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Profile};

#[cfg(feature = "config")]
use crate::vendor_files::VendorFile;

#[derive(Clone, Copy)]
pub(crate) enum Source {
    Constant,
    #[cfg(feature = "config")]
    File(&'static VendorFile),
}

impl Source {
    /// Lists the sources of a profile: the constant, and the file if it ships as one.
    pub(crate) fn each(profile: &Profile<'_>) -> Vec<Self> {
        #[cfg(feature = "config")]
        if let Some(file) = VendorFile::of(profile) {
            return vec![Self::Constant, Self::File(file)];
        }
        let _ = profile;
        vec![Self::Constant]
    }

    /// Begins a layer with the profile. Returns it with true if it has the routes of the vendor already.
    pub(crate) fn begin_whole(
        self,
        constant: &Profile<'_>,
        store: impl KeyStore,
    ) -> (ApiKeyLayerBuilder, bool) {
        match self {
            Self::Constant => (ApiKeyLayer::builder(*constant, store), false),
            #[cfg(feature = "config")]
            Self::File(file) => (file.door().builder(&Backends::new(store)), true),
        }
    }

    /// Begins a layer with the profile, changed so, and without routes.
    pub(crate) fn begin(
        self,
        constant: &Profile<'_>,
        store: impl KeyStore,
        change: impl FnOnce(Profile<'_>) -> Profile<'_>,
    ) -> ApiKeyLayerBuilder {
        match self {
            Self::Constant => ApiKeyLayer::builder(change(*constant), store),
            #[cfg(feature = "config")]
            Self::File(file) => {
                file.door().with_profile(|profile| ApiKeyLayer::builder(change(profile), store))
            }
        }
    }
}
