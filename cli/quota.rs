//! Quotas as people write them: `minute=100/60s`, `day=5000/1 day:sliding@key`.

use std::str::FromStr;

use tower_api_key::key::{Algorithm, Per, Quota};

use crate::moment::Span;

/// A quota of the command line.
#[derive(Debug, Clone)]
pub(crate) struct QuotaText(pub(crate) Quota);

const FORM: &str =
    "a quota is NAME=LIMIT/WINDOW, then :fixed, :leaky or :sliding, then @account or @key";

impl FromStr for QuotaText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (rest, per) = match text.split_once('@') {
            None | Some((_, "account")) => (text.split('@').next().unwrap_or(text), Per::Account),
            Some((rest, "key")) => (rest, Per::Key),
            Some(_) => return Err(FORM.to_owned()),
        };
        let (rest, algorithm) = match rest.split_once(':') {
            None => (rest, Algorithm::FixedWindow),
            Some((rest, "fixed")) => (rest, Algorithm::FixedWindow),
            Some((rest, "leaky")) => (rest, Algorithm::LeakyBucket),
            Some((rest, "sliding")) => (rest, Algorithm::SlidingWindow),
            Some(_) => return Err(FORM.to_owned()),
        };
        let (name, rest) = rest.split_once('=').ok_or(FORM)?;
        let (limit, window) = rest.split_once('/').ok_or(FORM)?;
        let limit = limit.parse().map_err(|_| FORM)?;
        let Span(window) = window.parse()?;
        Ok(Self(Quota::named(name, limit, window).counted(algorithm).each(per)))
    }
}

/// Writes a quota as it is read.
pub(crate) fn text(quota: &Quota) -> String {
    let algorithm = match quota.algorithm() {
        Algorithm::LeakyBucket => ":leaky",
        Algorithm::SlidingWindow => ":sliding",
        _ => "",
    };
    let per = if quota.per() == Per::Key { "@key" } else { "" };
    let seconds = quota.window().as_secs();
    format!("{}={}/{seconds}s{algorithm}{per}", quota.name(), quota.limit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_read_as_they_are_written() {
        for written in ["minute=100/60s", "hour=5/3600s:leaky", "day=1/86400s:sliding@key"] {
            let QuotaText(quota) = written.parse().unwrap();
            assert_eq!(text(&quota), written);
        }
        for wrong in ["", "minute", "minute=100", "minute=x/60s", "a=1/60s:other", "a=1/60s@other"]
        {
            assert!(wrong.parse::<QuotaText>().is_err(), "{wrong}");
        }
    }
}
