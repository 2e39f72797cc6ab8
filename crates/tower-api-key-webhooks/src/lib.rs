//! Webhooks for the events of `tower-api-key`, after the [Standard Webhooks] specification.
//!
//! [`Webhook`] is an [`EventSink`](tower_api_key::events::EventSink). It sends each event as a signed `POST`. Receivers
//! verify it with a library of Standard Webhooks in their language.
//!
//! An endpoint's URL often comes from a customer. So a webhook connects only to public addresses over HTTPS, follows no
//! redirect, and reads no body of a response. It connects to the address that it has checked, so a name that later
//! resolves to another address (DNS rebinding) gains nothing.
//!
//! [Standard Webhooks]: https://www.standardwebhooks.com

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod address;
mod builder;
mod dial;
mod endpoint;
mod exchange;
mod failure;
mod invalid;
#[cfg(feature = "config")]
mod mistakes;
mod network;
#[cfg(test)]
mod rebinding;
mod secret;
#[cfg(feature = "config")]
mod settings;
mod tls;
mod webhook;

pub use builder::WebhookBuilder;
pub use invalid::InvalidWebhook;
pub use webhook::Webhook;

/// The README's code is compiled as the documentation's is.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
