//! What the decision needs of a profile: its sources, formats, demands and quotas, owned.

use crate::error::{ConfigError, Denial};
use crate::key::{CompiledFormat, Environment, KeyText};
use crate::profile::Profile;
use crate::quota::{Quotas, StripedQuotas};
use crate::request::{Credentials, check_carriage};
use crate::rules::{self, Demand};

/// A profile, checked; it owns what the profile borrows.
#[derive(Debug)]
pub(crate) struct CompiledProfile {
    pub(super) credentials: Credentials,
    pub(super) formats: Vec<CompiledFormat>,
    /// The environment tags of all formats, one format after the other.
    tags: Vec<Box<str>>,
    pub(super) demands: Vec<Demand>,
    pub(super) quotas: StripedQuotas,
}

/// The place of an environment among the tags of all formats.
#[derive(Debug, Clone, Copy)]
pub(super) struct TagIndex(usize);

impl CompiledProfile {
    /// Checks what a profile describes, and copies it.
    pub(crate) fn new(profile: &Profile<'_>) -> Result<Self, ConfigError> {
        if profile.formats.is_empty() {
            return Err(ConfigError::NoKeyFormat);
        }
        for format in profile.formats {
            let pattern = || format.pattern();
            format
                .check()
                .map_err(|source| ConfigError::KeyFormat { pattern: pattern(), source })?;
        }
        let quotas = Quotas::new(profile.quotas.iter().cloned())?;
        let credentials = Credentials::new(profile.credentials)?;
        check_carriage(profile.credentials, profile.formats)?;
        let demands = rules::demands(profile.required_headers, &credentials)?;
        let formats: Vec<_> = profile.formats.iter().map(CompiledFormat::from).collect();
        let tags = formats.iter().filter_map(CompiledFormat::tags).flatten().cloned().collect();
        Ok(Self { credentials, formats, tags, demands, quotas: quotas.into() })
    }

    /// Returns the environment that a key's text names. Where several formats fit the text, what one of
    /// them reads counts, so that a format without tags takes no other's away.
    pub(super) fn environment_of(
        &self,
        key: &[u8],
        pinned: Option<&Environment>,
    ) -> Result<Option<TagIndex>, Denial> {
        let (mut fits, mut named) = (false, None::<(usize, &str)>);
        for (index, format) in self.formats.iter().enumerate() {
            let Some(KeyText { environment }) = format.read(key) else { continue };
            fits = true;
            let Some((place, tag)) = environment else { continue };
            if named.is_some_and(|(_, other)| other != tag) {
                return Err(Denial::EnvironmentMismatch);
            }
            let before = self.formats.iter().take(index).filter_map(CompiledFormat::tags);
            let before: usize = before.map(<[_]>::len).sum();
            named = named.or(Some((before + place, tag)));
        }
        match (named, pinned) {
            _ if !fits => Err(Denial::KeyMalformed),
            // Whatever its record says, it is no key of this gate's.
            (Some((_, named)), Some(pinned)) if *pinned != *named => {
                Err(Denial::EnvironmentMismatch)
            }
            _ => Ok(named.map(|(place, _)| TagIndex(place))),
        }
    }

    /// Returns the environment at a place among the tags.
    pub(super) fn tag(&self, index: TagIndex) -> &str {
        // It is there; were it not, no record has an environment without a name.
        self.tags.get(index.0).map_or("", |tag| tag)
    }
}
