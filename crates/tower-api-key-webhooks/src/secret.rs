//! The secrets of a webhook, and the signatures that they make.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::invalid::InvalidWebhook;

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// Reads base64 with and without padding.
const READER: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A secret of a webhook. It is wiped from memory when it is dropped.
#[derive(Clone)]
pub(crate) struct SigningSecret(Zeroizing<Vec<u8>>);

impl SigningSecret {
    /// Reads `whsec_` with 24 to 64 bytes in base64.
    pub(crate) fn read(text: &str) -> Result<Self, InvalidWebhook> {
        let digits = text.strip_prefix(PREFIX).ok_or(InvalidWebhook::Secret)?;
        let bytes = READER.decode(digits).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| InvalidWebhook::Secret)?;
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(InvalidWebhook::Secret) }
    }

    /// Signs a message: `v1,` and the HMAC-SHA-256 of its id, its time and its body.
    fn sign(&self, id: &str, seconds: u64, body: &str) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body.as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

/// Returns the header of a message: a signature of each secret, with spaces between them.
pub(crate) fn signatures(secrets: &[SigningSecret], id: &str, seconds: u64, body: &str) -> String {
    let all = secrets.iter().filter_map(|secret| secret.sign(id, seconds, body));
    all.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn the_example_of_the_specification_has_its_signature() {
        let secret = SigningSecret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signatures(
            &[secret.clone(), secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        let one = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed, format!("{one} {one}"));
    }

    #[test]
    fn only_whole_secrets_are_read() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for (text, fine) in [
            (of(24), true),
            (of(32), true),
            (of(32).trim_end_matches('=').to_owned(), true),
            (of(64), true),
            (of(23), false),
            (of(65), false),
            (of(32).replace("whsec_", ""), false),
            ("whsec_".to_owned(), false),
            ("whsec_not base64 not base64 not base64".to_owned(), false),
        ] {
            assert_eq!(SigningSecret::read(&text).is_ok(), fine, "{text}");
        }
    }
}
