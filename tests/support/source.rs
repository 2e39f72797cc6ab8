//! Where a gate gets the profile of a vendor: from the constant, or from the file that ships.

use tower_api_key::store::KeyStore;
use tower_api_key::{ApiKeyLayer, ApiKeyLayerBuilder, Profile};

#[cfg(feature = "config")]
use crate::vendor_files::VendorFile;

#[derive(Clone, Copy)]
pub(crate) enum Source {
    Constant(Profile<'static>),
    #[cfg(feature = "config")]
    File(&'static VendorFile),
}

impl Source {
    /// Lists the sources of a profile: the constant, and the file if it ships as one.
    pub(crate) fn each(profile: Profile<'static>) -> Vec<Self> {
        let constant = Self::Constant(profile);
        #[cfg(feature = "config")]
        if let Some(file) = VendorFile::of(&profile) {
            return vec![constant, Self::File(file)];
        }
        vec![constant]
    }

    /// Begins a layer with the profile, changed so.
    pub(crate) fn begin(
        self,
        store: impl KeyStore,
        change: impl FnOnce(Profile<'_>) -> Profile<'_>,
    ) -> ApiKeyLayerBuilder {
        match self {
            Self::Constant(profile) => ApiKeyLayer::builder(change(profile), store),
            #[cfg(feature = "config")]
            Self::File(file) => {
                file.door().with_profile(|profile| ApiKeyLayer::builder(change(profile), store))
            }
        }
    }
}
