//! Writes who called, and removes what a client says of it.

use http::{HeaderMap, HeaderName, HeaderValue};
use tower_api_key::Grant;

use super::fields;
use crate::Problem;
use crate::settings::IdentitySettings;

/// The fields in which upstreams read who called.
pub(crate) struct IdentityFields {
    account: HeaderName,
    key_id: HeaderName,
    environment: HeaderName,
    metadata: Vec<(String, HeaderName)>,
}

impl IdentityFields {
    pub(super) fn new(settings: &IdentitySettings) -> Result<Self, Problem> {
        let metadata = settings.metadata.iter().map(|(name, field)| {
            let field = header(&format!("metadata.{name}"), field)?;
            Ok((name.clone(), field))
        });
        let fields = Self {
            account: header("account", &settings.account)?,
            key_id: header("key_id", &settings.key_id)?,
            environment: header("environment", &settings.environment)?,
            metadata: metadata.collect::<Result<_, Problem>>()?,
        };
        let mut names: Vec<&HeaderName> = fields.names().collect();
        names.sort_unstable_by_key(|name| name.as_str());
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(Problem::new("identity", "two facts have the same field"));
        }
        Ok(fields)
    }

    /// Lists the fields that only the gateway writes.
    pub(super) fn names(&self) -> impl Iterator<Item = &HeaderName> {
        let metadata = self.metadata.iter().map(|(_, field)| field);
        [&self.account, &self.key_id, &self.environment].into_iter().chain(metadata)
    }

    /// Replaces what the client says of its identity by what the gate knows. A request without a key has none.
    pub(super) fn write(&self, headers: &mut HeaderMap, grant: Option<&Grant>) {
        for name in self.names() {
            headers.remove(name);
        }
        let Some(grant) = grant else { return };
        headers.insert(&self.account, value(grant.account().as_str()));
        headers.insert(&self.key_id, value(grant.key_id().as_str()));
        if let Some(environment) = grant.environment() {
            headers.insert(&self.environment, value(environment.as_str()));
        }
        for (name, field) in &self.metadata {
            if let Some(metadata) = grant.record().metadata(name) {
                headers.insert(field, value(metadata));
            }
        }
    }
}

/// Reads the name of a field.
fn header(setting: &str, name: &str) -> Result<HeaderName, Problem> {
    let problem = |what: &str| Problem::new(format!("identity.{setting}"), what);
    let name = HeaderName::try_from(name).map_err(|_| problem("not the name of a field"))?;
    if !fields::is_plain(&name) {
        return Err(problem("use letters, digits and `-` only: some servers read `_` as `-`"));
    }
    if fields::is_of_the_connection(&name) || fields::is_for_every_recipient(&name) {
        return Err(problem("HTTP gives this field another meaning"));
    }
    Ok(name)
}

/// Writes a text as the value of a field. `%`, and all that is not printable ASCII, is percent-encoded as UTF-8, so
/// that the value is exact and cannot break the message.
fn value(text: &str) -> HeaderValue {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (b' '..=b'~').contains(&byte) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    // Printable ASCII is always a valid value.
    HeaderValue::try_from(encoded).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_value_is_exact() {
        for (text, expected) in [
            ("account_1", "account_1"),
            ("a b", "a b"),
            ("100%", "100%25"),
            ("caf\u{e9}", "caf%C3%A9"),
            ("a\r\nX-Evil: 1", "a%0D%0AX-Evil: 1"),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn a_field_with_another_meaning_is_refused() {
        for name in
            ["host", "connection", "te", "x-forwarded-for", "authorization", "x_account", "a b", ""]
        {
            let settings = IdentitySettings { account: name.to_owned(), ..Default::default() };
            let problem = IdentityFields::new(&settings).err().unwrap().to_string();
            assert!(problem.starts_with("gateway.identity.account: "), "{name}: {problem}");
        }
        let metadata = BTreeMap::from([("team".to_owned(), "X-Key-Id".to_owned())]);
        let twice = IdentitySettings { metadata, ..Default::default() };
        assert!(IdentityFields::new(&twice).is_err());
    }
}
