//! The rows of a route table, as data again, for a document that describes the gate.

use http::Method;

use super::compiled_route::CompiledRoute;
use super::header::{Accepted, Demand};
use super::table::RouteTable;

/// A row of a route table.
#[derive(Debug, Clone)]
pub(crate) struct DescribedRow<'a> {
    /// The methods of the row. Empty: all.
    pub(crate) methods: Vec<Method>,
    /// The path pattern.
    pub(crate) pattern: &'a str,
    /// The index of the row in the table.
    pub(crate) index: usize,
}

impl RouteTable {
    /// Lists the rows in the order in which they were added.
    pub(crate) fn rows(&self) -> impl Iterator<Item = DescribedRow<'_>> {
        let is_row = |(index, _): &(usize, &CompiledRoute)| self.otherwise != Some(*index);
        self.routes.iter().enumerate().filter(is_row).map(|(index, route)| {
            let methods = route.name.split_once(' ').map_or("*", |(methods, _)| methods);
            let listed = methods.split(',').filter(|method| *method != "*");
            let methods = listed.filter_map(|name| Method::from_bytes(name.as_bytes()).ok());
            DescribedRow { methods: methods.collect(), pattern: route.pattern(), index }
        })
    }
}

impl RouteTable {
    /// Returns true if the table admits requests that no row covers.
    pub(crate) const fn has_otherwise(&self) -> bool {
        self.otherwise.is_some()
    }
}

impl Demand {
    /// Returns the values that are accepted.
    pub(crate) const fn accepted(&self) -> &Accepted {
        &self.expected
    }
}
