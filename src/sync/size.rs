//! Sizes that are smaller when schedules are explored.

/// Returns the usual size, or under Shuttle the explored one, which a few steps fill.
pub(crate) const fn size(usual: usize, explored: usize) -> usize {
    if cfg!(all(test, shuttle)) { explored } else { usual }
}
