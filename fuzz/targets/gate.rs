//! The whole gate against the independent model of it: same decision, status, body, challenge and
//! limit headers. The bytes are the choices of the model's own generator.

#![no_main]

#[path = "../../tests/model/main.rs"]
mod model;

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use model::compare::Pairs;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static PAIRS: RefCell<(Runtime, Pairs)> = RefCell::new({
        (Builder::new_current_thread().enable_time().build().unwrap(), Pairs::new())
    });
}

fuzz_target!(|bytes: &[u8]| {
    PAIRS.with_borrow_mut(|(runtime, pairs)| {
        if let Err(differences) = runtime.block_on(pairs.run(bytes)) {
            panic!("{differences}");
        }
    });
});
