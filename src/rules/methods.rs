//! The routes of one path pattern.

use http::Method;

/// The routes of one pattern, by method.
#[derive(Debug, Clone, Default)]
pub(super) struct Methods {
    listed: Vec<(Method, usize)>,
    any: Option<usize>,
}

impl Methods {
    /// Adds methods; `false` if one is there already.
    pub(super) fn add(&mut self, methods: &[Method], index: usize) -> bool {
        if methods.is_empty() {
            return self.any.replace(index).is_none();
        }
        methods.iter().all(|method| {
            let repeated = self.listed.iter().any(|(listed, _)| listed == method);
            self.listed.push((method.clone(), index));
            !repeated
        })
    }

    /// Finds the route of a method. `HEAD` takes that of `GET`, unless it has its own.
    pub(super) fn find(&self, method: &Method) -> Option<usize> {
        let listed = |method: &Method| {
            let entry = self.listed.iter().find(|(listed, _)| listed == method);
            entry.map(|(_, index)| *index)
        };
        let as_get = || (method == Method::HEAD).then(|| listed(&Method::GET)).flatten();
        listed(method).or_else(as_get).or(self.any)
    }
}
