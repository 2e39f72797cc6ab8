//! A folder and a port of one test's own.

#![allow(dead_code)] // Each program of tests uses its own part of this.

use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{env, fs, process};

/// A folder that is removed with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("tower-api-key-{}-{number}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns a port of loopback for a server that a test starts. The port that is greater by 10,000 is free, too: the bus
/// of a cluster takes it. No other test gets the port while this program runs, and a server may leave it for a while.
pub(crate) fn free_port() -> u16 {
    // Linux gives no port below 32,768 to a connection, or to a program that asks for any port.
    const FIRST: u32 = 10_000;
    // A socket of UDP claims the port of TCP with the same number: tests of other programs look for it.
    static CLAIMED: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number =
            process::id().wrapping_mul(101).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + number % 10_000).unwrap();
        let Ok(claim) = UdpSocket::bind(("127.0.0.1", port)) else { continue };
        let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if is_free(port) && is_free(port + 10_000) {
            CLAIMED.lock().unwrap_or_else(PoisonError::into_inner).push(claim);
            return port;
        }
    }
}
