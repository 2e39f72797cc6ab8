//! A keyring of peppers, as it stands in a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pepper::PepperTable;
use crate::clock::Timestamp;
use crate::config::instant::InstantText;
use crate::config::read::{Contradiction, Path};
use crate::key::{InvalidPeppers, KeyHasher, PepperName, Peppers, PeppersBuilder};

/// The peppers of a deployment, by which keys are found while one pepper replaces another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct PeppersTable {
    /// The pepper of new keys.
    current: NamedPepperTable,
    /// The pepper that becomes the current one next. Keys are found by it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<NamedPepperTable>,
    /// The peppers of earlier keys, the youngest first. There are at most 4 peppers beside the current one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<FormerPepperTable>,
}

/// A pepper and its name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct NamedPepperTable {
    /// The name, which the store keeps with each key. It is not secret.
    name: String,
    /// The pepper.
    secret: PepperTable,
}

/// A pepper of earlier keys.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct FormerPepperTable {
    /// The name, which the store keeps with each key. It is not secret.
    name: String,
    /// The pepper. Leave it out for keys that were made without one, and set `without_pepper`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<PepperTable>,
    /// Finds the keys that were made without any pepper.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    without_pepper: bool,
    /// The instant from which on no key is found by this pepper. Remove the pepper then: a start after this instant fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<InstantText>,
}

impl PeppersTable {
    /// Describes the hasher. The ends of peppers may have passed.
    pub(in crate::config) fn describe(&self, path: &Path) -> Result<KeyHasher, Contradiction> {
        self.describe_at(path, Timestamp::default())
    }

    /// Describes the hasher, and finds the ends that have passed by an instant.
    pub(in crate::config) fn describe_at(
        &self,
        path: &Path,
        now: Timestamp,
    ) -> Result<KeyHasher, Contradiction> {
        let named = |table: &NamedPepperTable, path: &Path| {
            check_name(&table.name, path)?;
            table.secret.pepper(&path.field("secret"))
        };
        let current = named(&self.current, &path.field("current"))?;
        let mut peppers = Peppers::builder(&self.current.name, &current);
        if let Some(next) = &self.next {
            peppers = peppers.next(&next.name, &named(next, &path.field("next"))?);
        }
        for (index, former) in self.former.iter().enumerate() {
            peppers = former.add_to(peppers, &path.field("former").item(index))?;
        }
        let peppers = peppers.build_at(now).map_err(|problem| self.located(path, &problem))?;
        Ok(KeyHasher::with_peppers(peppers))
    }

    /// Names the field of a mistake. The message repeats no name, because a secret may stand in its place.
    fn located(&self, path: &Path, problem: &InvalidPeppers) -> Contradiction {
        let by_name = |name: &str, field: &str| {
            let mut former = self.former.iter().rposition(|former| former.name == name);
            let table = match former.take() {
                Some(index) => path.field("former").item(index),
                None if self.next.as_ref().is_some_and(|next| next.name == name) => {
                    path.field("next")
                }
                None => path.field("current"),
            };
            table.field(field)
        };
        match problem {
            InvalidPeppers::SameName(name) => Contradiction::new(
                by_name(name.as_str(), "name"),
                &"another pepper has this name: give each a name of its own",
            ),
            InvalidPeppers::Equal(_, name) => Contradiction::new(
                by_name(name.as_str(), "secret"),
                &"another pepper is equal to this one: make a new pepper of random bytes",
            ),
            InvalidPeppers::Ended(name) => Contradiction::new(
                by_name(name.as_str(), "until"),
                &"this instant has passed: remove the pepper, or set a later instant",
            ),
            InvalidPeppers::TooMany => Contradiction::new(path.field("former"), problem),
            other => Contradiction::new(path.clone(), other),
        }
    }
}

impl FormerPepperTable {
    fn add_to(
        &self,
        peppers: PeppersBuilder,
        path: &Path,
    ) -> Result<PeppersBuilder, Contradiction> {
        check_name(&self.name, path)?;
        let until = self.until.map(InstantText::instant);
        match (&self.secret, self.without_pepper, until) {
            (Some(secret), false, until) => {
                let pepper = secret.pepper(&path.field("secret"))?;
                Ok(match until {
                    Some(until) => peppers.former_until(&self.name, &pepper, until),
                    None => peppers.former(&self.name, &pepper),
                })
            }
            (None, true, Some(until)) => Ok(peppers.former_without_pepper_until(&self.name, until)),
            (None, true, None) => Ok(peppers.former_without_pepper(&self.name)),
            (Some(_), true, _) => {
                let problem = "keys without a pepper have no `secret`: remove one of the two";
                let found = Contradiction::new(path.field("without_pepper"), &problem);
                Err(found.beside(path.field("secret")))
            }
            (None, false, _) => {
                let problem = "the field `secret` is missing: add it, or set `without_pepper` if keys were made \
                    without a pepper";
                Err(Contradiction::new(path.clone(), &problem))
            }
        }
    }
}

fn check_name(name: &str, path: &Path) -> Result<(), Contradiction> {
    let checked = PepperName::new(name).map(drop);
    checked.map_err(|problem| Contradiction::new(path.field("name"), &problem))
}
