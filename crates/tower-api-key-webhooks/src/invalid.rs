//! The error of a webhook that is not valid.

/// Why a webhook is not valid. No text repeats a URL or a secret.
///
/// ```
/// use tower_api_key_webhooks::{InvalidWebhook, Webhook};
///
/// let built = Webhook::builder("billing", "https://hooks.example.com/keys").build();
/// assert!(matches!(built, Err(InvalidWebhook::NoSecret)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidWebhook {
    /// The URL is not one of a web server.
    #[error("`url` is not valid: write https://HOST/PATH")]
    Url,
    /// The URL holds a user or a password.
    #[error(
        "`url` has a user or a password: leave it out, because the signature proves the sender"
    )]
    UrlWithUser,
    /// The URL begins with `http`.
    #[error(
        "`url` begins with http, so anyone on the way reads events: write https, or set \
         `insecure_allow_http`"
    )]
    Http,
    /// The host is a number in an unusual form, which some programs read as an address.
    #[error(
        "`url` has a number as its host: write a name, or an IPv4 address as four numbers with dots"
    )]
    NumberAsHost,
    /// The URL names an address that is not on the internet.
    #[error(
        "`url` names a private, local or reserved address: write one on the internet, or set \
         `insecure_allow_private_addresses`"
    )]
    PrivateAddress,
    /// No secret is set.
    #[error(
        "the webhook has no secret: set `secret`, such as `whsec_` with 24 to 64 bytes in base64"
    )]
    NoSecret,
    /// A secret has another form.
    #[error("`secret` is not valid: write `whsec_` and 24 to 64 bytes in base64")]
    Secret,
    /// The list of kinds is empty.
    #[error("`kinds` is empty, so no event would be sent: name a kind, or leave `kinds` out")]
    NoKinds,
    /// The time is zero.
    #[error("`timeout` must be over 0 and at most 15 seconds")]
    Timeout,
    /// The certificates of the authorities cannot be read.
    #[error("`ca` has no certificate in the format PEM: check the text")]
    Authorities,
    /// The system has no certificates.
    #[error(
        "the system has no certificates of authorities: install them (`ca-certificates`), or set `ca`"
    )]
    NoAuthorities,
}
