//! The generated code of the gRPC API is that of its `.proto` file.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../../crates/tower-api-key-sqlx/tests/databases/folder.rs"]
mod folder;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use folder::Folder;

#[test]
fn the_committed_code_is_generated_from_the_proto_file() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = Folder::new();
    let descriptors = protox::compile(["users.proto"], [package.join("proto")]).unwrap();
    tonic_prost_build::configure()
        .build_transport(false)
        .out_dir(directory.path())
        .compile_fds(descriptors)
        .unwrap();
    let generated = std::fs::read_to_string(directory.path().join("vendors.v1.rs")).unwrap();
    let committed = std::fs::read_to_string(package.join("src/users_v1.rs")).unwrap();
    assert_eq!(code(&generated), code(&committed));
}

/// Returns the code in this workspace's format, without the comment in its first line.
fn code(text: &str) -> String {
    let (_, code) = text.split_once('\n').unwrap();
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    rustfmt.stdin.take().unwrap().write_all(code.as_bytes()).unwrap();
    let output = rustfmt.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}
