//! What an account has used: two fixed windows, each opened by the first request that it counts.

/// A limit of each account in the model, with its length in milliseconds.
pub(crate) const QUOTAS: [(&str, u32, u64); 2] = [("second", 3, 1_000), ("while", 5, 3_000)];

/// No window is open any more after so many milliseconds.
pub(crate) const ALL_OVER: u64 = 3_000;

#[derive(Debug, Clone, Default)]
pub(crate) struct Windows {
    /// When each window opened, and what has been used of it.
    open: [Option<(u64, u32)>; 2],
}

impl Windows {
    fn close(&mut self, now: u64) {
        for (open, (_, _, length)) in self.open.iter_mut().zip(QUOTAS) {
            *open = open.filter(|(opened, _)| now < opened + length);
        }
    }

    /// Takes the cost from both, or from none; then the seconds to wait.
    pub(crate) fn take(&mut self, now: u64, cost: u32) -> Result<(), u64> {
        self.close(now);
        if cost == 0 {
            return Ok(());
        }
        let mut wait = 0;
        for (open, (_, limit, length)) in self.open.iter().zip(QUOTAS) {
            if let Some((opened, used)) = open
                && used + cost > limit
            {
                wait = wait.max(opened + length - now);
            }
        }
        if wait > 0 {
            return Err(wait.div_ceil(1_000));
        }
        for open in &mut self.open {
            let (opened, used) = open.unwrap_or((now, 0));
            *open = Some((opened, used + cost));
        }
        Ok(())
    }

    /// The limit, the requests left and the seconds to the reset of the one nearest to its end. A
    /// window that is not open would open now.
    pub(crate) fn nearest(&mut self, now: u64) -> (u32, u32, u64) {
        self.close(now);
        let mut statuses = Vec::new();
        for (open, (_, limit, length)) in self.open.iter().zip(QUOTAS) {
            let (opened, used) = open.unwrap_or((now, 0));
            statuses.push((limit, limit - used, opened + length - now));
        }
        let nearest = |(_, left, reset): &(u32, u32, u64)| (*left, u64::MAX - reset);
        let (limit, left, reset) = statuses.into_iter().min_by_key(nearest).unwrap();
        (limit, left, reset.div_ceil(1_000))
    }
}
