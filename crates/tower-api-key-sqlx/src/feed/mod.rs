//! What a replica reads: the whole store in pages, and then the changes of the trail.
//!
//! 1. Every writer locks the trail before it takes a number. So the numbers have the order in which changes
//!    become visible: a statement that sees a change sees all changes before it.
//! 2. Every answer proves the position of the reader in the same statement that reads the answer. The statement
//!    sees one state of one server. So a pooler may send each statement over another connection.
//! 3. Each change has a random mark, and the mark of the change before it. So a reader notices a restored
//!    database, a server that lost changes, and a trail that lost rows.
//! 4. What cannot be told as changes is told as `Diverged`, and the reader begins anew.

mod behind;
mod change_list;
mod key_feed;
mod packed;
mod page;
mod secrets;
mod trail_lines;
mod trail_position;

#[cfg(feature = "postgres")]
pub(super) use trail_lines::{LineStep, TrailLines};
#[cfg(feature = "postgres")]
pub(super) use trail_position::{TrailPlace, from};
