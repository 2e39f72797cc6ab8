//! The path of a header, by the name of the list as errors write it.

use super::wording;
use crate::config::read::{Contradiction, Path};
use crate::config::tables::FrontDoorTable;
use crate::error::ConfigError;

/// Returns the field of a header that has to change. `what` begins with the name of a list.
pub(super) fn locate(
    tables: &FrontDoorTable,
    what: &str,
    value: &str,
    error: &ConfigError,
) -> Contradiction {
    let (root, profile) = (Path::default(), Path::default().field("profile"));
    let at = |path: Path| wording::at(path, error);
    let list = what.split('`').nth(1).unwrap_or_default();
    // The value is a header's name, or its name and its value.
    let name = value.split_once(": ").map_or(value, |(name, _)| name);
    match list {
        "select_websocket_protocol" => at(root.field(list)).beside(profile.field("credentials")),
        // Of the preflight answer.
        "headers" => {
            let path = root.field("answer_preflight").field(list);
            let names = tables.answer_preflight.as_ref().map_or(&[][..], |table| &table.headers);
            let index = names.iter().position(|listed| listed == value);
            at(index.map_or(path.clone(), |index| path.item(index)))
        }
        "credentials" => at(tables.profile.source_path(&profile, error)),
        "limit_headers.fields" if what.contains("of a quota") => {
            let lists = ["plans", "routes", "otherwise", "anonymous_quotas"];
            let depends = lists.into_iter().map(|field| root.field(field));
            let depends = depends.chain([profile.field("quotas")]);
            let path = profile.field("limit_headers").field("fields");
            depends.fold(at(path), Contradiction::beside)
        }
        list => {
            let path = tables.profile.header_path(&profile, list, name);
            let others = ["response_headers", "principal_headers", "limit_headers", "request_id"];
            let others = others.into_iter().filter(|other| !list.starts_with(other));
            others.fold(at(path), |it, other| it.beside(profile.field(other)))
        }
    }
}
