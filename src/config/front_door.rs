//! A front door, read from a file and checked.

use std::path::Path as FilePath;
use std::sync::Arc;

use bumpalo::Bump;
use serde::de::DeserializeOwned;

use super::backends::{Backends, LimiterSettings, StoreSettings};
use super::check::check;
use super::gate::TelemetrySettings;
use super::profile::NOTHING;
use super::read::{Contradiction, FaultKind, FieldProblem, Found, Path, read};
use super::report::FrontDoorError;
use super::section::{SectionMistake, refuse};
use super::tables::FrontDoorTable;
use super::text::fingerprint;
use super::text::{FileFormat, Node, SourceText, Surroundings, SystemSurroundings, fill_in};
use crate::key::KeyHasher;
use crate::profile::Profile;
use crate::service::ApiKeyLayerBuilder;

/// A front door, read from a file and checked.
///
/// ```
/// use tower_api_key::config::{Backends, FileFormat, FrontDoor};
/// use tower_api_key::store::MemoryStore;
/// use tower_api_key::Denial;
///
/// let file = r#"
/// [profile]
/// base = "personyze"
/// realm = "acme"
/// "#;
/// let door = FrontDoor::parse("gate.toml", file, FileFormat::Toml)?;
/// let layer = door.builder(&Backends::new(MemoryStore::new())).build()?;
/// assert_eq!(layer.answer(&Denial::KeyUnknown).status(), 400);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FrontDoor {
    pub(super) tables: FrontDoorTable,
    fingerprint: [u8; 32],
}

/// Two front doors are equal if they decide alike. Their texts may differ, in comments say.
impl PartialEq for FrontDoor {
    fn eq(&self, other: &Self) -> bool {
        self.tables == other.tables
    }
}

impl Eq for FrontDoor {}

impl FrontDoor {
    /// Reads a file. Its name says its [format](FileFormat::of_path).
    ///
    /// # Errors
    ///
    /// [`FrontDoorError`] if the file cannot be read, or has mistakes.
    pub fn read(path: impl AsRef<FilePath>) -> Result<Self, FrontDoorError> {
        Self::read_checked(path, |_| Vec::new())
    }

    /// Reads a file that has one table more, which belongs to your program: listeners, say, or upstreams. `check` finds
    /// its contradictions. The program gets the same messages for it.
    ///
    /// # Errors
    ///
    /// [`FrontDoorError`] if the file cannot be read, or has mistakes, or if `table` is the name of a field of the gate.
    ///
    /// ```no_run
    /// use tower_api_key::config::{FrontDoor, SectionMistake};
    ///
    /// #[derive(serde::Deserialize)]
    /// #[serde(deny_unknown_fields)]
    /// struct Server {
    ///     port: u16,
    /// }
    ///
    /// let (door, server) = FrontDoor::read_with("gate.toml", "server", |server: &Server| match server.port {
    ///     0 => Err(SectionMistake::new("port", "clients cannot know this port: write one from 1")),
    ///     _ => Ok(()),
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_with<T: DeserializeOwned>(
        path: impl AsRef<FilePath>,
        table: &'static str,
        check: impl Fn(&T) -> Result<(), SectionMistake>,
    ) -> Result<(Self, T), FrontDoorError> {
        Self::read_with_checked(path, table, check, |_, _| Vec::new())
    }

    /// Reads a text. `name` stands in messages as the name of the file. Relative paths in the text start in the working
    /// directory.
    ///
    /// # Errors
    ///
    /// [`FrontDoorError`] if the text has mistakes.
    pub fn parse(name: &str, text: &str, format: FileFormat) -> Result<Self, FrontDoorError> {
        let source = SourceText::new(name.to_owned(), format, text.to_owned());
        let surroundings = SystemSurroundings { folder: FilePath::new("").to_owned() };
        Self::of(&source, &surroundings, |_| Vec::new())
    }

    pub(super) fn of(
        source: &SourceText,
        surroundings: &dyn Surroundings,
        further: impl Fn(&Self) -> Vec<SectionMistake>,
    ) -> Result<Self, FrontDoorError> {
        let (root, missing) = filled(source, surroundings)?;
        let fingerprint = fingerprint(source, &root);
        let checked = read(&root, missing, check);
        let (tables, ()) =
            checked.map_err(|found| FrontDoorError::of_values(source, &root, &found))?;
        let door = Self { tables, fingerprint };
        refuse(&further(&door), source, &root)?;
        Ok(door)
    }

    pub(super) fn with_section<T: DeserializeOwned>(
        source: &SourceText,
        surroundings: &dyn Surroundings,
        table: &'static str,
        check_section: impl Fn(&T) -> Result<(), SectionMistake>,
        further: impl Fn(&Self, &T) -> Vec<SectionMistake>,
    ) -> Result<(Self, T), FrontDoorError> {
        let (mut root, missing) = filled(source, surroundings)?;
        let fingerprint = fingerprint(source, &root);
        if FrontDoorTable::has(table) {
            let problem = format!(
                "the table `{table}` is the gate's own, so the program cannot have it: read one with another name"
            );
            let kind = FaultKind::Problem(FieldProblem::new(problem));
            return Err(FrontDoorError::of_values(source, &root, &[Found { kind, node: root.id }]));
        }
        let field = root.take(table);
        let is_inside = |found: &Found| {
            field.as_ref().is_some_and(|field| field.value.path_to(found.node).is_some())
        };
        let (inside, outside): (Vec<_>, Vec<_>) = missing.into_iter().partition(is_inside);
        let door = read(&root, outside, check);
        let section = match &field {
            Some(field) => read(&field.value, inside, |section, _| {
                check_section(section).map_err(|wrong| {
                    vec![Contradiction::new(Path::written(wrong.field()), &wrong.problem())]
                })
            }),
            None => Err(vec![Found { kind: FaultKind::MissingField(table), node: root.id }]),
        };
        if let Some(field) = field {
            root.put(field);
        }
        match (door, section) {
            (Ok((tables, ())), Ok((section, ()))) => {
                let door = Self { tables, fingerprint };
                refuse(&further(&door, &section), source, &root)?;
                Ok((door, section))
            }
            (door, section) => {
                let found: Vec<Found> =
                    door.err().into_iter().chain(section.err()).flatten().collect();
                Err(FrontDoorError::of_values(source, &root, &found))
            }
        }
    }

    /// Calls a function with the profile that the file describes, to look at it or to change it further.
    ///
    /// ```
    /// use tower_api_key::config::{FileFormat, FrontDoor};
    /// use tower_api_key::store::MemoryStore;
    /// use tower_api_key::{ApiKeyLayer, Profile};
    ///
    /// let door = FrontDoor::parse("gate.toml", "profile.base = 'personyze'", FileFormat::Toml)?;
    /// let layer = door.with_profile(|profile| {
    ///     let ours = Profile { realm: "ours", ..profile };
    ///     ApiKeyLayer::builder(ours, MemoryStore::new()).build()
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_profile<R>(&self, call: impl FnOnce(Profile<'_>) -> R) -> R {
        let (room, path) = (Bump::new(), Path::default());
        let table = &self.tables.profile;
        // The file was checked, so it describes a profile.
        let quotas = table.quotas(&path).unwrap_or_default();
        call(table.describe(&quotas, &room, &path).unwrap_or(NOTHING))
    }

    /// Starts a layer that works with these backends, and does all else as the file says.
    pub fn builder(&self, backends: &Backends) -> ApiKeyLayerBuilder {
        // The file was checked, so there is a profile. Without one, the builder refuses to build.
        let nothing = |_| ApiKeyLayerBuilder::new(&NOTHING, Arc::clone(&backends.store));
        self.tables.builder(backends).unwrap_or_else(nothing)
    }

    /// Returns the hasher of keys, with the pepper or peppers of the file. Whatever issues keys for this front door needs the same.
    ///
    /// ```
    /// use tower_api_key::config::{FileFormat, FrontDoor};
    /// use tower_api_key::key::{Issuer, KeyFormat};
    ///
    /// let door = FrontDoor::parse("gate.toml", "profile.base = 'standard'", FileFormat::Toml)?;
    /// let key = Issuer::new(KeyFormat::STANDARD, door.hasher()).issue(Some("live"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hasher(&self) -> KeyHasher {
        // The file was checked, so its peppers are some.
        let path = Path::default();
        let keyring = self.tables.peppers.as_ref().and_then(|table| table.describe(&path).ok());
        let alone = || self.tables.pepper.as_ref().and_then(|table| table.describe(&path).ok());
        keyring.or_else(alone).unwrap_or_else(KeyHasher::sha256)
    }

    /// Returns a hash of the file's text, and of all that it takes from elsewhere. Two reads with one hash found the same.
    ///
    /// The hash is salted with a random number of this process: another process has another hash for the same file.
    pub const fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// Returns the [`fingerprint`](Self::fingerprint) that a file would have, without a look at what it means.
    ///
    /// # Errors
    ///
    /// [`FrontDoorError`] if the file cannot be read, or is no TOML or JSON.
    ///
    /// ```no_run
    /// use tower_api_key::config::FrontDoor;
    ///
    /// let door = FrontDoor::read("gate.toml")?;
    /// let is_changed = FrontDoor::fingerprint_of("gate.toml")? != door.fingerprint();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fingerprint_of(path: impl AsRef<FilePath>) -> Result<[u8; 32], FrontDoorError> {
        let (source, surroundings) = open(path.as_ref())?;
        let (root, _) = filled(&source, &surroundings)?;
        Ok(fingerprint(&source, &root))
    }

    /// Returns the table `[store]`, if there is one.
    pub const fn store(&self) -> Option<&StoreSettings> {
        self.tables.store.as_ref()
    }

    /// Returns the table `[limiter]`, if there is one.
    pub const fn limiter(&self) -> Option<&LimiterSettings> {
        self.tables.limiter.as_ref()
    }

    /// Returns the table `[telemetry]`. Without one, nothing is logged or counted.
    pub fn telemetry(&self) -> TelemetrySettings {
        self.tables.telemetry.unwrap_or_default()
    }
}

/// Shows no field: each can be a secret from elsewhere.
impl std::fmt::Debug for FrontDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrontDoor").finish_non_exhaustive()
    }
}

/// Reads the text of a file.
pub(super) fn open(path: &FilePath) -> Result<(SourceText, SystemSurroundings), FrontDoorError> {
    let name = || path.display().to_string();
    SourceText::open(path).map_err(|source| FrontDoorError::Unreadable { name: name(), source })
}

/// Returns the tree of a text, with all that it takes from elsewhere, and what cannot be taken.
fn filled(
    source: &SourceText,
    surroundings: &dyn Surroundings,
) -> Result<(Node, Vec<Found>), FrontDoorError> {
    let mut root = source.tree().map_err(|errors| FrontDoorError::of_syntax(source, errors))?;
    let missing = fill_in(&mut root, surroundings).into_iter();
    let found =
        |(node, problem)| Found { kind: FaultKind::Problem(FieldProblem::new(problem)), node };
    let missing = missing.map(found).collect();
    Ok((root, missing))
}
