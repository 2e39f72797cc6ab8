//! Making secrets.

use std::fs;
use std::path::Path;

use tower_api_key::key::{Alphabet, IssuedKey, Issuer, KeyFormat, KeyHasher, Pepper};

use crate::arguments::Form;
use crate::failure::Failure;

/// The characters between prefix and checksum; 29 of base 62 are 172 bits.
const RANDOM_CHARACTERS: u16 = 29;

impl Form {
    /// Issues a secret of this form.
    pub(crate) fn issue(&self, environment: Option<&str>) -> Result<IssuedKey, Failure> {
        let format = match self.vendor {
            Some(vendor) => *vendor.profile().formats.first().ok_or_else(|| {
                Failure::Invalid("this vendor's profile has no format".to_owned())
            })?,
            None => generic(&self.prefix)?,
        };
        Ok(Issuer::new(format, hasher(self.pepper_file.as_deref())?).issue(environment)?)
    }
}

fn generic(prefix: &str) -> Result<KeyFormat, Failure> {
    if !prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
        return Err(Failure::Invalid("a prefix is letters, digits, `_` and `-`".to_owned()));
    }
    // A format is data of the program; this one lives as long as it.
    let prefix: &'static str = prefix.to_owned().leak();
    Ok(KeyFormat::new().literal(prefix).characters(Alphabet::Base62, RANDOM_CHARACTERS).checksum())
}

/// Returns the hasher of a pepper's file, without the line break at its end.
pub(crate) fn hasher(pepper_file: Option<&Path>) -> Result<KeyHasher, Failure> {
    let Some(path) = pepper_file else {
        return Ok(KeyHasher::sha256());
    };
    let read = fs::read(path).map_err(Failure::io("cannot read the file of the pepper"))?;
    let pepper = read.strip_suffix(b"\n").unwrap_or(&read);
    Ok(KeyHasher::with_pepper(&Pepper::new(pepper)?))
}
