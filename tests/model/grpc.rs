//! Calls of gRPC, by its specification: a POST whose one content type begins with application/grpc, be it with
//! a suffix or parameters, and whose path is that of a service.

use super::question::Question;
use super::vendor::Reason;

/// The services of every gate. Some of the paths are those of their methods.
pub(crate) const GRPC_SERVICES: [&str; 2] = ["api", "cost"];

pub(crate) fn is_call(question: &Question) -> bool {
    let lines = question.lines("content-type");
    let [line] = lines.as_slice() else { return false };
    let Ok(text) = std::str::from_utf8(line) else { return false };
    let text = text.trim_matches([' ', '\t']).to_ascii_lowercase();
    let essence = text.split(';').next().unwrap().trim_end_matches([' ', '\t']).to_owned();
    let mut services = GRPC_SERVICES.iter().map(|service| format!("/{service}/"));
    question.method == "POST"
        && services.any(|service| question.path.starts_with(&service))
        && (essence == "application/grpc" || text.starts_with("application/grpc+"))
}

/// The code of a refusal that HTTP would answer with this status.
pub(crate) fn code(reason: Reason, status: u16) -> u8 {
    match reason {
        _ if status == 401 => 16,
        Reason::Missing | Reason::NotAKey | Reason::Unknown | Reason::Dead => 16,
        Reason::Network | Reason::Kind | Reason::Account | Reason::Route | Reason::Scope => 7,
        Reason::Limit => 8,
        Reason::StoreDown => 14,
        Reason::PlainHttp | Reason::Ambiguous | Reason::Malformed | Reason::Header => 3,
    }
}
