//! The mistakes of all webhooks of a file, each with its field.

use tower_api_key::config::{FrontDoor, SectionMistake, WebhookSettings};

use super::endpoint::Endpoint;
use super::invalid::InvalidWebhook;
use super::secret::SigningSecret;
use super::tls;
use super::webhook::Webhook;

impl Webhook {
    /// Finds the addresses, secrets and certificates of `[[webhooks]]` that are not valid, all of them at once. The core
    /// does not know their forms. For [`FrontDoor::read_checked`], which adds line and column.
    ///
    /// A machine without certificates of authorities is no mistake of the file, so it is not among them.
    ///
    /// ```no_run
    /// use tower_api_key::config::FrontDoor;
    /// use tower_api_key_webhooks::Webhook;
    ///
    /// let door = FrontDoor::read_checked("gate.toml", Webhook::mistakes_of)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn mistakes_of(door: &FrontDoor) -> Vec<SectionMistake> {
        let all = door.webhooks().iter().enumerate();
        all.flat_map(|(index, settings)| {
            let mistake = move |(field, problem): (String, InvalidWebhook)| {
                SectionMistake::new(format!("webhooks[{index}].{field}"), problem.to_string())
            };
            mistakes(settings).into_iter().map(mistake)
        })
        .collect()
    }
}

/// Returns the fields of a webhook that are not valid.
fn mistakes(settings: &WebhookSettings) -> Vec<(String, InvalidWebhook)> {
    let (http, private) = (settings.insecure_allow_http, settings.insecure_allow_private_addresses);
    let url = Endpoint::read(settings.url.expose(), http, private).err();
    let mut found: Vec<_> = url.map(|problem| ("url".to_owned(), problem)).into_iter().collect();
    let more = settings.more_secrets.iter().enumerate();
    let more = more.map(|(index, secret)| (format!("more_secrets[{index}]"), secret));
    for (field, secret) in std::iter::once(("secret".to_owned(), &settings.secret)).chain(more) {
        found.extend(SigningSecret::read(secret.expose()).err().map(|problem| (field, problem)));
    }
    if let Some(pem) = &settings.ca {
        found.extend(
            tls::config(Some(pem.as_bytes())).err().map(|problem| ("ca".to_owned(), problem)),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use tower_api_key::config::FileFormat;

    use super::*;

    #[test]
    fn each_wrong_field_is_named() {
        let right = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        for (url, secrets, more, expected) in [
            ("https://hooks.example.com", [right, right], "", &[][..]),
            ("http://hooks.example.com", [right, right], "", &["url"]),
            ("http://hooks.example.com", [right, right], "insecure_allow_http = true", &[]),
            ("https://10.0.0.1", ["x", right], "", &["url", "secret"]),
            ("https://hooks.example.com", [right, "whsec_x"], "", &["more_secrets[0]"]),
            ("https://hooks.example.com", [right, right], "ca = \"x\"", &["ca"]),
        ] {
            let [secret, other] = secrets;
            let file = format!(
                "profile.base = \"standard\"\nevents = {{}}\n[[webhooks]]\nname = \"a\"\nurl = \"{url}\"\n\
                 secret = \"{secret}\"\nmore_secrets = [\"{other}\"]\n{more}\n"
            );
            let door = FrontDoor::parse("gate.toml", &file, FileFormat::Toml).unwrap();
            let found = mistakes(&door.webhooks()[0]);
            assert!(found.iter().map(|(field, _)| field).eq(expected), "{url}: {found:?}");
            assert_eq!(Webhook::mistakes_of(&door).len(), expected.len());
        }
    }
}
