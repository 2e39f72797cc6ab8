//! A process that a test starts, and that ends itself.

use std::env;
use std::process::Command;

/// What a process gets from the test that starts it.
const GIVEN: &str = "TOWER_API_KEY_STOPS";

/// Runs a test of this program in a process of its own, and returns true if it came to its own end.
pub(crate) fn run(test: &str, given: &str) -> bool {
    let ended = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--test-threads=1"])
        .env(GIVEN, given)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ended.stdout);
    // A process that ended itself has no exit code.
    assert!(ended.status.success() || ended.status.code().is_none(), "{text}");
    assert!(
        !ended.status.success() || text.contains("1 passed"),
        "there is no test {test}: {text}"
    );
    ended.status.success()
}

/// Returns what the test that started this process has given, as parts between bars.
pub(crate) fn given() -> Vec<String> {
    env::var(GIVEN).unwrap().split('|').map(str::to_owned).collect()
}
