//! The vendors' files are what the constants print.

use std::env;
use std::fmt::Write;
use std::fs;

use tower_api_key::config::profile_to_toml;

use crate::vendor_files::{FILES, VendorFile, root};

impl VendorFile {
    /// Writes the file: the facts of the vendor's module as comments, and what its constants print.
    fn print(&self) -> String {
        let module = root().join("src/vendors").join(self.module).with_extension("rs");
        let module = fs::read_to_string(module).unwrap();
        let mut file = String::from("#:schema ../schema/front-door.schema.json\n");
        for line in module.lines().map_while(|line| line.strip_prefix("//!")) {
            writeln!(file, "#{}", plain(line)).unwrap();
        }
        file + "\n" + &profile_to_toml(&self.profile).unwrap()
    }
}

/// Removes the targets of links: they are paths of Rust.
fn plain(line: &str) -> String {
    let mut words = String::new();
    let mut rest = line;
    while let Some((before, link)) = rest.split_once("](") {
        let (_, after) = link.split_once(')').unwrap();
        let (text, name) = before.rsplit_once('[').unwrap();
        words = words + text + name;
        rest = after;
    }
    words + rest
}

#[test]
fn the_files_are_what_the_constants_print() {
    let mut outdated = Vec::new();
    for file in &FILES {
        let printed = file.print();
        if env::var_os("UPDATE_FILES").is_some() {
            fs::write(file.path(), &printed).unwrap();
        }
        if fs::read_to_string(file.path()).ok() != Some(printed) {
            outdated.push(file.name);
        }
    }
    assert!(
        outdated.is_empty(),
        "{outdated:?} differ from the constants: run `UPDATE_FILES=1 cargo test -p tests --test gate config::`"
    );
}

#[test]
fn the_files_describe_the_same_as_the_constants() {
    for file in &FILES {
        file.door().with_profile(|profile| {
            assert_eq!(format!("{profile:#?}"), format!("{:#?}", file.profile), "{}", file.name);
        });
    }
}

#[test]
fn every_constant_ships_as_a_file() {
    let names = FILES.iter().map(|file| format!("{}.toml", file.name));
    let mut shipped: Vec<_> = fs::read_dir(root().join("vendors"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    shipped.sort();
    assert!(names.eq(shipped.iter().cloned()), "{shipped:?}");
}
