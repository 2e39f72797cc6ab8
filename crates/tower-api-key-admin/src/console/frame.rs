//! What every page has around its content.

use super::assets::{ICON, SCRIPT, STYLE};

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
    pub(super) const ALL: [Self; 5] =
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
    pub(super) key: String,
    /// Whether the key is one of operators.
    pub(super) operator: bool,
    /// The text that every form of the session has.
    pub(super) form_token: String,
}

#[expect(clippy::unused_self, reason = "templates call methods")]
impl Frame {
    /// Lists the pages of the navigation. Owners have no policies to manage.
    pub(super) fn sections(&self) -> impl Iterator<Item = Section> {
        let operator = self.visitor.as_ref().is_some_and(|visitor| visitor.operator);
        Section::ALL.into_iter().filter(move |section| operator || *section != Section::Policies)
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
