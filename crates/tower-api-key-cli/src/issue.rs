//! Issues secrets.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use tower_api_key::key::{
    Alphabet, IssueError, IssuedKey, Issuer, KeyForm, KeyFormat, KeyHasher, Pepper, Peppers,
};
use tower_api_key::request::MAX_CREDENTIAL_BYTES;

use crate::failure::Failure;
use crate::vendor::Vendor;

/// The number of random characters between prefix and checksum; 29 of base 62 are 172 bits.
const RANDOM_CHARACTERS: u16 = 29;
/// The prefix without `--vendor` and `--prefix`.
const PREFIX: &str = "key_";
/// The placeholder of a prefix for the key's environment.
const ENVIRONMENT: &str = "{environment}";

/// The form of a secret.
#[derive(Debug, Args)]
#[command(next_help_heading = "Form of the secret")]
pub(crate) struct Form {
    /// Issue a secret in this vendor's format. Without --vendor and --prefix, a new key begins with `key_`,
    /// and a rotated key keeps its form
    #[arg(long, value_enum, conflicts_with = "prefix")]
    pub(crate) vendor: Option<Vendor>,
    /// Issue this prefix, 29 random characters and a checksum; `{environment}` in the prefix stands for the
    /// key's environment, as in `acme_{environment}_`
    #[arg(long)]
    pub(crate) prefix: Option<String>,
    /// Digest the secret with the pepper in this file; it must be the gate's pepper
    #[arg(long, env = "TOWER_API_KEY_PEPPER_FILE", value_name = "FILE")]
    pub(crate) pepper_file: Option<PathBuf>,
    /// Name of that pepper in the gate's keyring, which the store keeps with the secret
    #[arg(long, env = "TOWER_API_KEY_PEPPER_NAME", value_name = "NAME", requires = "pepper_file")]
    pub(crate) pepper_name: Option<String>,
    /// Store the last 4 characters of the secret, so that people can tell keys apart and find them by these
    #[arg(long, env = "TOWER_API_KEY_KEEP_TAIL")]
    pub(crate) keep_tail: bool,
}

impl Form {
    /// Returns true if `--vendor` or `--prefix` is given.
    pub(crate) const fn is_named(&self) -> bool {
        self.vendor.is_some() || self.prefix.is_some()
    }

    /// Issues a secret of the form that is given, or else of the default form.
    pub(crate) fn issue(&self, environment: Option<&str>) -> Result<IssuedKey, Failure> {
        let (format, environment) = match self.vendor {
            Some(vendor) => of_vendor(vendor, environment)?,
            None => generic(self.prefix.as_deref().unwrap_or(PREFIX), environment.as_slice())?,
        };
        issued_by(&self.with_tail(Issuer::new(format, self.hasher()?)), environment)
    }

    /// Issues a secret of the form of an earlier one.
    pub(crate) fn issue_again(&self, form: &KeyForm) -> Result<IssuedKey, Failure> {
        issued_by(&self.with_tail(Issuer::of_form(form.clone(), self.hasher()?)), None)
    }

    fn with_tail(&self, issuer: Issuer) -> Issuer {
        if self.keep_tail { issuer.keep_tails() } else { issuer }
    }

    fn hasher(&self) -> Result<KeyHasher, Failure> {
        let Some((file, name)) = self.pepper_file.as_deref().zip(self.pepper_name.as_deref())
        else {
            return hasher(self.pepper_file.as_deref());
        };
        let peppers = Peppers::builder(name, &pepper(file)?).build();
        Ok(KeyHasher::with_peppers(peppers.map_err(|error| Failure::Invalid(error.to_string()))?))
    }
}

impl Vendor {
    /// Returns the kinds of keys that the vendor's gate admits; `None` if it admits all.
    fn kinds(self) -> Option<Vec<&'static str>> {
        let sources = self.profile().credentials.iter().map(|source| source.kinds);
        sources.collect::<Option<Vec<_>>>().map(|kinds| kinds.concat())
    }

    /// Returns an error if the vendor's gate admits no key of this kind.
    pub(crate) fn check_kind(self, kind: Option<&str>) -> Result<(), Failure> {
        match self.kinds() {
            Some(kinds) if !kind.is_some_and(|kind| kinds.contains(&kind)) => {
                Err(Failure::Invalid(format!(
                    "the gate of {} admits no key of this kind: change the kind first, with `keys edit` and --kind {}",
                    self.profile().name,
                    kinds.join(" or --kind ")
                )))
            }
            _ => Ok(()),
        }
    }

    /// Returns the kind to give a new key that names none, if the vendor's gate admits one kind only.
    /// Returns an error if the gate would never admit the key.
    pub(crate) fn kind(self, named: Option<&str>) -> Result<Option<&'static str>, Failure> {
        let profile = self.profile();
        let Some(kinds) = self.kinds() else { return Ok(None) };
        let listed = || format!("--kind {}", kinds.join(" or --kind "));
        match (named, kinds.as_slice()) {
            (Some(named), kinds) if kinds.contains(&named) => Ok(None),
            (None, [only]) => Ok(Some(only)),
            (Some(_), _) => Err(Failure::Invalid(format!(
                "the gate of {} admits no key of this kind: write {}",
                profile.name,
                listed()
            ))),
            (None, _) => Err(Failure::Invalid(format!(
                "the gate of {} admits only keys of certain kinds: add {}",
                profile.name,
                listed()
            ))),
        }
    }
}

fn issued_by(issuer: &Issuer, environment: Option<&str>) -> Result<IssuedKey, Failure> {
    let issued = issuer.issue(environment).map_err(|error| match error {
        IssueError::WeakFormat { .. } => Failure::Invalid(format!(
            "{error}; a key of this form can be imported but not issued: choose another form with --vendor or \
            --prefix"
        )),
        error => error.into(),
    })?;
    let length = issued.expose().len();
    if length > MAX_CREDENTIAL_BYTES {
        return Err(Failure::Invalid(format!(
            "the key would have {length} bytes, but a gate reads at most {MAX_CREDENTIAL_BYTES} bytes: shorten \
            --prefix or --environment"
        )));
    }
    Ok(issued)
}

/// Returns the format of a vendor's new keys, and the environment if the format writes one.
fn of_vendor(
    vendor: Vendor,
    environment: Option<&str>,
) -> Result<(KeyFormat<'static>, Option<&str>), Failure> {
    let format = vendor.issued();
    let Some(tags) = format.environments() else { return Ok((format, None)) };
    if environment.is_some_and(|environment| tags.contains(&environment)) {
        return Ok((format, environment));
    }
    let name = vendor.profile().name;
    let tags = tags.join(" or --environment ");
    Err(Failure::Invalid(format!(
        "a key of {name} names its environment: write --environment {tags}"
    )))
}

/// Makes a format of a prefix, in which `{environment}` stands for the one environment given.
fn generic<'a>(
    prefix: &'a str,
    environment: &'a [&'a str],
) -> Result<(KeyFormat<'a>, Option<&'a str>), Failure> {
    let (before, after) = match prefix.split_once(ENVIRONMENT) {
        Some((before, after)) => (before, Some(after)),
        None => (prefix, None),
    };
    if ![before, after.unwrap_or_default()].into_iter().all(is_plain) {
        return Err(Failure::Invalid(format!(
            "--prefix may have letters, digits, `_` and `-`, and `{ENVIRONMENT}` at most once"
        )));
    }
    let mut format = KeyFormat::new();
    let mut tag = None;
    if !before.is_empty() {
        format = format.literal(before);
    }
    if let Some(after) = after {
        let named = environment.first().filter(|name| !name.is_empty() && is_plain(name));
        let named = named.ok_or_else(|| {
            Failure::Invalid(format!(
                "--prefix has `{ENVIRONMENT}`: add --environment, with letters, digits, `_` and `-` only"
            ))
        })?;
        tag = Some(*named);
        format = format.environment(environment);
        if !after.is_empty() {
            format = format.literal(after);
        }
    }
    Ok((format.characters(Alphabet::Base62, RANDOM_CHARACTERS).checksum(), tag))
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Returns a hasher with the pepper in a file, without the file's last line break; without a file, one
/// without a pepper.
pub(crate) fn hasher(pepper_file: Option<&Path>) -> Result<KeyHasher, Failure> {
    let Some(path) = pepper_file else {
        return Ok(KeyHasher::sha256());
    };
    Ok(KeyHasher::with_pepper(&pepper(path)?))
}

fn pepper(path: &Path) -> Result<Pepper, Failure> {
    let read = fs::read(path).map_err(Failure::io("cannot read the file of --pepper-file"))?;
    Ok(Pepper::new(read.strip_suffix(b"\n").unwrap_or(&read))?)
}
