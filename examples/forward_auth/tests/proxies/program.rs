//! The program itself, over a Unix socket, behind nginx.
