//! The rule that a key came over HTTPS.

use crate::error::Denial;
use crate::request::Client;

/// Refuses a request without proof of HTTPS, unless the gate is configured to assume HTTPS.
pub(crate) fn is_secure(client: Client, assumed: bool) -> Result<(), Denial> {
    if client.https || assumed { Ok(()) } else { Err(Denial::InsecureTransport) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proof_is_plain_http() {
        for (https, assumed, passes) in
            [(false, false, false), (true, false, true), (false, true, true)]
        {
            let client = Client { address: None, https };
            assert_eq!(is_secure(client, assumed).is_ok(), passes);
        }
    }
}
