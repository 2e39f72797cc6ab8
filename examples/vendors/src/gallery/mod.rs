//! The gallery: front doors that are files, each served below a path of its own. The program knows no vendor of them.
//! What their services answer, and which keys they have, is data in the folder `gallery` of this package.

mod answers;
mod app;
mod door;
mod issued;
mod page;
mod published;
mod secret_text;

pub(crate) use app::router;
pub(crate) use door::doors;
pub(crate) use published::GalleryManifest;
