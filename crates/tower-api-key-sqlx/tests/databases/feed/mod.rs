//! The feed of a replica, over both databases.

mod copy;
mod order;
mod pages;
mod repaired;
mod refunds;
mod replicas;
mod restored;
mod sessions;
mod trails;
