//! What every page has around its content.

use super::assets::{ICON, SCRIPT, STYLE};
use crate::management::{Caller, scopes};

/// A page that the navigation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Keys,
    Expiring,
    Accounts,
    Policies,
    Trail,
}

impl Section {
    const ALL: [Self; 5] =
        [Self::Keys, Self::Expiring, Self::Accounts, Self::Policies, Self::Trail];

    /// Returns the last segment of the page's path.
    pub(super) const fn page(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Expiring => "expiring",
            Self::Accounts => "accounts",
            Self::Policies => "policies",
            Self::Trail => "trail",
        }
    }

    /// Returns the scope that the page needs.
    const fn scope(self) -> &'static str {
        match self {
            Self::Keys | Self::Expiring => scopes::KEYS_READ,
            Self::Accounts => scopes::ACCOUNTS_READ,
            Self::Policies => scopes::POLICIES_READ,
            Self::Trail => scopes::TRAIL_READ,
        }
    }

    /// Lists the pages that a caller may see. Owners have no policies to manage.
    pub(super) fn of(caller: &Caller) -> Vec<Self> {
        let seen = |section: &Self| {
            caller.has_scope(section.scope())
                && (*section != Self::Policies || caller.is_operator())
        };
        Self::ALL.into_iter().filter(seen).collect()
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Keys => "Keys",
            Self::Expiring => "Expiring",
            Self::Accounts => "Accounts",
            Self::Policies => "Policies",
            Self::Trail => "Trail",
        }
    }
}

/// What templates read around the content.
pub(super) struct Frame {
    /// The path of the console.
    pub(super) path: String,
    pub(super) brand: String,
    pub(super) section: Option<Section>,
    pub(super) visitor: Option<Visitor>,
}

/// Who is signed in.
pub(super) struct Visitor {
    pub(super) account: String,
    /// The name of the key, or its id.
    pub(super) key: String,
    pub(super) sections: Vec<Section>,
    pub(super) changes_keys: bool,
    pub(super) changes_accounts: bool,
    pub(super) saves_policies: bool,
    /// The text that every form of the session has.
    pub(super) form_token: String,
}

#[expect(clippy::unused_self, reason = "templates call methods")]
impl Frame {
    /// Lists the pages of the navigation: those that the visitor's key may see.
    pub(super) fn sections(&self) -> impl Iterator<Item = Section> {
        self.visitor.iter().flat_map(|visitor| visitor.sections.iter().copied())
    }

    /// Returns true if the visitor's key may see keys.
    pub(super) fn shows_keys(&self) -> bool {
        self.sections().any(|section| section == Section::Keys)
    }

    /// Returns true if the visitor's key may see accounts.
    pub(super) fn shows_accounts(&self) -> bool {
        self.sections().any(|section| section == Section::Accounts)
    }

    /// Returns true if the visitor's key may see the trail.
    pub(super) fn shows_trail(&self) -> bool {
        self.sections().any(|section| section == Section::Trail)
    }

    /// Returns true if the visitor's key may change keys.
    pub(super) fn changes_keys(&self) -> bool {
        self.visitor.as_ref().is_some_and(|visitor| visitor.changes_keys)
    }

    /// Returns true if the visitor's key may change accounts.
    pub(super) fn changes_accounts(&self) -> bool {
        self.visitor.as_ref().is_some_and(|visitor| visitor.changes_accounts)
    }

    /// Returns true if the visitor's key may add policies.
    pub(super) fn saves_policies(&self) -> bool {
        self.visitor.as_ref().is_some_and(|visitor| visitor.saves_policies)
    }

    /// Returns true if the page belongs to a section.
    pub(super) fn is_in(&self, section: Section) -> bool {
        self.section == Some(section)
    }

    pub(super) fn style(&self) -> &'static str {
        &STYLE.name
    }

    pub(super) fn script(&self) -> &'static str {
        &SCRIPT.name
    }

    pub(super) fn icon(&self) -> &'static str {
        &ICON.name
    }
}
