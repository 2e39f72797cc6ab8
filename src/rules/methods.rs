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

#[cfg(test)]
impl<'a> From<&'a Method> for RouteMethod<'a> {
    fn from(method: &'a Method) -> Self {
        Self { method, is_like_get: method == Method::HEAD }
    }
}

impl<'a> From<Head<'a>> for RouteMethod<'a> {
    fn from(head: Head<'a>) -> Self {
        Self { method: head.method, is_like_get: head.is_like_get() }
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

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn an_extended_connect_has_the_route_of_get_in_place_of_any() {
        let found = |methods: &Methods, method: &str, uri: &str| {
            let request = Request::builder().method(method).uri(uri).body(()).unwrap();
            methods.find(Head::of(&request).into())
        };
        let mut methods = Methods::default();
        assert!(methods.add(&[Method::GET], 1) && methods.add(&[], 2));
        for (method, uri, route) in [
            ("GET", "/live", 1),
            ("HEAD", "/live", 1),
            ("POST", "/live", 2),
            ("CONNECT", "https://api.example.com/live", 1),
            ("CONNECT", "/live", 1),
            // A tunnel has no path.
            ("CONNECT", "api.example.com:443", 2),
        ] {
            assert_eq!(found(&methods, method, uri), Some(route), "{method} {uri}");
        }
        assert!(methods.add(&[Method::CONNECT], 3));
        assert_eq!(found(&methods, "CONNECT", "https://api.example.com/live"), Some(3));
    }
}
