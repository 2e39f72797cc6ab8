//! Reads the one credential of a request.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use smallvec::SmallVec;

use super::credential::Credentials;
use super::head::Head;
use super::presented::{KeyBuffer, MAX_CREDENTIAL_BYTES, Parts, PresentedKey};
use super::source::{Carrier, Form, SourceIndex};
use super::{basic, bearer, query, visible, websocket};
use crate::error::{Denial, Malformation};

/// A key of a request, and the source that carried it.
pub(crate) struct Reading<'a> {
    pub(crate) key: PresentedKey<'a>,
    /// The id that was presented beside the key.
    pub(crate) id: Option<&'a [u8]>,
    pub(crate) source: SourceIndex,
}

/// A credential where it was found, not read yet.
#[derive(Clone, Copy)]
pub(super) enum RawCredential<'a> {
    Authorization(&'a HeaderValue),
    Own(usize, &'a HeaderValue),
    Query(usize, &'a str),
    Protocol(usize, &'a [u8]),
}

impl Credentials {
    /// Reads the one credential of a request. A source that is absent does not count. Two sources that
    /// are present are refused, whatever they hold, except if both allow an equal key.
    pub(crate) fn read<'a>(
        &self,
        head: Head<'a>,
        buffer: &'a mut KeyBuffer,
    ) -> Result<Reading<'a>, Denial> {
        let headers = head.headers;
        let mut found: Option<RawCredential<'a>> = None;
        let authorization = self.reads_authorization.then_some((&AUTHORIZATION, None));
        let own = self.headers.iter().map(|(name, source)| (name, Some(*source)));
        // If no header of the request is repeated, no credential is, and no second line is searched for.
        let repeated = headers.len() > headers.keys_len();
        for (name, source) in authorization.into_iter().chain(own) {
            let Some(line) = headers.get(name) else { continue };
            if repeated && is_repeated(headers, name) {
                return Err(Denial::CredentialsAmbiguous);
            }
            let raw = source
                .map_or(RawCredential::Authorization(line), |at| RawCredential::Own(at, line));
            match found {
                None => found = Some(raw),
                // The other header of a pair.
                Some(before) if before.is_of(source) => {}
                Some(_) if self.allows_equal => return self.read_equal(head, buffer),
                Some(_) => return Err(Denial::CredentialsAmbiguous),
            }
        }
        if self.reads_elsewhere() {
            for raw in self.raw_elsewhere(head)? {
                match found {
                    None => found = Some(raw),
                    Some(_) if self.allows_equal => return self.read_equal(head, buffer),
                    Some(_) => return Err(Denial::CredentialsAmbiguous),
                }
            }
        }
        let found = found.ok_or(Denial::CredentialsMissing)?;
        self.read_at(found, headers, buffer)
    }

    /// Returns true if a key can come in the query or in a protocol.
    const fn reads_elsewhere(&self) -> bool {
        !self.parameters.is_empty() || !self.protocols.is_empty()
    }

    /// Lists the credentials in the query, and among the protocols of a WebSocket handshake. Nothing else offers
    /// protocols.
    #[cold]
    pub(super) fn raw_elsewhere<'a>(
        &self,
        head: Head<'a>,
    ) -> Result<SmallVec<[RawCredential<'a>; 2]>, Denial> {
        let mut found = SmallVec::new();
        if let Some(query) = head.uri.query() {
            for (name, source) in &self.parameters {
                let value = query::find(query, name)?;
                found.extend(value.map(|value| RawCredential::Query(*source, value)));
            }
        }
        if !self.protocols.is_empty() && head.handshake().is_some() {
            for (prefix, source) in &self.protocols {
                let value = websocket::find(head.headers, prefix)?;
                found.extend(value.map(|value| RawCredential::Protocol(*source, value)));
            }
        }
        Ok(found)
    }

    pub(super) fn read_at<'a>(
        &self,
        raw: RawCredential<'a>,
        headers: &'a HeaderMap,
        buffer: &'a mut KeyBuffer,
    ) -> Result<Reading<'a>, Denial> {
        match raw {
            RawCredential::Authorization(value) => {
                self.read_authorization(value.as_bytes(), buffer)
            }
            RawCredential::Query(source, value) => {
                let key = query::key(value, buffer).map_err(Denial::CredentialsMalformed)?;
                Ok(Reading::new(Parts::alone(key), source))
            }
            RawCredential::Protocol(source, value) => {
                let key = websocket::key(value).map_err(Denial::CredentialsMalformed)?;
                Ok(Reading::new(Parts::alone(key), source))
            }
            RawCredential::Own(source, value) => {
                let parts = match self.sources.get(source).map(|source| &source.carrier) {
                    Some(Carrier::Headers { id, secret }) => read_pair(headers, id, secret),
                    _ => visible::key(value.as_bytes()).map(Parts::alone),
                };
                let parts = parts.map_err(Denial::CredentialsMalformed)?;
                Ok(Reading::new(parts, source))
            }
        }
    }

    fn read_authorization<'a>(
        &self,
        value: &'a [u8],
        buffer: &'a mut KeyBuffer,
    ) -> Result<Reading<'a>, Denial> {
        let (source, token) = self.schemes.find(value)?;
        let carrier = self.sources.get(source).map(|source| &source.carrier);
        let Some(Carrier::Scheme(form)) = carrier else { return Err(Denial::SchemeUnsupported) };
        let parts = if token.len() > MAX_CREDENTIAL_BYTES {
            Err(Malformation::TooLong)
        } else {
            match form {
                Form::Token => bearer::key(token).map(Parts::alone),
                Form::Visible => visible::key(token).map(Parts::alone),
                Form::Pair(rule) => basic::parts(token, rule.as_key(), buffer),
            }
        };
        let parts = parts.map_err(Denial::CredentialsMalformed)?;
        Ok(Reading::new(parts, source))
    }
}

impl<'a> Reading<'a> {
    const fn new(parts: Parts<'a>, source: usize) -> Self {
        let Parts { key, id } = parts;
        Self { key: PresentedKey::new(key), id, source: SourceIndex(source) }
    }
}

impl RawCredential<'_> {
    /// Returns true if the credential belongs to this source.
    pub(super) fn is_of(self, source: Option<usize>) -> bool {
        matches!(self, Self::Own(own, _) if Some(own) == source)
    }
}

pub(super) fn is_repeated(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).iter().nth(1).is_some()
}

/// Reads an id and a secret from two headers.
fn read_pair<'a>(
    headers: &'a HeaderMap,
    id: &HeaderName,
    secret: &HeaderName,
) -> Result<Parts<'a>, Malformation> {
    let value = |name| headers.get(name).map_or(&b""[..], HeaderValue::as_bytes);
    let key = visible::key(value(secret))?;
    let id = value(id);
    if id.is_empty() {
        return Err(Malformation::NoId);
    }
    Ok(Parts { key, id: Some(visible::key(id)?) })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::profile::{BasicKey, CredentialSource};

    const ALL: &[CredentialSource<'_>] = &[
        CredentialSource::basic(BasicKey::PasswordOf("api")),
        CredentialSource::bearer(),
        CredentialSource::header("x-api-key"),
    ];

    fn read(
        sources: &[CredentialSource<'_>],
        lines: &[(&'static str, &[u8])],
    ) -> Result<String, Denial> {
        let mut request = Request::new(());
        for (name, value) in lines {
            request.headers_mut().append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let mut buffer = KeyBuffer::new();
        let reading = Credentials::new(sources).unwrap().read(Head::of(&request), &mut buffer)?;
        Ok(String::from_utf8(reading.key.expose().to_vec()).unwrap())
    }

    #[test]
    fn one_credential_is_read_to_the_letter() {
        use Denial::SchemeUnsupported;
        use Denial::{CredentialsAmbiguous, CredentialsMalformed, CredentialsMissing};
        let auth = "authorization";
        let longest = "a".repeat(MAX_CREDENTIAL_BYTES);
        let at_most = format!("Bearer {longest}").into_bytes();
        let too_long = format!("Bearer {longest}a").into_bytes();
        let too_long_alone = format!("{longest}a").into_bytes();
        for (lines, expected) in [
            (&[(auth, &b"Bearer KEY"[..])][..], Ok("KEY")),
            (&[(auth, b"bEARER    KEY")], Ok("KEY")),
            (&[(auth, b"basic YXBpOktFWQ==")], Ok("KEY")),
            (&[("x-api-key", b"K:E,Y")], Ok("K:E,Y")),
            (&[], Err(CredentialsMissing)),
            (&[(auth, b"Digest abc")], Err(SchemeUnsupported)),
            (&[(auth, b"x-api-key abc")], Err(SchemeUnsupported)),
            (&[(auth, b"Bearer")], Err(CredentialsMalformed(Malformation::Empty))),
            (&[(auth, b"Bearer ")], Err(CredentialsMalformed(Malformation::Empty))),
            (&[(auth, b"")], Err(CredentialsMalformed(Malformation::Scheme))),
            (&[(auth, b" Bearer KEY")], Err(CredentialsMalformed(Malformation::Scheme))),
            (&[(auth, b"Bearer\tKEY")], Err(CredentialsMalformed(Malformation::Scheme))),
            (&[(auth, b"Bearer KEY ")], Err(CredentialsMalformed(Malformation::Alphabet))),
            (&[(auth, b"Bearer A, Basic B")], Err(CredentialsMalformed(Malformation::Alphabet))),
            (&[(auth, &at_most)], Ok(&longest)),
            (&[(auth, &too_long)], Err(CredentialsMalformed(Malformation::TooLong))),
            (&[("x-api-key", longest.as_bytes())], Ok(&longest)),
            (&[("x-api-key", &too_long_alone)], Err(CredentialsMalformed(Malformation::TooLong))),
            (&[("x-api-key", b"K Y")], Err(CredentialsMalformed(Malformation::Alphabet))),
            (&[("x-api-key", b"")], Err(CredentialsMalformed(Malformation::Empty))),
            (&[(auth, b"Bearer A"), (auth, b"Bearer A")], Err(CredentialsAmbiguous)),
            (&[(auth, b"Bearer A"), ("x-api-key", b"A")], Err(CredentialsAmbiguous)),
            (&[("x-api-key", b"A"), ("x-api-key", b"A")], Err(CredentialsAmbiguous)),
        ] {
            let read = read(ALL, lines);
            assert_eq!(read.as_deref(), expected.as_ref().map(|key| *key), "{lines:?}");
        }
    }

    #[test]
    fn a_source_that_the_profile_does_not_read_says_nothing() {
        const OWN: &[CredentialSource<'_>] = &[CredentialSource::header("x-api-key")];
        const BEARER: &[CredentialSource<'_>] = &[CredentialSource::bearer()];
        let lines = [("authorization", &b"Bearer B"[..]), ("x-api-key", b"A")];
        assert_eq!(read(OWN, &lines).as_deref(), Ok("A"));
        assert_eq!(read(BEARER, &lines).as_deref(), Ok("B"));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut state = 1u64;
        for _ in 0..20_000 {
            let mut value = b"Basic ".to_vec();
            for _ in 0..state % 40 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                value.push((state >> 33) as u8);
            }
            state = state.wrapping_add(1);
            if HeaderValue::from_bytes(&value).is_ok() {
                let _ = read(ALL, &[("authorization", &value)]);
            }
        }
    }
}
