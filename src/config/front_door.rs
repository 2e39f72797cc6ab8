//! A front door, read from a file and checked.

use std::path::Path as FilePath;
use std::sync::Arc;

use bumpalo::Bump;

use super::profile::NOTHING;
use super::read::{Contradiction, FaultKind, Found, Path, read};
use super::report::FrontDoorError;
use super::tables::FrontDoorTable;
use super::text::{FileFormat, SourceText, Surroundings, SystemSurroundings, fill_in};
use crate::limits::MemoryLimiter;
use crate::quota::OnLimiterFailure;
use crate::store::{KeyStore, MemoryStore};
use crate::{ApiKeyLayerBuilder, Profile};

/// A front door, read from a file and checked.
///
/// ```
/// use tower_api_key::config::{FileFormat, FrontDoor};
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key::Denial;
///
/// let file = r#"
/// [profile]
/// base = "personyze"
/// realm = "acme"
/// "#;
/// let door = FrontDoor::parse("gate.toml", file, FileFormat::Toml)?;
/// let layer = door.builder(MemoryStore::new()).build()?;
/// assert_eq!(layer.answer(&Denial::KeyUnknown).status(), 401);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FrontDoor {
    tables: FrontDoorTable,
}

impl FrontDoor {
    /// Reads a file. Its name says its [format](FileFormat::of_path).
    ///
    /// # Errors
    ///
    /// [`FrontDoorError`] if the file cannot be read, or has mistakes.
    pub fn read(path: impl AsRef<FilePath>) -> Result<Self, FrontDoorError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| FrontDoorError::Unreadable { name: name.clone(), source })?;
        let folder = path.parent().unwrap_or(FilePath::new("")).to_owned();
        let source = SourceText { name, format: FileFormat::of_path(path), text };
        Self::of(&source, &SystemSurroundings { folder })
    }

    /// Reads a text. `name` stands in messages as the name of the file. Relative paths in the text start in the working
    /// directory.
    ///
    /// # Errors
    ///
    /// [`FrontDoorError`] if the text has mistakes.
    pub fn parse(name: &str, text: &str, format: FileFormat) -> Result<Self, FrontDoorError> {
        let source = SourceText { name: name.to_owned(), format, text: text.to_owned() };
        Self::of(&source, &SystemSurroundings { folder: FilePath::new("").to_owned() })
    }

    fn of(source: &SourceText, surroundings: &dyn Surroundings) -> Result<Self, FrontDoorError> {
        let mut root = source.tree().map_err(|errors| FrontDoorError::of_syntax(source, errors))?;
        let missing = fill_in(&mut root, surroundings).into_iter();
        let missing =
            missing.map(|(node, problem)| Found { kind: FaultKind::Problem(problem), node });
        let checked = read(&root, missing.collect(), check);
        let (tables, ()) =
            checked.map_err(|found| FrontDoorError::of_values(source, &root, &found))?;
        Ok(Self { tables })
    }

    /// Starts a layer with a store of your own, and all else as the file says.
    pub fn builder(&self, store: impl KeyStore) -> ApiKeyLayerBuilder {
        let store: Arc<dyn KeyStore> = Arc::new(store);
        let build =
            |profile: Profile<'_>| Ok(ApiKeyLayerBuilder::new(&profile, Arc::clone(&store)));
        // The file was checked, so there is a profile. Without one, the builder refuses to build.
        self.tables.with_profile(build).unwrap_or_else(|_| ApiKeyLayerBuilder::new(&NOTHING, store))
    }
}

/// Builds what the tables describe, as a program would.
fn check(tables: &FrontDoorTable) -> Result<(), Contradiction> {
    let layer = tables.with_profile(|profile| {
        let builder = ApiKeyLayerBuilder::new(&profile, Arc::new(MemoryStore::new()));
        Ok(builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny))
    })?;
    layer.build().map(drop).map_err(|error| Contradiction::new(Path::default(), &error))
}

impl FrontDoorTable {
    /// Describes the profile for a while.
    fn with_profile<R>(
        &self,
        build: impl FnOnce(Profile<'_>) -> Result<R, Contradiction>,
    ) -> Result<R, Contradiction> {
        let (room, path) = (Bump::new(), Path::default().field("profile"));
        let quotas = self.profile.quotas(&path)?;
        build(self.profile.describe(&quotas, &room, &path)?)
    }
}
