//! The names in Redis: a key for each subject, and a field for each counter.

use std::fmt;

use super::network::NetworkName;
use tower_api_key::key::{AccountId, KeyId};
use tower_api_key::quota::Quota;

/// The Redis key of the counters of an account, or of a key of it. The account's id is its hash tag, so a
/// cluster keeps all counters of a request in one slot.
pub(super) struct Subject<'a> {
    pub(super) prefix: &'a str,
    pub(super) account: &'a AccountId,
    pub(super) key: Option<&'a KeyId>,
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.prefix)?;
        formatter.write_str("{")?;
        // A brace would end the tag. The tag of an account `}x` would be empty, and Redis ignores an empty tag.
        for character in self.account.as_str().chars() {
            match character {
                '%' => formatter.write_str("%25")?,
                '{' => formatter.write_str("%7B")?,
                '}' => formatter.write_str("%7D")?,
                other => fmt::Write::write_char(formatter, other)?,
            }
        }
        formatter.write_str("}")?;
        match self.key {
            Some(key) => write!(formatter, ":key:{key}"),
            None => Ok(()),
        }
    }
}

/// The field of a quota's counter: all that identifies it among the counters of its subject, without the limit.
pub(super) struct Field<'a> {
    /// The network, whose Redis key has the counters of other networks as well.
    pub(super) network: Option<&'a NetworkName>,
    pub(super) quota: &'a Quota,
    pub(super) of_route: bool,
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(network) = self.network {
            write!(formatter, "{network}:")?;
        }
        let of = if self.of_route { "route" } else { "account" };
        let (algorithm, length) = (self.quota.algorithm(), self.quota.window_nanoseconds());
        write!(formatter, "{of}:{algorithm}:{length}:{}", self.quota.name())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tower_api_key::quota::Algorithm;

    use super::*;

    #[test]
    fn no_two_subjects_share_a_name_and_a_tag_is_never_empty() {
        for (account, key, name) in [
            ("acme", None, "p:{acme}"),
            ("acme", Some("k"), "p:{acme}:key:k"),
            ("acme:key:k", None, "p:{acme:key:k}"),
            ("acme}:key:k", None, "p:{acme%7D:key:k}"),
            ("}", None, "p:{%7D}"),
            ("{}", None, "p:{%7B%7D}"),
            ("%7D", None, "p:{%257D}"),
            ("a", Some("{b}"), "p:{a}:key:{b}"),
        ] {
            let (account, key) =
                (AccountId::new(account).unwrap(), key.map(|key| KeyId::new(key).unwrap()));
            let subject = Subject { prefix: "p:", account: &account, key: key.as_ref() };
            assert_eq!(subject.to_string(), name);
        }
    }

    #[test]
    fn a_counters_name_has_all_but_its_limit() {
        let minute = Quota::new("minute", 5, Duration::from_secs(60));
        let field = |quota: &Quota, of_route| Field { network: None, quota, of_route }.to_string();
        assert_eq!(field(&minute, false), "account:fixed_window:60000000000:minute");
        assert_eq!(field(&minute, true), "route:fixed_window:60000000000:minute");
        let sliding = minute.with_algorithm(Algorithm::SlidingWindow);
        assert_eq!(field(&sliding, false), "account:sliding_window:60000000000:minute");
    }
}
