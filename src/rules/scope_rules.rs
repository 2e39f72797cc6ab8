//! What a scope grants besides itself, as data.

/// Chooses which scopes a gate reads as wildcards, and which scopes grant others. By default a scope grants
/// itself and nothing else.
///
/// Any other name stays a plain scope. `*.read` and `users*` are plain names, too: a wildcard is `*` alone, or
/// `*` as the whole last part of a name.
///
/// The rules apply to what keys have, never to what routes need. They also apply to
/// [`Grant::require`](crate::Grant::require) and to the scopes of [`Roles`](super::Roles).
///
/// ```
/// use tower_api_key::rules::{Route, Routes, ScopeRules};
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// /// `users:*` grants `users:read`; `admin:org` grants `write:org`, which grants `read:org`.
/// const SCOPES: ScopeRules = ScopeRules::new()
///     .separator(':')
///     .wildcards()
///     .hierarchy(&[("admin:org", &["write:org"]), ("write:org", &["read:org"])]);
///
/// let layer = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new())
///     .routes(Routes::new().get("/org", Route::new().all_of(&["read:org"])))
///     .scopes(SCOPES)
///     .build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeRules<'a> {
    pub(super) separator: char,
    pub(super) wildcards: bool,
    pub(super) prefixes: bool,
    pub(super) hierarchy: &'a [(&'a str, &'a [&'a str])],
}

impl Default for ScopeRules<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> ScopeRules<'a> {
    /// Starts without any rule. The separator is `.`.
    pub const fn new() -> Self {
        Self { separator: '.', wildcards: false, prefixes: false, hierarchy: &[] }
    }

    /// Sets the character between the parts of a scope. It must be visible ASCII, and no letter, digit, `*`,
    /// `"` or `\`. Only wildcards and prefixes have parts, so a layer without both refuses another separator than
    /// the default `.`.
    pub const fn separator(mut self, separator: char) -> Self {
        self.separator = separator;
        self
    }

    /// Reads wildcards in the scopes of a key. `users.*` grants `users.read` and `users.photos.read`, but not
    /// `users`. `*` grants every scope.
    ///
    /// A layer refuses routes that need a wildcard. Before you turn wildcards on, make sure that no stored key
    /// has a scope that ends in `*` with another meaning.
    pub const fn wildcards(mut self) -> Self {
        self.wildcards = true;
        self
    }

    /// Lets a scope grant each longer one that continues it after a separator. `users` grants `users.read`, but
    /// not `users_all`.
    pub const fn prefixes(mut self) -> Self {
        self.prefixes = true;
        self
    }

    /// Lets the first scope of each row grant the others of its row, and all that those grant. A layer refuses
    /// a row without others, and a scope that grants itself through others or grants its own prefix.
    pub const fn hierarchy(mut self, rows: &'a [(&'a str, &'a [&'a str])]) -> Self {
        self.hierarchy = rows;
        self
    }
}
