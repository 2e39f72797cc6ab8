//! Lists of keys. A page is found by an index, whatever the filter combines: a small set of keys is read and sorted, and a
//! large one is read in the order of the list until the page is full.

mod branch;
mod class_names;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod combinations;
mod key_class;
mod key_list;
mod key_set;
mod list_place;
mod list_terms;
mod periods;
mod term;

pub(crate) use key_list::KeyList;
pub(crate) use list_place::position;

#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod plans;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod races;
