//! Which line of the table a request is on, by the slowest matcher there is.

use super::vendor::Line;

/// The line that covers a request, and the account that its path names.
pub(crate) fn covering<'a>(
    lines: &[&'a Line],
    method: &str,
    path: &str,
) -> Option<(&'a Line, Option<String>)> {
    if is_ambiguous(path) {
        return None;
    }
    let matching = lines.iter().filter_map(|line| Some((fits(line.path, path)?, *line)));
    let mut matching: Vec<_> = matching.collect();
    // Of two that match, the one counts that is plainer where they first differ.
    matching.sort_by(|one, other| one.0.0.cmp(&other.0.0));
    let best = matching.first()?.0.0.clone();
    matching.retain(|((rank, _), _)| *rank == best);
    let lists = |method: &str| {
        let found = matching.iter().find(|(_, line)| line.methods.contains(&method));
        found.or_else(|| matching.iter().find(|(_, line)| line.methods.is_empty()))
    };
    let ((_, account), line) =
        lists(method).or_else(|| lists("GET").filter(|_| method == "HEAD"))?;
    Some((line, account.clone()))
}

/// How a pattern matches: a rank for each segment, and what its `{account}` stands for.
type Fit = (Vec<u8>, Option<String>);

fn fits(pattern: &str, path: &str) -> Option<Fit> {
    let mut segments = path.split('/');
    let (mut rank, mut account) = (Vec::new(), None);
    for part in pattern.split('/') {
        if part.starts_with("{*") {
            segments.next().filter(|rest| !rest.is_empty())?;
            rank.push(2);
            return Some((rank, account));
        }
        let segment = segments.next()?;
        if part.starts_with('{') {
            if segment.is_empty() {
                return None;
            }
            if part == "{account}" {
                account = Some(decoded(segment));
            }
            rank.push(1);
        } else if part == segment {
            rank.push(0);
        } else {
            return None;
        }
    }
    segments.next().is_none().then_some((rank, account))
}

/// Decodes each escape of a segment that has no odd one.
fn decoded(segment: &str) -> String {
    let mut parts = segment.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).unwrap()
}

/// Tells whether two readers could read a path differently.
pub(crate) fn is_ambiguous(path: &str) -> bool {
    if path.contains(['\\', ';']) {
        return true;
    }
    // A slash at the end makes a path of its own, which all tell apart.
    let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
    path != "/"
        && path.split('/').skip(1).any(|segment| {
            segment.is_empty() || segment == "." || segment == ".." || has_odd_escape(segment)
        })
}

fn has_odd_escape(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    let (mut at, mut decoded) = (0, Vec::new());
    while at < bytes.len() {
        if bytes[at] != b'%' {
            decoded.push(bytes[at]);
            at += 1;
            continue;
        }
        let digits = segment
            .get(at + 1..at + 3)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            return true;
        };
        let odd = byte.is_ascii_alphanumeric() || b"-._~/\\;%?#".contains(&byte);
        if odd || byte.is_ascii_control() {
            return true;
        }
        decoded.push(byte);
        at += 3;
    }
    String::from_utf8(decoded).is_err()
}
