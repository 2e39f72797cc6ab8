//! The schema that ships is the one that the tables give, and says of files what the reader says.

use std::fs;
use std::path::{Path, PathBuf};
use std::{env, ffi::OsStr};

use jsonschema::Validator;
use serde_json::Value;
use tower_api_key::config::{FileFormat, FrontDoor, json_schema, json_schema_with};

use super::broken::{BROKEN, RIGHT};
use crate::vendor_files::root;

/// The first line of a file that editors check.
const DIRECTIVE: &str = "#:schema ";

pub(super) fn path() -> PathBuf {
    root().join("schema/front-door.schema.json")
}

pub(super) fn validator() -> Validator {
    jsonschema::draft7::new(&serde_json::from_str(&json_schema()).unwrap()).unwrap()
}

/// Returns what the schema finds wrong.
pub(super) fn mistakes(validator: &Validator, file: &str) -> Vec<String> {
    let value: Value = toml::from_str(file).unwrap();
    let told =
        |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    validator.iter_errors(&value).map(told).collect()
}

/// Lists the vendors' files, and all others in TOML that name the schema.
fn files() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), found);
            } else if entry.path().extension() == Some(OsStr::new("toml"))
                && (entry.path().starts_with(root().join("vendors"))
                    || fs::read_to_string(entry.path()).unwrap().starts_with(DIRECTIVE))
            {
                found.push(entry.path());
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["vendors", "examples", "docs", "tests"] {
        walk(&root().join(folder), &mut found);
    }
    found
}

#[test]
fn what_ships_is_what_the_tables_give() {
    let schema = json_schema();
    if env::var_os("UPDATE_FILES").is_some() {
        fs::write(path(), &schema).unwrap();
    }
    assert!(
        fs::read_to_string(path()).ok() == Some(schema),
        "{} is outdated: run `UPDATE_FILES=1 cargo test -p tests --test config`",
        path().display()
    );
}

#[test]
fn it_is_a_schema() {
    let schema: Value = serde_json::from_str(&json_schema()).unwrap();
    jsonschema::draft7::meta::validate(&schema).unwrap();
    for example in schema["examples"].as_array().unwrap() {
        assert!(validator().is_valid(example), "{example}");
    }
}

#[test]
fn every_table_is_closed() {
    fn walk(path: &str, schema: &Value, open: &mut Vec<String>) {
        // A header has any name, and so has a text of a JSON body.
        if schema["type"] == "object" && schema["additionalProperties"] == Value::Null {
            open.push(path.to_owned());
        }
        match schema {
            Value::Object(parts) => {
                for (name, part) in parts {
                    walk(&format!("{path}/{name}"), part, open);
                }
            }
            Value::Array(parts) => parts.iter().for_each(|part| walk(path, part, open)),
            _ => {}
        }
    }
    let mut open = Vec::new();
    walk("", &serde_json::from_str(&json_schema()).unwrap(), &mut open);
    assert!(open.is_empty(), "{open:#?}");
}

#[test]
fn files_of_vendors_and_those_that_name_it_are_valid() {
    let (files, validator) = (files(), validator());
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let named = text.lines().next().unwrap().strip_prefix(DIRECTIVE);
        if let Some(named) = named {
            let named = file.parent().unwrap().join(named);
            assert!(named.exists(), "{}: {}", file.display(), named.display());
        }
        assert_eq!(mistakes(&validator, &text), [""; 0], "{}", file.display());
    }
}

#[test]
fn it_finds_what_the_reader_finds_by_shape() {
    let validator = validator();
    for (name, file) in BROKEN {
        assert!(FrontDoor::parse("gate.toml", file, FileFormat::Toml).is_err(), "read: {name}");
        assert_ne!(mistakes(&validator, file), [""; 0], "valid: {name}");
    }
}

#[test]
fn it_takes_what_the_reader_takes() {
    let validator = validator();
    for (name, file) in RIGHT {
        if let Err(error) = FrontDoor::parse("gate.toml", file, FileFormat::Toml) {
            panic!("{name}: {error}");
        }
        assert_eq!(mistakes(&validator, file), [""; 0], "{name}");
    }
}

#[test]
fn a_table_of_the_program_is_checked_too() {
    let schema: Value = serde_json::from_str(&json_schema_with::<u16>("port")).unwrap();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    for (file, valid) in [
        ("profile.base = 'persona'\nport = 80", true),
        ("profile.base = 'persona'\nport = { env = 'PORT' }", true),
        ("profile.base = 'persona'\nport = 65536", false),
        ("profile.base = 'persona'", false),
    ] {
        assert_eq!(mistakes(&validator, file).is_empty(), valid, "{file}");
    }
}
