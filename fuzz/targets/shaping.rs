//! JSON of any bytes, shaped with any blocklist: what is blocked is gone, what is left is JSON, and a second
//! time changes nothing. (Camel case does not show where words of one letter begin, so there it may.)

#![no_main]

use libfuzzer_sys::fuzz_target;
use tower_api_key::shaping::{Blocklist, Inflection, Shape};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (paths, json) = text.split_once('\n').unwrap_or(("b, a.c", text));
    let Ok(blocklist) = paths.parse::<Blocklist>() else { return };
    let blocking = Shape::new().with_blocklist(blocklist.clone());
    for inflection in Inflection::ALL {
        let shape = blocking.clone().with_inflection(inflection);
        let Ok(shaped) = shape.apply(json) else {
            // Without a blocklist and a case, no name is decoded.
            assert!(blocklist.is_empty() || blocking.apply(json).is_err());
            continue;
        };
        assert_eq!(blocking.apply(&shaped).as_ref(), Ok(&shaped), "something blocked is left");
        if inflection != Inflection::Camel {
            assert_eq!(shape.apply(&shaped).as_ref(), Ok(&shaped), "a second time changes nothing");
        }
        if blocklist.is_empty() {
            let signs = |text: &str| text.matches(['{', '}', '[', ']', ',', ':']).count();
            assert_eq!(signs(&shaped), signs(json), "nothing is blocked, and something is gone");
        }
    }
});
