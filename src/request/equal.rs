//! Several credentials of one request, which are equal (where a profile allows that).

use http::header::AUTHORIZATION;

use super::credential::Credentials;
use super::head::Head;
use super::presented::KeyBuffer;
use super::reading::{RawCredential, Reading, is_repeated};
use crate::error::Denial;

impl Credentials {
    /// Reads a request with several credentials, all of which must be equal.
    #[cold]
    pub(super) fn read_equal<'a>(
        &self,
        head: Head<'a>,
        buffer: &'a mut KeyBuffer,
    ) -> Result<Reading<'a>, Denial> {
        let mut found = self.all_raw(head)?;
        // Caches know `Authorization`. They do not know the vendor's own headers, and a query is in their logs. So
        // the last one counts.
        let last = found.pop().ok_or(Denial::CredentialsMissing)?;
        let ambiguous = |_| Denial::CredentialsAmbiguous;
        let counted = self.read_at(last, head.headers, buffer).map_err(ambiguous)?;
        for raw in found {
            let mut buffer = KeyBuffer::new();
            let other = self.read_at(raw, head.headers, &mut buffer).map_err(ambiguous)?;
            let allowed = [&counted, &other]
                .iter()
                .all(|reading| self.source(reading.source).is_some_and(|it| it.allows_equal));
            if !allowed || !other.key.equals(&counted.key) || other.id != counted.id {
                return Err(Denial::CredentialsAmbiguous);
            }
        }
        Ok(counted)
    }

    /// Lists all credentials, one for each pair of headers.
    fn all_raw<'a>(&self, head: Head<'a>) -> Result<Vec<RawCredential<'a>>, Denial> {
        let mut found: Vec<RawCredential<'a>> = Vec::new();
        let authorization = self.reads_authorization.then_some((&AUTHORIZATION, None));
        let own = self.headers.iter().map(|(name, source)| (name, Some(*source)));
        for (name, source) in authorization.into_iter().chain(own) {
            let Some(line) = head.headers.get(name) else { continue };
            if is_repeated(head.headers, name) {
                return Err(Denial::CredentialsAmbiguous);
            }
            if !found.iter().any(|raw| raw.is_of(source)) {
                found.push(
                    source.map_or(RawCredential::Authorization(line), |at| {
                        RawCredential::Own(at, line)
                    }),
                );
            }
        }
        found.extend(self.raw_elsewhere(head)?);
        Ok(found)
    }
}
