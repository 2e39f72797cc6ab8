//! The page that asks to confirm a change that ends something.

use askama::Template;

use super::frame::Frame;
use super::key_values::Overlap;

#[derive(Template)]
#[template(path = "console/confirm.html")]
pub(super) struct ConfirmPage {
    pub(super) frame: Frame,
    pub(super) title: String,
    pub(super) page: &'static str,
    pub(super) problem: Option<String>,
    pub(super) consequence: &'static str,
    pub(super) id: String,
    pub(super) version: String,
    pub(super) once: String,
    pub(super) reason: String,
    pub(super) needs_reason: bool,
    pub(super) danger: bool,
    pub(super) button: &'static str,
    pub(super) back: String,
}
