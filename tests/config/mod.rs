//! Files: those that ship, their schema, and how they are written.

mod shipped;
