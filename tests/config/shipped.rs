//! The vendors' files are what the constants print.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use tower_api_key::config::to_toml;

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
        file + "\n" + &to_toml(&self.profile, self.routes).unwrap()
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
    let shipped = fs::read_dir(root().join("vendors")).unwrap().map(|entry| entry.unwrap().path());
    let shipped = shipped.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let is_of_no_constant =
        |path: &PathBuf| FILES.iter().all(|file| file.path().file_name() != path.file_name());
    let strays: Vec<_> = shipped.filter(is_of_no_constant).collect();
    assert!(strays.is_empty(), "{strays:?}");
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
        "{outdated:?} differ from the constants: run `UPDATE_FILES=1 cargo test -p tests --test config`"
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
