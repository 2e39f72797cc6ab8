//! Lines of slots, which a search visits in an order that its hash chooses.

/// Lines of slots. Each line is aligned to a cache line of the processor, so that a search mostly waits for memory once.
pub(super) struct Lines<L>(Box<[L]>);

impl<L: Default> Lines<L> {
    /// Creates this many empty lines.
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).map(|_| L::default()).collect())
    }
}

impl<L> Lines<L> {
    /// Returns the number of lines.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Lists all lines.
    pub(super) fn iter(&self) -> impl Iterator<Item = &L> {
        self.0.iter()
    }

    /// Returns the line at which the search for a hash begins.
    #[inline]
    pub(super) fn home(&self, hash: u32) -> usize {
        // Scales the hash to the number of lines, and is below that.
        ((u64::from(hash) * self.0.len() as u64) >> u32::BITS) as usize
    }

    /// Lists all lines with their numbers, in the order of the search for a hash.
    #[inline]
    pub(super) fn search(&self, hash: u32) -> impl Iterator<Item = (usize, &L)> {
        let home = self.home(hash);
        let (before, from) = self.0.split_at(home);
        (home..).zip(from).chain((0..).zip(before))
    }
}

#[cfg(feature = "cache")]
impl<L> Lines<L> {
    /// Returns the line with this number.
    pub(super) fn at(&self, number: usize) -> Option<&L> {
        self.0.get(number)
    }

    /// Returns the line with this number, to change it.
    pub(super) fn at_mut(&mut self, number: usize) -> Option<&mut L> {
        self.0.get_mut(number)
    }

    /// Returns all lines.
    pub(super) fn into_boxed(self) -> Box<[L]> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_visits_each_line_once_beginning_with_its_own() {
        let lines = Lines((0..3).collect());
        for (hash, home) in [(0, 0), (u32::MAX / 3, 0), (u32::MAX / 2, 1), (u32::MAX, 2)] {
            assert_eq!(lines.home(hash), home, "for {hash:x}");
            let seen: Vec<_> = lines.search(hash).map(|(number, line)| (number, *line)).collect();
            let expected = (0..3).map(|step| (home + step) % 3).map(|number| (number, number));
            assert_eq!(seen, expected.collect::<Vec<_>>(), "for {hash:x}");
        }
        assert_eq!(Lines::<u8>::new(0).search(u32::MAX).count(), 0);
    }
}
