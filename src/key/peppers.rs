//! A keyring of peppers: one for new keys, and others by which keys are still found.

use std::fmt;

use super::digest::KeyDigest;
use super::hash_function::HashFunction;
use super::invalid_peppers::InvalidPeppers;
use super::name::{InvalidName, PepperName};
use super::pepper::Pepper;
use crate::clock::{Clock, SystemClock, Timestamp};

/// The most peppers beside the current one. An unknown key costs one lookup more for each.
const MOST_OTHERS: usize = 4;

/// Holds the peppers of a deployment: the current one, which new keys get, and others by which keys are still
/// found.
///
/// A gate looks a key up by the current pepper first. Only if the store has no such key, the gate tries the next
/// pepper and then the former ones. So a key under the current pepper costs one lookup, and an unknown key costs one
/// for each pepper, at most 5. It counts as one failed attempt.
///
/// Replace a pepper in three steps, each on all nodes before the next one begins:
///
/// 1. Add the new pepper as [`next`](PeppersBuilder::next).
/// 2. Make it the current one, and the old one a [`former`](PeppersBuilder::former) one.
/// 3. When no key needs the old pepper, leave it out.
///
/// With a [`Rehasher`](crate::store::Rehasher), a key that is found by a former pepper gets a digest by the current
/// one. [`PepperManager::pepper_usage`](crate::store::PepperManager::pepper_usage) counts the keys that still need a pepper.
///
/// ```
/// use tower_api_key::clock::{Clock, SystemClock};
/// use tower_api_key::key::{KeyHasher, Pepper, Peppers};
///
/// let (old, new) = (Pepper::new(*b"sixteen old byte")?, Pepper::new(*b"sixteen new byte")?);
/// let of_old_keys = KeyHasher::with_pepper(&old).digest(b"key");
///
/// let hasher = KeyHasher::with_peppers(Peppers::builder("2027", &new).former("2026", &old).build()?);
/// assert_ne!(hasher.digest(b"key"), of_old_keys, "a new key gets the current pepper");
/// let now = SystemClock.now();
/// assert!(hasher.digests_at(b"key", now).any(|digest| digest == of_old_keys), "an old one is found");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Peppers {
    pub(super) current: NamedPepper,
    /// In the order of lookups: the next pepper, then the former ones.
    pub(super) others: Vec<OtherPepper>,
}

impl Peppers {
    /// Returns a builder of a keyring with the pepper that new keys get.
    pub fn builder(name: impl AsRef<str>, pepper: &Pepper) -> PeppersBuilder {
        PeppersBuilder {
            current: named(name.as_ref(), HashFunction::with_pepper(pepper)),
            others: Vec::new(),
        }
    }

    /// Returns the name of the pepper that new keys get.
    pub const fn current(&self) -> &PepperName {
        &self.current.name
    }

    /// Returns the name of the pepper that becomes the current one next, if there is one.
    pub fn next(&self) -> Option<&PepperName> {
        let next = self.others.iter().find(|other| other.age == PepperAge::Next);
        next.map(|other| &other.pepper.name)
    }

    /// Lists the names of the other peppers, in the order of lookups, each with its end.
    pub fn others(&self) -> impl Iterator<Item = (&PepperName, Option<Timestamp>)> {
        self.others.iter().map(|other| (&other.pepper.name, other.until))
    }
}

/// Shows names only.
impl fmt::Debug for Peppers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others: Vec<_> = self.others().map(|(name, _)| name).collect();
        formatter
            .debug_struct("Peppers")
            .field("current", self.current())
            .field("others", &others)
            .finish()
    }
}

/// A pepper with its name, ready to compute digests.
#[derive(Clone)]
pub(super) struct NamedPepper {
    pub(super) name: PepperName,
    pub(super) function: HashFunction,
}

/// A pepper by which keys are found, and no new key is made.
#[derive(Clone)]
pub(super) struct OtherPepper {
    pub(super) pepper: NamedPepper,
    pub(super) age: PepperAge,
    pub(super) until: Option<Timestamp>,
}

impl OtherPepper {
    /// Returns true if keys are found by this pepper at an instant.
    pub(super) fn serves(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// Whether a pepper follows the current one, or came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PepperAge {
    /// Other nodes may make keys with it already, so its keys stay as they are.
    Next,
    Former,
}

/// Collects the peppers of a keyring. No setter fails: [`build`](Self::build) reports the first mistake.
#[must_use = "a builder does nothing until it is built"]
pub struct PeppersBuilder {
    current: Result<NamedPepper, InvalidName>,
    others: Vec<Result<OtherPepper, InvalidName>>,
}

impl PeppersBuilder {
    /// Adds the pepper that becomes the current one next. Keys under it are found, and stay as they are. So nodes that
    /// still have the old pepper as the current one and nodes that have the new one accept each other's keys.
    pub fn next(self, name: impl AsRef<str>, pepper: &Pepper) -> Self {
        self.with(name.as_ref(), HashFunction::with_pepper(pepper), PepperAge::Next, None)
    }

    /// Adds a pepper of earlier keys. Name the younger one first: keys are looked up in this order.
    pub fn former(self, name: impl AsRef<str>, pepper: &Pepper) -> Self {
        self.with(name.as_ref(), HashFunction::with_pepper(pepper), PepperAge::Former, None)
    }

    /// Adds a pepper of earlier keys, by which keys are found until an instant. From then on the keys that still need
    /// the pepper are unknown.
    pub fn former_until(self, name: impl AsRef<str>, pepper: &Pepper, until: Timestamp) -> Self {
        self.with(name.as_ref(), HashFunction::with_pepper(pepper), PepperAge::Former, Some(until))
    }

    /// Finds also the keys that were made without any pepper, under this name.
    pub fn former_without_pepper(self, name: impl AsRef<str>) -> Self {
        self.with(name.as_ref(), HashFunction::sha256(), PepperAge::Former, None)
    }

    /// Finds also the keys that were made without any pepper until an instant, as
    /// [`former_until`](Self::former_until) does.
    pub fn former_without_pepper_until(self, name: impl AsRef<str>, until: Timestamp) -> Self {
        self.with(name.as_ref(), HashFunction::sha256(), PepperAge::Former, Some(until))
    }

    fn with(
        mut self,
        name: &str,
        function: HashFunction,
        age: PepperAge,
        until: Option<Timestamp>,
    ) -> Self {
        let other = named(name, function).map(|pepper| OtherPepper { pepper, age, until });
        self.others.push(other);
        self
    }

    /// Builds the keyring.
    ///
    /// # Errors
    ///
    /// [`InvalidPeppers`] if a name is not valid, two peppers have the same name or the same bytes, two are the next
    /// one, there are more than 4 beside the current one, or an end has passed by the system's clock.
    pub fn build(self) -> Result<Peppers, InvalidPeppers> {
        self.build_at(SystemClock.now())
    }

    /// Builds the keyring, and compares the ends of its peppers with this instant.
    pub(crate) fn build_at(self, now: Timestamp) -> Result<Peppers, InvalidPeppers> {
        let current = self.current?;
        let mut others = self.others.into_iter().collect::<Result<Vec<_>, _>>()?;
        // The next one may be the pepper of many keys already. A stable sort keeps the order of the former ones.
        others.sort_by_key(|other| other.age == PepperAge::Former);
        if others.len() > MOST_OTHERS {
            return Err(InvalidPeppers::TooMany);
        }
        let mut seen = vec![&current];
        for OtherPepper { pepper, age, until } in &others {
            if let Some(same) = seen.iter().find(|seen| seen.name == pepper.name) {
                return Err(InvalidPeppers::SameName(same.name.clone()));
            }
            // HMAC fills short keys up with zeros, so digests say more than the bytes whether two are the same.
            let digest = |pepper: &NamedPepper| -> KeyDigest { pepper.function.digest(b"") };
            if let Some(same) = seen.iter().find(|seen| digest(seen) == digest(pepper)) {
                return Err(InvalidPeppers::Equal(same.name.clone(), pepper.name.clone()));
            }
            if until.is_some_and(|until| until <= now) {
                return Err(InvalidPeppers::Ended(pepper.name.clone()));
            }
            if *age == PepperAge::Next && seen.len() > 1 {
                let first = seen.pop().unwrap_or(&current).name.clone();
                return Err(InvalidPeppers::TwoNext(first, pepper.name.clone()));
            }
            seen.push(pepper);
        }
        Ok(Peppers { current, others })
    }
}

fn named(name: &str, function: HashFunction) -> Result<NamedPepper, InvalidName> {
    Ok(NamedPepper { name: PepperName::new(name)?, function })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_000);

    fn pepper(byte: u8) -> Pepper {
        Pepper::new([byte; 16]).unwrap()
    }

    fn name(name: &str) -> PepperName {
        PepperName::new(name).unwrap()
    }

    #[test]
    fn contradictions_are_found_when_the_keyring_is_built() {
        let one = || Peppers::builder("one", &pepper(1));
        let equal = |second: &str| InvalidPeppers::Equal(name("one"), name(second));
        let padded = Pepper::new([[1; 16], [0; 16]].concat()).unwrap();
        let many = (2..=6).fold(one(), |all, byte| all.former(byte.to_string(), &pepper(byte)));
        for (builder, expected) in [
            (one().former("one", &pepper(2)), InvalidPeppers::SameName(name("one"))),
            (one().former("two", &pepper(1)), equal("two")),
            (one().next("two", &pepper(1)), equal("two")),
            // HMAC takes both for the same key.
            (one().former("two", &padded), equal("two")),
            (
                one().former_without_pepper("a").former_without_pepper("b"),
                InvalidPeppers::Equal(name("a"), name("b")),
            ),
            (one().former_until("two", &pepper(2), NOW), InvalidPeppers::Ended(name("two"))),
            (
                one().next("two", &pepper(2)).former("x", &pepper(9)).next("three", &pepper(3)),
                InvalidPeppers::TwoNext(name("two"), name("three")),
            ),
            (many, InvalidPeppers::TooMany),
        ] {
            assert_eq!(builder.build_at(NOW).unwrap_err(), expected);
        }
        let unnamed = one().former("two words", &pepper(2)).build_at(NOW).unwrap_err();
        assert_eq!(
            unnamed.to_string(),
            "name of a pepper must be 1 to 255 visible ASCII characters"
        );
        let later = NOW.plus_nanoseconds(1);
        assert!(one().former_until("two", &pepper(2), later).build_at(NOW).is_ok());
    }

    #[test]
    fn the_next_pepper_is_tried_before_the_former_ones() {
        let all = Peppers::builder("b", &pepper(2)).former("a", &pepper(1)).next("c", &pepper(3));
        let all = all.former_without_pepper("none").build_at(NOW).unwrap();
        let names: Vec<_> = all.others().map(|(name, _)| name.as_str().to_owned()).collect();
        assert_eq!(names, ["c", "a", "none"]);
    }

    #[test]
    fn debug_shows_names_only() {
        let all = Peppers::builder("2027", &Pepper::new(*b"canary canary canary").unwrap());
        let all = all.former("2026", &pepper(1)).build_at(NOW).unwrap();
        assert_eq!(format!("{all:?}"), r#"Peppers { current: "2027", others: ["2026"] }"#);
    }
}
