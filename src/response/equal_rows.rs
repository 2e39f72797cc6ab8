//! Rows of a profile that are equal over HTTP have one gRPC code. What HTTP does not tell apart, gRPC must not tell
//! apart either.

use crate::error::Denial;
use crate::profile::{Answers, GrpcCode, RenderedAnswers};
use http::StatusCode;

/// Of several codes the first one counts. [`GrpcCode`] documents this order.
const PRECEDENCE: [GrpcCode; 7] = [
    GrpcCode::Unauthenticated,
    GrpcCode::PermissionDenied,
    GrpcCode::ResourceExhausted,
    GrpcCode::InvalidArgument,
    GrpcCode::DeadlineExceeded,
    GrpcCode::Unavailable,
    GrpcCode::Internal,
];

/// Sets the code of each row: the code that the row names, else the one that all rows have that may equal it.
/// `may_equal` need not be transitive: a row in between makes two rows equal.
pub(super) fn set_grpc_codes<T>(
    answers: &Answers<'_>,
    rows: &mut RenderedAnswers<T>,
    may_equal: impl Fn(&T, &T) -> bool,
    set: impl Fn(&mut T, GrpcCode),
) {
    let kinds = Denial::each_kind();
    let equal = |one: &Denial, other: &Denial| may_equal(rows.row(one), rows.row(other));
    let codes: Vec<GrpcCode> = kinds
        .iter()
        .map(|kind| {
            let chosen = answers.row(kind).grpc;
            chosen.unwrap_or_else(|| shared_code(answers, &group(kind, &kinds, equal)))
        })
        .collect();
    // Rows and kinds have the same order.
    let mut codes = codes.into_iter();
    rows.for_each(|row| {
        if let Some(code) = codes.next() {
            set(row, code);
        }
    });
}

/// Lists the kinds whose rows equal the row of `kind`, be it over others.
fn group<'a>(
    kind: &'a Denial,
    kinds: &'a [Denial],
    equal: impl Fn(&Denial, &Denial) -> bool,
) -> Vec<&'a Denial> {
    let mut found = vec![kind];
    let mut next = 0;
    while let Some(member) = found.get(next).copied() {
        next += 1;
        for other in kinds {
            if !found.contains(&other) && equal(member, other) {
                found.push(other);
            }
        }
    }
    found
}

/// Returns the code of equal rows that name none: the one that the row of an unknown key names, else the first one
/// of those that follow from the reasons.
fn shared_code(answers: &Answers<'_>, group: &[&Denial]) -> GrpcCode {
    let has_unknown = group.contains(&&Denial::KeyUnknown);
    let of_unknown = answers.key_unknown.grpc.filter(|_| has_unknown);
    of_unknown.unwrap_or_else(|| {
        let codes: Vec<GrpcCode> = group.iter().map(|kind| default_code(answers, kind)).collect();
        let first = PRECEDENCE.into_iter().find(|code| codes.contains(code));
        first.unwrap_or(GrpcCode::Unauthenticated)
    })
}

/// Returns the code that follows from a reason. A vendor may answer a key that is not allowed as one that is not
/// valid, so a 401 has one code.
fn default_code(answers: &Answers<'_>, kind: &Denial) -> GrpcCode {
    if answers.row(kind).status() == StatusCode::UNAUTHORIZED {
        GrpcCode::Unauthenticated
    } else {
        GrpcCode::of(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    fn names() -> RenderedAnswers<(&'static str, Option<GrpcCode>)> {
        let named = |name, _: &_| Ok::<_, std::convert::Infallible>((name, None));
        let Ok(names) = Profile::STANDARD.answers.try_map(named);
        names
    }

    #[test]
    fn each_row_has_a_kind_in_the_order_of_the_table() {
        let mut rows = Vec::new();
        names().for_each(|(name, _)| rows.push(*name));
        assert_eq!(rows, Denial::each_kind().map(|kind| kind.name()));
    }

    #[test]
    fn every_code_that_follows_from_a_reason_has_a_rank() {
        for kind in Denial::each_kind() {
            assert!(PRECEDENCE.contains(&GrpcCode::of(&kind)), "{kind:?}");
        }
    }

    #[test]
    fn a_row_in_between_makes_rows_equal() {
        let answers = Profile::STANDARD.answers;
        let bridges = [
            ("timed_out", "internal_error"),
            ("internal_error", "scope_missing"),
            ("rate_limited", "header_refused"),
        ];
        let may_equal = |one: &(&'static str, _), other: &(&'static str, _)| {
            bridges.contains(&(one.0, other.0)) || bridges.contains(&(other.0, one.0))
        };
        let mut rows = names();
        set_grpc_codes(&answers, &mut rows, may_equal, |row, code| row.1 = Some(code));
        rows.for_each(|(name, code)| {
            let expected = match *name {
                "timed_out" | "internal_error" | "scope_missing" => GrpcCode::PermissionDenied,
                "rate_limited" | "header_refused" => GrpcCode::ResourceExhausted,
                _ => return,
            };
            assert_eq!(*code, Some(expected), "{name}");
        });
    }
}
