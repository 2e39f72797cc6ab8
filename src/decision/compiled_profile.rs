//! The parts of a profile that the decision needs: sources, formats, required headers and quotas.

use crate::error::{ConfigError, Denial};
use crate::key::{CompiledFormat, Environment, KeyText, masked};
use crate::profile::Profile;
use crate::quota::{Quotas, StripedQuotas};
use crate::request::{Credentials, check_carriage};
use crate::rules::{self, Demand};

/// A checked profile, which owns what the profile borrows.
#[derive(Debug)]
pub(crate) struct CompiledProfile {
    pub(super) credentials: Credentials,
    pub(super) formats: Vec<CompiledFormat>,
    pub(super) demands: Vec<Demand>,
    pub(super) quotas: StripedQuotas,
}

/// An environment tag of a profile: the index of its format, and its index among the tags of the format.
#[derive(Debug, Clone, Copy)]
pub(super) struct TagIndex {
    format: usize,
    tag: usize,
}

impl CompiledProfile {
    /// Checks a profile, and copies what it borrows.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a profile without formats, or with a format, a quota, a source or a required
    /// header that is not valid.
    pub(crate) fn new(profile: &Profile<'_>) -> Result<Self, ConfigError> {
        if profile.formats.is_empty() {
            return Err(ConfigError::NoKeyFormat);
        }
        for format in profile.formats {
            let refused = |source| ConfigError::KeyFormat { pattern: format.pattern(), source };
            format.check().map_err(refused)?;
        }
        let quotas = Quotas::new(profile.quotas.iter().cloned())?;
        let credentials = Credentials::new(profile.credentials)?;
        check_carriage(profile.credentials, profile.formats)?;
        let demands = rules::demands(profile.required_headers, &credentials)?;
        let formats = profile.formats.iter().map(CompiledFormat::from).collect();
        Ok(Self { credentials, formats, demands, quotas: quotas.into() })
    }

    /// Returns the environment that a key's text names. If several formats fit the text, the environment
    /// that any of them reads counts: a format without tags does not hide it.
    ///
    /// # Errors
    ///
    /// [`Denial::KeyMalformed`] if no format fits; [`Denial::EnvironmentMismatch`] if two formats read
    /// different environments, or one other than `pinned`.
    pub(super) fn environment_of(
        &self,
        key: &[u8],
        pinned: Option<&Environment>,
    ) -> Result<Option<TagIndex>, Denial> {
        let (mut fits, mut named) = (false, None::<(TagIndex, &str)>);
        for (format, compiled) in self.formats.iter().enumerate() {
            let Some(KeyText { environment }) = compiled.read(key) else { continue };
            fits = true;
            let Some((tag, name)) = environment else { continue };
            if named.is_some_and(|(_, other)| other != name) {
                return Err(Denial::EnvironmentMismatch);
            }
            named = named.or(Some((TagIndex { format, tag }, name)));
        }
        match (named, pinned) {
            _ if !fits => Err(Denial::KeyMalformed),
            // The record cannot change this: the text itself names another environment.
            (Some((_, named)), Some(pinned)) if *pinned != *named => {
                Err(Denial::EnvironmentMismatch)
            }
            _ => Ok(named.map(|(index, _)| index)),
        }
    }

    /// Returns a key's text without its secret part.
    pub(super) fn masked(&self, key: &[u8]) -> Box<str> {
        masked(key, &self.formats)
    }

    /// Returns the environment at an index.
    pub(super) fn tag(&self, index: TagIndex) -> &str {
        let tags = self.formats.get(index.format).and_then(CompiledFormat::tags);
        // An index always comes from this profile. Otherwise "" fails closed: no record has that environment.
        tags.and_then(|tags| tags.get(index.tag)).map_or("", |tag| tag)
    }
}
