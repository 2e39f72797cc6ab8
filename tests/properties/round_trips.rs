//! What is written is read as the same: digests, networks, names, and keys of any format.

use std::net::IpAddr;

use proptest::prelude::*;
use tower_api_key::key::{
    AccountId, Alphabet, IssueError, Issuer, KeyDigest, KeyFormat, KeyHasher, Networks, Segment,
};

const LITERALS: [&str; 4] = ["acme_", "k", "-.-", "0"];
const TAGS: [&[&str]; 2] = [&["live", "test"], &["a", "b", "sandbox"]];
const ALPHABETS: [Alphabet; 5] =
    [Alphabet::Hex, Alphabet::LowerHex, Alphabet::Base62, Alphabet::Base64Url, Alphabet::Token];

/// Any format of text, tags and characters, the last of which may vary in number, or a checksum.
fn format() -> impl Strategy<Value = KeyFormat<'static>> {
    let segment = (0..3u8, any::<prop::sample::Index>(), 1..40u16);
    let end = (0..3u8, any::<prop::sample::Index>(), 20..40u16);
    (prop::collection::vec(segment, 0..4), end).prop_map(|(segments, (end, alphabet, count))| {
        let mut format = KeyFormat::new();
        let mut tagged = false;
        for (kind, which, count) in segments {
            format = match kind {
                0 => format.literal(LITERALS[which.index(LITERALS.len())]),
                1 if !tagged => {
                    tagged = true;
                    format.environment(TAGS[which.index(TAGS.len())])
                }
                _ => format.characters(ALPHABETS[which.index(ALPHABETS.len())], count),
            };
        }
        let alphabet = ALPHABETS[alphabet.index(ALPHABETS.len())];
        match end {
            0 => format.between(alphabet, count, 2 * count),
            1 => format.characters(alphabet, count).checksum(),
            _ => format.characters(alphabet, count + 20),
        }
    })
}

fn tag(format: &KeyFormat<'static>) -> Option<&'static str> {
    let tags = |segment| match segment {
        Segment::Environment(tags) => tags.first().copied(),
        _ => None,
    };
    format.segments().find_map(tags)
}

proptest! {
    #[test]
    fn digests(bytes in any::<[u8; 32]>()) {
        let digest = KeyDigest::from_bytes(bytes);
        let text = digest.to_hex();
        prop_assert_eq!(text.parse(), Ok(digest));
        prop_assert_eq!(text.len(), 64);
        prop_assert_eq!(digest.as_bytes(), &bytes);
    }

    #[test]
    fn whatever_is_read_as_a_digest_is_one(text in "[0-9a-fA-F]{60,68}|.{0,70}") {
        if let Ok(digest) = text.parse::<KeyDigest>() {
            prop_assert_eq!(digest.to_hex(), text.to_ascii_lowercase());
        }
    }

    #[test]
    fn networks(parts in prop::collection::vec((any::<IpAddr>(), any::<u8>()), 0..5)) {
        let texts: Vec<String> = parts
            .iter()
            .map(|(address, length)| match address {
                IpAddr::V4(_) => format!("{address}/{}", length % 33),
                IpAddr::V6(_) => format!("{address}/{}", length % 129),
            })
            .collect();
        let networks = Networks::new(texts.iter().map(String::as_str)).unwrap();
        let written: Vec<String> = networks.iter().map(ToString::to_string).collect();
        let again = Networks::new(written.iter().map(String::as_str)).unwrap();
        prop_assert_eq!(&again, &networks);
        for (address, length) in parts {
            // A mapped address is one of IPv4, which no wider network of IPv6 has.
            if address.to_canonical() != address && length % 129 < 96 {
                continue;
            }
            prop_assert!(networks.contains(address), "{}", address);
            prop_assert!(networks.contains(address.to_canonical()));
        }
    }

    #[test]
    fn names(text in "[!-~]{1,255}|.{0,300}") {
        if let Ok(name) = AccountId::new(&text) {
            prop_assert_eq!(name.as_str(), &text);
            prop_assert_eq!(name.to_string().parse::<AccountId>().unwrap(), name);
            prop_assert!(http::HeaderValue::from_str(&text).is_ok());
        }
    }

    /// An issued key is one of its format, and no other text is that differs in one character of the
    /// checksum, or in length.
    #[test]
    fn keys(format in format(), seed in any::<u64>(), at in any::<prop::sample::Index>()) {
        let issuer = Issuer::new(format, KeyHasher::sha256());
        let mut state = seed;
        let issued = issuer.insecure_issue_from(tag(&format), |bytes| {
            for byte in bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                *byte = (state >> 56) as u8;
            }
            Ok(())
        });
        let issued = match issued {
            Err(IssueError::WeakFormat { .. } | IssueError::StuckSource) => return Ok(()),
            issued => issued.unwrap(),
        };
        let key = issued.expose().as_bytes();
        prop_assert!(format.matches(key), "{}", format.pattern());
        prop_assert_eq!(issued.digest(), &KeyHasher::sha256().digest(key));
        prop_assert!(!format.matches(&[key, b" "].concat()));
        if format.segments().any(|segment| segment == Segment::Checksum) {
            let mut other = key.to_vec();
            let at = at.index(key.len());
            other[at] = if other[at] == b'a' { b'b' } else { b'a' };
            prop_assert!(!format.matches(&other), "a checksum finds one wrong character");
        }
    }
}
