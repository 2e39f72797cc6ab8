//! A front door, read from a file and checked.

use std::path::Path as FilePath;
use std::sync::Arc;

use bumpalo::Bump;

use super::profile::NOTHING;
use super::read::{Contradiction, FaultKind, FieldProblem, Found, Path, read};
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
        let missing = missing.map(|(node, problem)| Found {
            kind: FaultKind::Problem(FieldProblem::new(problem)),
            node,
        });
        let checked = read(&root, missing.collect(), check);
        let (tables, ()) =
            checked.map_err(|found| FrontDoorError::of_values(source, &root, &found))?;
        Ok(Self { tables })
    }

    /// Starts a layer with a store of your own, and all else as the file says.
    pub fn builder(&self, store: impl KeyStore) -> ApiKeyLayerBuilder {
        let store: Arc<dyn KeyStore> = Arc::new(store);
        // The file was checked, so there is a builder. This one refuses to build.
        let refusing = |_| ApiKeyLayerBuilder::new(&NOTHING, Arc::clone(&store));
        self.tables.builder(Arc::clone(&store)).unwrap_or_else(refusing)
    }
}

/// Builds what the tables describe, as a program would. Of a file with mistakes, what is left is built on the standards'
/// profile, so that further mistakes are found.
fn check(tables: &FrontDoorTable, is_repaired: bool) -> Result<(), Vec<Contradiction>> {
    let whole;
    let tables = if is_repaired {
        whole = FrontDoorTable { profile: tables.profile.clone().on_standard(), ..tables.clone() };
        &whole
    } else {
        tables
    };
    let layer = tables.builder(Arc::new(MemoryStore::new()))?.build();
    layer.map(drop).map_err(|error| tables.locate_all(&error))
}

impl FrontDoorTable {
    /// Starts a layer as the tables say.
    fn builder(&self, store: Arc<dyn KeyStore>) -> Result<ApiKeyLayerBuilder, Vec<Contradiction>> {
        let described =
            self.with_profile(|profile| Ok(ApiKeyLayerBuilder::new(&profile, Arc::clone(&store))));
        let (builder, wrong) = match described {
            Ok(builder) => (builder, None),
            Err(wrong) => (ApiKeyLayerBuilder::new(&NOTHING, store), Some(wrong)),
        };
        let builder = builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny);
        match (self.apply(builder), wrong) {
            (Ok(builder), None) => Ok(builder),
            (Ok(_), Some(wrong)) => Err(vec![wrong]),
            (Err(found), wrong) => Err(wrong.into_iter().chain(found).collect()),
        }
    }

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
