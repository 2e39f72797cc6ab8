//! The memory of this process after a key was presented: what was decoded is wiped, and so is what
//! was hashed. Linux shows a process its own memory, so nothing unsafe is needed to look.

use std::fs::{self, File};
use std::future::Future;
use std::hint::{black_box, spin_loop};
use std::io::{Read, Seek, SeekFrom};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use tower_api_key::key::{Issuer, KeyDigest, KeyFormat, KeyHasher, Pepper, SharedRecord};
use tower_api_key::profile::{BasicKey, CredentialSource};
use tower_api_key::store::{KeyStore, StoreError};
use tower_api_key::{ApiKeyLayer, Profile, Reply, vendors};
use zeroize::Zeroizing;

use crate::support::{anonymous, greeting, reason, send};

/// A key as it is sent, and what is looked for: its middle, which stands nowhere in this program but
/// backwards, for what is found must not be the test's own. What else is left is of no use.
struct Sent {
    profile: Profile<'static>,
    token: &'static str,
    backwards: &'static [u8],
}

/// `api:` and 40 digits, which are one block to SHA-256.
const SHORT: Sent = Sent {
    profile: vendors::PERSONYZE,
    token: "YXBpOjdDNDFFMDlCNUQyRjg2QTMwRDlFNEIxN0YyNUM4ODYzQUUwMTk0RDc=",
    backwards: b"A3688C52F71B4E9D03A68F2D",
};

/// 123 characters as a password, which are more than one; the middle is of the second.
const LONG: Sent = Sent {
    profile: Profile {
        credentials: &[CredentialSource::basic(BasicKey::UserOrPassword)],
        required_headers: &[],
        ..vendors::POLYTEIA
    },
    token: concat!(
        "OnRvazBiMzA1NTdhOWZjNGU5MGUzMzU4N2RhMmM3ZWMxMTM2NWI4MGE1Y2FlZjE0Mzk1ZTgzYThjZGYy",
        "MTczYzYxODZhYmQwZjUxYTNmNjQ4OWFlZDNmODFkNDI2NzhjYjFkNmZiMjA0NTZhOGZiNGQ5ZmUyMzQ4NmQ5Mg==",
    ),
    backwards: b"65402bf6d1bc87624d18f3de",
};

/// A key that is issued; nothing is sent.
const ISSUED: Sent =
    Sent { profile: vendors::PERSONYZE, token: "", backwards: b"D5C3B1A79F0E8246" };

/// Counts the places in writable memory that hold the middle of a key.
fn traces(sent: &Sent) -> usize {
    let backwards = black_box(sent.backwards);
    let (last, rest) = backwards.split_last().unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let writable = maps.lines().filter(|line| line.contains(" rw"));
    let regions: Vec<[u64; 2]> = writable
        .map(|line| line.split(' ').next().unwrap().split_once('-').unwrap())
        .map(|(start, end)| [start, end].map(|text| u64::from_str_radix(text, 16).unwrap()))
        .collect();
    let length = |[start, end]: [u64; 2]| usize::try_from(end - start).unwrap();
    let longest = regions.iter().copied().map(length).max().unwrap();
    // What is found must not be found again in the copy that was looked at.
    let mut copy = Zeroizing::new(vec![0; longest]);
    let mut memory = File::open("/proc/self/mem").unwrap();
    let (mut found, mut read) = (0, 0);
    for region in regions {
        let bytes = &mut copy[..length(region)];
        memory.seek(SeekFrom::Start(region[0])).unwrap();
        if memory.read_exact(bytes).is_err() {
            continue; // a guard, or gone since
        }
        read += bytes.len();
        let mut left = &*bytes;
        while let Some(at) = left.iter().position(|byte| byte == last) {
            left = &left[at + 1..];
            let middle = left.get(..rest.len());
            found += usize::from(middle.is_some_and(|text| text.iter().rev().eq(rest)));
        }
    }
    assert!(read > 1_000_000, "only {read} bytes were looked at");
    found
}

/// A store that rests when it is asked, which is as soon as the key has been digested: the stack is
/// as reading and digesting have left it.
#[derive(Clone, Default)]
struct Resting {
    asked: Arc<AtomicBool>,
    go: Arc<AtomicBool>,
}

impl KeyStore for Resting {
    fn find(&self, _: &KeyDigest) -> Reply<Result<Option<SharedRecord>, StoreError>> {
        self.asked.store(true, Ordering::SeqCst);
        // To sleep would be to call, and to call is to write over the stack.
        while !self.go.load(Ordering::SeqCst) {
            spin_loop();
        }
        Reply::now(Ok(None))
    }
}

/// Counts the traces of a key that a gate with this hasher has just read and digested.
fn traces_of(sent: &Sent, hasher: KeyHasher) -> usize {
    let store = Resting::default();
    let layer = ApiKeyLayer::builder(sent.profile, store.clone()).hasher(hasher);
    let layer = layer.without_limits().build().unwrap();
    let line = format!("Basic {}", sent.token);
    let client = thread::spawn(move || {
        let mut request = anonymous(Method::GET, "/");
        request.headers_mut().insert("authorization", line.parse().unwrap());
        let service = greeting(&layer);
        let served = pin!(send(&service, request));
        let served = served.poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(response) = served else { panic!("nothing waits") };
        assert_eq!(reason(&response), "key_unknown");
    });
    while !store.asked.load(Ordering::SeqCst) {
        assert!(!client.is_finished(), "the store was not asked");
        spin_loop();
    }
    let found = traces(sent);
    store.go.store(true, Ordering::SeqCst);
    client.join().unwrap();
    found
}

#[test]
fn a_presented_key_leaves_no_trace_in_memory() {
    let pepper = Pepper::new(*b"sixteen random b").unwrap();
    for sent in [SHORT, LONG] {
        let decoded = Zeroizing::new(STANDARD.decode(black_box(sent.token)).unwrap());
        assert!(traces(&sent) > 0, "a copy that is kept is found");
        drop(decoded);
        assert_eq!(traces(&sent), 0, "and not after it is wiped");
        for hasher in [KeyHasher::sha256(), KeyHasher::with_pepper(&pepper)] {
            let what = format!("{hasher:?}, {} characters", sent.token.len());
            assert_eq!(traces_of(&sent, hasher), 0, "{what}");
        }
    }
}

#[test]
fn an_issued_key_leaves_no_trace_in_memory() {
    let issuer = Issuer::new(KeyFormat::hex(48), KeyHasher::sha256());
    let issued = issuer.insecure_issue_from(None, |bytes| {
        // The digits of the middle over and over, as numbers.
        let digits = black_box(ISSUED.backwards).iter().rev().cycle();
        for (byte, digit) in bytes.iter_mut().zip(digits) {
            *byte = u8::try_from(char::from(*digit).to_digit(16).unwrap()).unwrap();
        }
        Ok(())
    });
    let issued = issued.unwrap();
    assert!(traces(&ISSUED) > 0, "it is there as long as it is held");
    drop(issued);
    assert_eq!(traces(&ISSUED), 0);
}
