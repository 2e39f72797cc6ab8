//! The feed of a replica, over both databases.

mod copy;
mod order;
mod pages;
mod refunds;
mod repaired;
mod replicas;
mod restored;
mod sessions;
mod trails;
