//! Files of front doors: any bytes, as TOML and as JSON. What is refused has mistakes that lie in the file, and what is
//! accepted builds a gate.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tower_api_key::config::{Backends, FileFormat, FrontDoor};
use tower_api_key::limits::MemoryLimiter;
use tower_api_key::store::MemoryStore;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // No file of this machine is opened, however its field is written.
    if text.replace("profile", "").contains("file") || text.contains('\\') {
        return;
    }
    // A table of attempts may have 400 MB.
    if text.contains("capacity") || text.contains("keys") {
        return;
    }
    for format in [FileFormat::Toml, FileFormat::Json] {
        match FrontDoor::parse("gate", text, format) {
            Ok(door) => {
                let backends = Backends::new(MemoryStore::new()).limiter(MemoryLimiter::new());
                door.builder(&backends).build().expect("the file was checked");
            }
            Err(error) => {
                assert!(!error.mistakes().is_empty());
                let lines = text.lines().count().max(1) + 1;
                assert!(
                    error.mistakes().iter().all(|it| (1..=lines).contains(&it.line())),
                    "{error}"
                );
            }
        }
    }
});
