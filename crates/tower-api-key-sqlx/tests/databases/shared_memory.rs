//! What the servers of these tests leave behind.

use std::process::Command;

use crate::postgres::Postgres;

fn has_segment(id: &str) -> bool {
    let listed = Command::new("ipcs").arg("-m").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    listed.lines().any(|line| line.split_whitespace().nth(1) == Some(id))
}

/// The kernel has 4,096 segments of System V shared memory for all programs.
#[test]
fn a_server_that_is_killed_leaves_no_shared_memory() {
    let Some(mut server) = Postgres::start() else { return };
    let first = server.shared_memory().unwrap();
    assert!(has_segment(&first));
    server.kill();
    server.start_again();
    assert!(!has_segment(&first));
    let second = server.shared_memory().unwrap();
    assert!(has_segment(&second));
    drop(server);
    // Its last child may end a moment later.
    for _ in 0..100 {
        if !has_segment(&second) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the segment {second} is left");
}
