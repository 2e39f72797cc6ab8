//! The rule that a request comes from a network on the key's allowlist.

use std::net::IpAddr;

use crate::error::Denial;
use crate::key::KeyRecord;

/// Refuses a client whose address is in none of the key's networks, or is unknown. A key without an
/// allowlist may come from any network.
pub(crate) fn admits(record: &KeyRecord, client: Option<IpAddr>) -> Result<(), Denial> {
    let Some(networks) = record.networks() else {
        return Ok(());
    };
    match client {
        Some(address) if networks.contains(address) => Ok(()),
        _ => Err(Denial::NetworkNotAllowed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Account;

    #[test]
    fn an_allowlist_admits_what_it_lists() {
        let account = Account::builder("acme").build().unwrap();
        let open = KeyRecord::builder("key", account).any_network().build().unwrap();
        let office = open.edit().networks(["10.1.2.0/24"]).build().unwrap();
        for (record, client, passes) in [
            (&open, None, true),
            (&open, Some("192.0.2.1"), true),
            (&office, Some("10.1.2.200"), true),
            (&office, Some("::ffff:10.1.2.200"), true),
            (&office, Some("10.1.3.1"), false),
            (&office, None, false),
        ] {
            let address = client.map(|text| text.parse().unwrap());
            assert_eq!(admits(record, address).is_ok(), passes, "{client:?}");
        }
    }
}
