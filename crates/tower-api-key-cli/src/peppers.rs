//! Runs `peppers`, which shows what still needs each pepper.

use serde_json::{Value, json};
use tower_api_key::clock::{Clock, SystemClock, Timestamp};
use tower_api_key::key::{KeyHasher, PepperName};
use tower_api_key::store::{PepperManager, PepperUsage};

use crate::failure::Failure;
use crate::moment;
use crate::output::{Output, complain};

/// What a keyring does with a pepper.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Current,
    Next,
    Other,
    Missing,
}

/// Counts the secrets under each pepper, and compares them with the keyring of a gate.
pub(crate) async fn run(
    store: &dyn PepperManager,
    hasher: Option<&KeyHasher>,
    output: &Output,
) -> Result<(), Failure> {
    let mut all = store.pepper_usage().await?;
    for name in hasher.iter().flat_map(|hasher| names(hasher)) {
        if !all.iter().any(|usage| usage.pepper.as_ref() == Some(name)) {
            all.push(PepperUsage::new(Some(name.clone())));
        }
    }
    let now = SystemClock.now();
    let places: Vec<_> = all.iter().map(|usage| Some(place(hasher?, usage))).collect();
    let nameless = all.iter().find(|usage| usage.pepper.is_none()).map_or(0, |usage| usage.secrets);
    let values = all.iter().zip(&places).map(|(usage, place)| row(usage, *place, nameless, now));
    output.rows(
        ["pepper", "place", "secrets", "endless", "last_used", "rehashed", "can_go"],
        values,
    )?;
    for (usage, place) in all.iter().zip(places) {
        if place == Some(Place::Missing) && usage.secrets > 0 {
            let name = usage.pepper.as_ref().map_or("", PepperName::as_str);
            complain(&format!(
                "the file does not name the pepper {name}, so its gate finds none of the secrets under it: {}",
                usage.secrets
            ));
        }
    }
    Ok(())
}

fn names(hasher: &KeyHasher) -> impl Iterator<Item = &PepperName> {
    let peppers = hasher.peppers().into_iter();
    peppers
        .flat_map(|peppers| [peppers.current()].into_iter().chain(peppers.others().map(|it| it.0)))
}

fn place(hasher: &KeyHasher, usage: &PepperUsage) -> Place {
    let Some(name) = &usage.pepper else {
        // Without names, nothing says which pepper it was: the file's one, or the oldest of its keyring.
        return if hasher.peppers().is_none() { Place::Current } else { Place::Other };
    };
    match hasher.peppers() {
        Some(peppers) if peppers.current() == name => Place::Current,
        Some(peppers) if peppers.next() == Some(name) => Place::Next,
        Some(peppers) if peppers.others().any(|(other, _)| other == name) => Place::Other,
        _ => Place::Missing,
    }
}

fn row(usage: &PepperUsage, place: Option<Place>, nameless: u64, now: Timestamp) -> Value {
    let place = place.map(|place| match place {
        Place::Current => "new keys",
        Place::Next => "next",
        Place::Other => "still found",
        Place::Missing => "not in the file",
    });
    json!({
        "pepper": usage.pepper.as_ref().map(PepperName::as_str),
        "place": place,
        "secrets": usage.secrets,
        "endless": usage.endless,
        "last_used": usage.last_used.map(moment::text),
        "rehashed": usage.rehashed,
        "can_go": can_go(usage, place, nameless, now),
    })
}

/// Returns when a pepper can go. Which pepper the `nameless` secrets need is not known: it may be this one.
fn can_go(usage: &PepperUsage, place: Option<&str>, nameless: u64, now: Timestamp) -> String {
    // Other nodes may make keys by the next pepper already.
    if place == Some("new keys") || place == Some("next") {
        return "stays".to_owned();
    }
    if usage.can_go(now) && usage.pepper.is_some() && place.is_some() && nameless > 0 {
        return format!("unless secrets without a name need it: {nameless}");
    }
    if usage.can_go(now) {
        return "now".to_owned();
    }
    match (usage.endless, usage.goes_at()) {
        (0, Some(at)) => moment::text(at),
        (1, _) => "when the 1 without an end is used or rotated".to_owned(),
        (endless, _) => format!("when the {endless} without an end are used or rotated"),
    }
}
