//! Reads a file that the program checks further, for what the core does not know.

use std::path::Path as FilePath;

use serde::de::DeserializeOwned;

use super::front_door::{FrontDoor, open};
use super::report::FrontDoorError;
use super::section::SectionMistake;

impl FrontDoor {
    /// Reads a file as [`read`](Self::read) does, and refuses it if your program finds more mistakes: a table that the
    /// program does not serve, say. The program gets the same messages for them, with line and column.
    ///
    /// `further` looks at a file without other mistakes. It names each field by its path from the root of the file.
    ///
    /// # Errors
    ///
    /// [`FrontDoorError`] if the file cannot be read, or has mistakes.
    ///
    /// ```no_run
    /// use tower_api_key::config::{FrontDoor, SectionMistake};
    ///
    /// let door = FrontDoor::read_checked("gate.toml", |door| {
    ///     let unserved = || SectionMistake::new("management", "this program serves no management: remove the table");
    ///     door.management().map(|_| unserved()).into_iter().collect()
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_checked(
        path: impl AsRef<FilePath>,
        further: impl Fn(&Self) -> Vec<SectionMistake>,
    ) -> Result<Self, FrontDoorError> {
        let (source, surroundings) = open(path.as_ref())?;
        Self::of(&source, &surroundings, further)
    }

    /// Reads a file with a table of your program as [`read_with`](Self::read_with) does, and checks it further as
    /// [`read_checked`](Self::read_checked) does. `further` sees both parts of the file, and names each field by its path
    /// from the root of the file: `server.port`.
    ///
    /// # Errors
    ///
    /// [`FrontDoorError`] if the file cannot be read, or has mistakes, or if `table` is the name of a field of the gate.
    pub fn read_with_checked<T: DeserializeOwned>(
        path: impl AsRef<FilePath>,
        table: &'static str,
        check: impl Fn(&T) -> Result<(), SectionMistake>,
        further: impl Fn(&Self, &T) -> Vec<SectionMistake>,
    ) -> Result<(Self, T), FrontDoorError> {
        let (source, surroundings) = open(path.as_ref())?;
        Self::with_section(&source, &surroundings, table, check, further)
    }
}
