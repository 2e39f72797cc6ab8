//! Times and counts as texts of limit headers.

use std::time::Duration;

const NANOSECONDS: u128 = 1_000_000_000;

/// Writes a count with this many decimal places, which are zeros.
pub(super) fn count(number: u64, places: u8) -> String {
    if places == 0 { number.to_string() } else { format!("{number}.{:0<1$}", "", places.into()) }
}

/// Writes seconds with this many decimal places, rounded up.
pub(super) fn seconds(duration: Duration, places: u8) -> String {
    let places = u32::from(places.min(9));
    let in_second = 10_u128.pow(places);
    let parts = duration.as_nanos().div_ceil(NANOSECONDS / in_second);
    let (whole, rest) = (parts / in_second, parts % in_second);
    if places == 0 {
        whole.to_string()
    } else {
        format!("{whole}.{rest:0>width$}", width = usize::try_from(places).unwrap_or(0))
    }
}

/// Writes a duration as Go does, rounded up to this many decimal places of a second, at most 3.
pub(super) fn duration(duration: Duration, places: u8) -> String {
    let unit = NANOSECONDS / 10_u128.pow(u32::from(places.min(3)));
    let milliseconds = duration.as_nanos().div_ceil(unit) * unit / 1_000_000;
    let (seconds, rest) = (milliseconds / 1_000, milliseconds % 1_000);
    if seconds == 0 && rest > 0 {
        return format!("{rest}ms");
    }
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction = if rest == 0 { String::new() } else { format!(".{rest:03}") };
    let fraction = fraction.trim_end_matches('0');
    match (hours, minutes) {
        (0, 0) => format!("{seconds}{fraction}s"),
        (0, _) => format!("{minutes}m{seconds}{fraction}s"),
        _ => format!("{hours}h{minutes}m{seconds}{fraction}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_seconds_have_the_places_that_are_set() {
        for (number, places, expected) in [(700, 0, "700"), (700, 1, "700.0"), (0, 3, "0.000")] {
            assert_eq!(count(number, places), expected);
        }
        for (nanoseconds, places, expected) in [
            (0, 0, "0"),
            (1, 0, "1"),
            (1, 9, "0.000000001"),
            (1, 3, "0.001"),
            (29_000_000_001, 0, "30"),
            (29_000_000_001, 1, "29.1"),
            (1_999_999_999, 2, "2.00"),
            (u64::MAX, 0, "18446744074"),
        ] {
            assert_eq!(seconds(Duration::from_nanos(nanoseconds), places), expected);
        }
        assert_eq!(seconds(Duration::MAX, 9), "18446744073709551615.999999999");
    }

    #[test]
    fn durations_are_written_as_go_does() {
        for (microseconds, places, expected) in [
            (0, 3, "0s"),
            (1, 0, "1s"),
            (1, 3, "1ms"),
            (12_000, 3, "12ms"),
            (12_000, 2, "20ms"),
            (999_001, 3, "1s"),
            (1_000_000, 3, "1s"),
            (59_999_999, 0, "1m0s"),
            (360_000_000, 0, "6m0s"),
            (172_800_000, 3, "2m52.8s"),
            (172_050_000, 2, "2m52.05s"),
            (7_230_500_000, 1, "2h0m30.5s"),
            (86_400_000_000, 0, "24h0m0s"),
        ] {
            let written = duration(Duration::from_micros(microseconds), places);
            assert_eq!(written, expected, "{microseconds}");
        }
        assert!(duration(Duration::MAX, 3).ends_with('s'));
    }
}
