//! The page that lists the front doors.

use std::fmt::Write;

use super::door::GalleryDoor;

const HEAD: &str = "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Gallery</title>\
    <style>body{font-family:sans-serif;max-width:60em;margin:2em auto}pre{white-space:pre-wrap}</style>\
    <h1>Gallery</h1><p>Each front door is a file. Its keys are in the manifest and on the demo's output.</p>";

/// Writes the page.
pub(super) fn html(doors: &[GalleryDoor]) -> String {
    let mut page = HEAD.to_owned();
    for door in doors {
        let [title, base, vendor, notes] =
            [&door.title, &door.base, &door.vendor, &door.notes].map(|text| escaped(text));
        // Writing to a string never fails.
        let _ = write!(
            page,
            "<h2 id=\"{vendor}\">{title}</h2><p>Base URL: <code>{base}</code></p><pre>{notes}</pre>"
        );
    }
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
