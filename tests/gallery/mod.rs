//! Refusals as twelve more vendors document them, to the byte: made from public types, and read from the files of
//! `vendors/gallery`.

#[cfg(feature = "config")]
mod anthropic;
mod clients;
#[cfg(feature = "config")]
mod deepl;
#[cfg(feature = "config")]
mod door;
#[cfg(feature = "config")]
mod elasticsearch;
#[cfg(feature = "config")]
mod openai;
mod profiles;
mod refusals;
#[cfg(feature = "config")]
mod stripe;
#[cfg(feature = "config")]
mod twilio;
