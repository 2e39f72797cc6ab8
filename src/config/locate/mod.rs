//! Where a mistake that the builder finds stands in the file.
//!
//! The builder says what is wrong, and how to mend it in Rust. This module adds the path of the field that has to change,
//! the fields that the mistake depends on, and the remedy in a file where the builder's would mislead.

mod config_error;
mod header;
mod options;
mod route;
mod wording;
