//! The doubt about an answer that knows less than the map.

use super::topology::Topology;

/// The looks in a row that must agree before such an answer replaces the map: 1.5 s.
const LOOKS: u32 = 5;

/// The answers in a row that know less than the map, and agree. An old node, or one that is cut off from the others,
/// may be the only one that answers in time.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    answer: Option<Topology>,
    looks: u32,
}

impl Doubt {
    /// Returns true if an answer may replace what is known of the cluster.
    pub(super) fn admits(&mut self, answer: &Topology, known: Option<&Topology>) -> bool {
        if !known.is_some_and(|known| known.is_better_than(answer)) {
            *self = Self::default();
            return true;
        }
        if self.answer.as_ref().is_none_or(|other| other.primaries != answer.primaries) {
            *self = Self { answer: Some(answer.clone()), looks: 0 };
        }
        self.looks += 1;
        if self.looks < LOOKS {
            return false;
        }
        *self = Self::default();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(is_ok: bool, epoch: u64, host: &str) -> Topology {
        let primaries = vec![(0, 16_383, (host.to_owned(), 1))];
        Topology { primaries, replicas: Vec::new(), is_ok, epoch }
    }

    #[test]
    fn an_older_or_unhealthy_answer_replaces_nothing_unless_several_in_a_row_agree() {
        let known = answer(true, 7, "new");
        let mut doubt = Doubt::default();
        for (older, expected) in [
            (answer(true, 6, "old"), false),
            (answer(false, 9, "old"), false),
            (answer(true, 6, "old"), false),
            (answer(true, 6, "other"), false), // Agrees with none.
            (answer(true, 6, "old"), false),
            (answer(true, 7, "new"), true), // As good as what is known.
            (answer(true, 6, "old"), false),
            (answer(true, 6, "old"), false),
            (answer(true, 6, "old"), false),
            (answer(true, 6, "old"), false),
            (answer(true, 6, "old"), true),
            (answer(true, 6, "old"), false),
        ] {
            assert_eq!(doubt.admits(&older, Some(&known)), expected, "{older:?}");
        }
        assert!(Doubt::default().admits(&answer(false, 0, "a"), None), "nothing is known");
        assert!(doubt.admits(&answer(true, 8, "a"), Some(&known)));
        assert!(doubt.admits(&answer(true, 6, "a"), Some(&answer(false, 9, "b"))));
    }
}
