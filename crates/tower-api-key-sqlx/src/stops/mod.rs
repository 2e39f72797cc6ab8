//! Tables of stops: a process ends at each statement of a change, as `kill -9` ends it, and another one goes on. Each change
//! is there wholly, with its line of the trail and its events, or not at all, and a retry makes one of it.

mod commands;
mod peppers;
mod process;
mod stopping;
mod table;

pub(crate) use process::{given, run};
pub(crate) use stopping::StopAt;
