//! Reads the file of a front door, which may have a table of the program that serves it.

use std::path::Path;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};
use tower_api_key::config::{FrontDoor, FrontDoorError, Mistake};
use tower_api_key_front_door::LiveFrontDoor;

/// Reads a file. `table` belongs to the program that serves the file, and may hold anything.
///
/// If the one field that the file must not have is a table, the error's text ends with a hint.
pub(crate) fn read(file: &Path, table: Option<&str>) -> Result<FrontDoor, FrontDoorError> {
    let Some(table) = table else {
        let read = FrontDoor::read_checked(file, LiveFrontDoor::mistakes_of);
        return read.map_err(|error| with_hint(file, error));
    };
    read_with::<IgnoredAny>(file, table)
}

fn read_with<T: DeserializeOwned>(file: &Path, table: &str) -> Result<FrontDoor, FrontDoorError> {
    // The program ends with its command, which reads few files.
    let table = table.to_owned().leak();
    let further = |door: &FrontDoor, _: &T| LiveFrontDoor::mistakes_of(door);
    FrontDoor::read_with_checked(file, table, |_: &T| Ok(()), further).map(|(door, _)| door)
}

fn with_hint(file: &Path, mut error: FrontDoorError) -> FrontDoorError {
    if let FrontDoorError::Mistaken { mistakes, text, .. } = &mut error {
        let mut unknown = mistakes.iter().filter(|mistake| is_unknown(mistake));
        if let (Some(only), None) = (unknown.next(), unknown.next())
            && is_table(file, only.field())
        {
            let name = only.field();
            text.push_str(&format!(
                "\n\nhint: if the table `{name}` belongs to the program that serves the file, add `--table {name}`. \
                 That program's own check finds the mistakes inside, as `gateway --check FILE` does"
            ));
        }
    }
    error
}

/// Returns true if the mistake is a field of the whole file that is not known, and like none that is.
fn is_unknown(mistake: &Mistake) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let field = mistake.field();
    !mistake.help().is_some_and(|help| help.starts_with("did you mean"))
        && !field.is_empty()
        && field.bytes().all(is_of_name)
        && mistake.message() == format!("there is no field `{field}`")
}

fn is_table(file: &Path, field: &str) -> bool {
    match read_with::<Map<String, Value>>(file, field) {
        Ok(_) => true,
        Err(FrontDoorError::Mistaken { mistakes, .. }) => {
            mistakes.iter().all(|mistake| mistake.field() != field)
        }
        Err(_) => false,
    }
}
