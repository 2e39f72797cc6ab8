//! The routes of one path pattern.

use http::Method;

use crate::request::Head;

/// The method of a request, as a route table reads it.
#[derive(Clone, Copy)]
pub(crate) struct RouteMethod<'a> {
    method: &'a Method,
    /// Whether the route of `GET` counts, too, if no row lists the method.
    is_like_get: bool,
}

impl<'a> From<&'a Method> for RouteMethod<'a> {
    fn from(method: &'a Method) -> Self {
        Self { method, is_like_get: method == Method::HEAD }
    }
}

impl<'a> From<Head<'a>> for RouteMethod<'a> {
    /// An extended `CONNECT` is what HTTP/2 has for the `GET` of a WebSocket handshake (RFC 8441 §5).
    fn from(head: Head<'a>) -> Self {
        let Self { method, is_like_get } = head.method.into();
        Self { method, is_like_get: is_like_get || head.is_extended_connect }
    }
}

/// The routes of one pattern, by method.
#[derive(Debug, Clone, Default)]
pub(super) struct Methods {
    listed: Vec<(Method, usize)>,
    any: Option<usize>,
}

impl Methods {
    /// Adds methods; returns false if one of them is there already.
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

    /// Returns the route of a method. `HEAD` and an extended `CONNECT` have the route of `GET`, unless they have
    /// their own.
    pub(super) fn find(&self, method: RouteMethod<'_>) -> Option<usize> {
        let listed = |method: &Method| {
            let entry = self.listed.iter().find(|(listed, _)| listed == method);
            entry.map(|(_, index)| *index)
        };
        let as_get = || method.is_like_get.then(|| listed(&Method::GET)).flatten();
        listed(method.method).or_else(as_get).or(self.any)
    }
}
