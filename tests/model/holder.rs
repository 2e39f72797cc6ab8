//! The keys that the store has, and one that it has not.

use std::net::IpAddr;

use super::vendor::{KeyText, Vendor};

/// A key's record, as plain as it can be said.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools)] // Each kills the key by itself.
pub(crate) struct Holder {
    pub(crate) id: &'static str,
    pub(crate) account: &'static str,
    pub(crate) known: bool,
    pub(crate) revoked: bool,
    pub(crate) disabled: bool,
    pub(crate) early: bool,
    pub(crate) expired: bool,
    /// Its environment and kind, where they are not those that the vendor's keys usually have.
    pub(crate) environment: Option<&'static str>,
    pub(crate) kind: Option<&'static str>,
    /// Its permissions; its account's if `None`.
    pub(crate) scopes: Option<&'static [&'static str]>,
    /// Whether it serves from the office only.
    pub(crate) office: bool,
}

/// The one account that is switched off.
pub(crate) const DISABLED_ACCOUNT: &str = "gone";
pub(crate) const ACCOUNTS: &[&str] = &["acme", "globex", "ada@corp+1|x", DISABLED_ACCOUNT];
/// What the accounts may do.
pub(crate) const ACCOUNT_SCOPES: &[&str] = &["dataset.write", "inquiry.read"];
pub(crate) const OFFICE: [&str; 2] = ["198.51.100.0/24", "2001:db8::/32"];

pub(crate) fn is_in_the_office(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => four.octets()[..3] == [198, 51, 100],
        IpAddr::V6(six) => six.segments()[..2] == [0x2001, 0xdb8],
    }
}

const EVERYTHING: &[&str] = &[
    "users.read",
    "users.write",
    "inquiry.read",
    "inquiry.write",
    "account.read",
    "report.read",
    "report.write",
    "api_key.read",
    "dataset.write",
];

const GOOD: Holder = Holder {
    id: "good",
    account: "acme",
    known: true,
    revoked: false,
    disabled: false,
    early: false,
    expired: false,
    environment: None,
    kind: None,
    scopes: Some(EVERYTHING),
    office: false,
};

pub(crate) const HOLDERS: &[Holder] = &[
    GOOD,
    Holder { id: "stranger", known: false, ..GOOD },
    Holder { id: "revoked", revoked: true, ..GOOD },
    Holder { id: "disabled", disabled: true, ..GOOD },
    Holder { id: "early", early: true, ..GOOD },
    Holder { id: "expired", expired: true, ..GOOD },
    Holder { id: "of_none", account: DISABLED_ACCOUNT, ..GOOD },
    Holder { id: "other_account", account: "globex", ..GOOD },
    Holder { id: "no_scopes", scopes: Some(&[]), ..GOOD },
    Holder { id: "reader", scopes: Some(&["users.read", "inquiry.read", "report"]), ..GOOD },
    Holder { id: "inheriting", scopes: None, ..GOOD },
    Holder { id: "office", office: true, ..GOOD },
    Holder { id: "office_expired", office: true, expired: true, ..GOOD },
    Holder { id: "sandbox", environment: Some("sandbox"), ..GOOD },
    Holder { id: "partner", kind: Some("partner"), ..GOOD },
    Holder { id: "organization", kind: Some("organization"), ..GOOD },
    Holder { id: "deployment", kind: Some("deployment"), ..GOOD },
    Holder { id: "other_kind", kind: Some("other"), ..GOOD },
    Holder { id: "by_mail", account: "ada@corp+1|x", ..GOOD },
];

impl Holder {
    pub(crate) fn environment(&self) -> &'static str {
        self.environment.unwrap_or("production")
    }

    pub(crate) fn kind(&self, vendor: &Vendor) -> Option<&'static str> {
        let usual = (vendor.key == KeyText::Polytomic).then_some("organization");
        self.kind.or(usual)
    }

    pub(crate) fn scopes(&self) -> &'static [&'static str] {
        self.scopes.unwrap_or(ACCOUNT_SCOPES)
    }

    /// The text of its key.
    pub(crate) fn key(&self, vendor: &Vendor) -> String {
        let place = HOLDERS.iter().position(|holder| holder.id == self.id).unwrap();
        match vendor.key {
            KeyText::FortyHex => format!("FD09908F25BECB09D78EBEA1DADFB618651F61{place:02x}"),
            KeyText::Token => format!("0123~4567+89/abc-def._{place:02}"),
            KeyText::Imported => format!("imp|0123456789abcdefAB{place:02x}"),
            KeyText::Persona => {
                format!("persona_{}_0123456789abc-_{place:02}", self.environment())
            }
            KeyText::Polytomic if place % 3 == 1 => {
                format!("01890A5d-ac96-774b-bcce-b302099a80{place:02x}")
            }
            KeyText::Polytomic => format!("pk_live_4f8a9b2c7d3e4f1a9b0c2d3e4f5a6b{place:02x}"),
        }
    }
}
