//! Refusals as twelve more vendors document them, to the byte: made from public types, and read from the files of
//! `vendors/gallery`.

mod clients;
#[cfg(feature = "config")]
mod datadog;
#[cfg(feature = "config")]
mod door;
#[cfg(feature = "config")]
mod freshdesk;
#[cfg(feature = "config")]
mod github;
#[cfg(feature = "config")]
mod google_maps;
#[cfg(feature = "config")]
mod mailgun;
#[cfg(feature = "config")]
mod openai;
mod profiles;
mod refusals;
#[cfg(feature = "config")]
mod sendgrid;
