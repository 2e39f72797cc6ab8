//! Reads the one credential of a request.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::authorization::Schemes;
use super::presented::{KeyBuffer, MAX_CREDENTIAL_BYTES, Parts, PresentedKey};
use super::source::{Carrier, Form, Source, SourceIndex};
use super::{basic, bearer, visible};
use crate::error::{ConfigError, Denial, Malformation};
use crate::profile::CredentialSource;

/// The checked credential sources of a profile.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    sources: Box<[Source]>,
    schemes: Schemes,
    headers: Vec<(HeaderName, usize)>,
    reads_authorization: bool,
    reads_ids: bool,
}

/// A key of a request, and the source that carried it.
pub(crate) struct Reading<'a> {
    pub(crate) key: PresentedKey<'a>,
    /// The id that was presented beside the key.
    pub(crate) id: Option<&'a [u8]>,
    pub(crate) source: SourceIndex,
}

impl Credentials {
    pub(crate) fn new(described: &[CredentialSource<'_>]) -> Result<Self, ConfigError> {
        if described.is_empty() {
            return Err(ConfigError::NoCredentialSource);
        }
        let repeated = |name: &HeaderName| ConfigError::RepeatedCredentialSource(name.to_string());
        let mut schemes = Schemes::default();
        let mut headers: Vec<(HeaderName, usize)> = Vec::new();
        let mut sources = Vec::new();
        for (index, described) in described.iter().enumerate() {
            let source = Source::new(described)?;
            match &source.carrier {
                Carrier::Scheme(_) => schemes.add(described.scheme.label(), index)?,
                Carrier::Header(name) => {
                    if headers.iter().any(|(other, _)| other == name) {
                        return Err(repeated(name));
                    }
                    headers.push((name.clone(), index));
                }
            }
            sources.push(source);
        }
        let reads_authorization = !schemes.is_empty();
        if reads_authorization && headers.iter().any(|(name, _)| *name == AUTHORIZATION) {
            return Err(repeated(&AUTHORIZATION));
        }
        let reads_ids = sources.iter().any(Source::has_id);
        Ok(Self { sources: sources.into(), schemes, headers, reads_authorization, reads_ids })
    }

    /// Returns the source of a key that was read.
    pub(crate) fn source(&self, index: SourceIndex) -> Option<&Source> {
        self.sources.get(index.0)
    }

    /// Returns true if a source has the id of its key beside the key.
    pub(crate) const fn reads_ids(&self) -> bool {
        self.reads_ids
    }

    /// Lists the headers that carry keys.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        let authorization = self.reads_authorization.then_some(&AUTHORIZATION);
        authorization.into_iter().chain(self.headers.iter().map(|(name, _)| name))
    }

    /// Marks the credential as sensitive, so that code that prints or compresses headers does not show
    /// it.
    pub(crate) fn mark_sensitive(&self, headers: &mut HeaderMap) {
        let mut mark = |name: &HeaderName| {
            if let Some(value) = headers.get_mut(name) {
                value.set_sensitive(true);
            }
        };
        if self.reads_authorization {
            mark(&AUTHORIZATION);
        }
        self.own_header_names().for_each(mark);
    }

    /// Lists the vendor's own headers that carry keys. Caches do not know them, unlike `Authorization`.
    pub(crate) fn own_header_names(&self) -> impl Iterator<Item = &HeaderName> {
        self.headers.iter().map(|(name, _)| name)
    }

    /// Reads the one credential of a request. A source that is absent does not count. Two sources that
    /// are present are refused, whatever they hold.
    pub(crate) fn read<'a>(
        &self,
        headers: &'a HeaderMap,
        buffer: &'a mut KeyBuffer,
    ) -> Result<Reading<'a>, Denial> {
        let mut found: Option<(&'a HeaderValue, Option<usize>)> = None;
        let authorization = self.reads_authorization.then_some((&AUTHORIZATION, None));
        let own = self.headers.iter().map(|(name, source)| (name, Some(*source)));
        // If no header of the request is repeated, no credential is, and no second line is searched for.
        let repeated = headers.len() > headers.keys_len();
        for (name, source) in authorization.into_iter().chain(own) {
            let Some(line) = headers.get(name) else { continue };
            let another = || headers.get_all(name).iter().nth(1).is_some();
            if found.is_some() || (repeated && another()) {
                return Err(Denial::CredentialsAmbiguous);
            }
            found = Some((line, source));
        }
        match found {
            None => Err(Denial::CredentialsMissing),
            Some((value, Some(source))) => read_header(value.as_bytes(), source),
            Some((value, None)) => self.read_authorization(value.as_bytes(), buffer),
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

/// Reads a header whose whole value is the key.
fn read_header(value: &[u8], source: usize) -> Result<Reading<'_>, Denial> {
    let key = visible::key(value).map_err(Denial::CredentialsMalformed)?;
    Ok(Reading::new(Parts::alone(key), source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::BasicKey;

    const ALL: &[CredentialSource<'_>] = &[
        CredentialSource::basic(BasicKey::PasswordOf("api")),
        CredentialSource::bearer(),
        CredentialSource::header("x-api-key"),
    ];

    fn read(
        sources: &[CredentialSource<'_>],
        lines: &[(&'static str, &[u8])],
    ) -> Result<String, Denial> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let mut buffer = KeyBuffer::new();
        let reading = Credentials::new(sources).unwrap().read(&headers, &mut buffer)?;
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

    #[test]
    fn contradictory_sources_are_refused() {
        const TWICE: &[CredentialSource<'_>] =
            &[CredentialSource::bearer(), CredentialSource::bearer()];
        const WHOLE: &[CredentialSource<'_>] =
            &[CredentialSource::bearer(), CredentialSource::header("Authorization")];
        assert!(Credentials::new(&[]).is_err());
        assert!(Credentials::new(TWICE).is_err());
        assert!(Credentials::new(WHOLE).is_err());
        const NO_KIND: &[CredentialSource<'_>] = &[CredentialSource::bearer().only(&[])];
        let error = Credentials::new(NO_KIND).unwrap_err();
        assert!(matches!(error, ConfigError::NoAlternative { list: "only", .. }), "{error}");
    }
}
