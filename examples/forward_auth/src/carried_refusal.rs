//! A refusal inside of a header, for nginx.
//!
//! nginx's `auth_request` passes on 401 and 403 only, and without their bodies. So the checker answers every refusal
//! with 403, and puts the vendor's refusal into a header. nginx sends the header back in a second request, and passes
//! on what the checker answers then. The second request asks no gate, so it costs nothing. It needs no memory, so
//! another checker may answer it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};

/// The header that carries a refusal, in base64.
pub(crate) const REFUSAL: HeaderName = HeaderName::from_static("x-forward-auth-refusal");

/// The most bytes that the header has. `proxy_buffer_size` of nginx must hold it, with what else the answer has.
const LONGEST: usize = 12 * 1024;

/// Packs a refusal. One that is too long loses its body.
pub(crate) fn pack(refusal: &Response<Bytes>) -> Option<HeaderValue> {
    // The answer to HEAD states a length, and has no body. The server states any other length anew.
    let has_body = !refusal.body().is_empty();
    let packed = |is_whole: bool, body: &[u8]| {
        let mut lines = vec![refusal.status().as_str().as_bytes().to_vec()];
        for (name, value) in refusal.headers() {
            let is_of_body = *name == CONTENT_LENGTH || (!is_whole && *name == CONTENT_TYPE);
            if !(has_body && is_of_body) {
                lines.push([name.as_str().as_bytes(), b":", value.as_bytes()].concat());
            }
        }
        let head = lines.join(&b'\n');
        URL_SAFE_NO_PAD.encode([&head, &b"\n\n"[..], body].concat())
    };
    let whole = packed(true, refusal.body());
    let fits = if whole.len() <= LONGEST { whole } else { packed(false, b"") };
    HeaderValue::from_str(&fits).ok().filter(|value| value.len() <= LONGEST)
}

/// Unpacks a refusal. Returns `None` for everything else, and for a status that is none of a refusal.
pub(crate) fn unpack(packed: &HeaderValue) -> Option<Response<Bytes>> {
    let bytes = URL_SAFE_NO_PAD.decode(packed).ok()?;
    let end = bytes.windows(2).position(|window| window == b"\n\n")?;
    let mut lines = bytes.get(..end)?.split(|byte| *byte == b'\n');
    let status = StatusCode::from_bytes(lines.next()?).ok()?;
    let mut refusal = Response::new(Bytes::copy_from_slice(bytes.get(end + 2..)?));
    for line in lines {
        let at = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(at)?;
        let name = HeaderName::from_bytes(name).ok()?;
        let value = HeaderValue::from_bytes(value.get(1..)?).ok()?;
        refusal.headers_mut().append(name, value);
    }
    *refusal.status_mut() = status;
    (status.is_client_error() || status.is_server_error()).then_some(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Response<Bytes> {
        let refusal = Response::builder().status(status).header("content-type", "text/html");
        let refusal = refusal.header("www-authenticate", "Bearer realm=\"a:b\"");
        let refusal = refusal.header("www-authenticate", "Basic realm=\"a\"");
        refusal.header("content-length", body.len()).body(Bytes::from(body.to_owned())).unwrap()
    }

    #[test]
    fn a_refusal_comes_back_as_it_was() {
        for body in ["", "{}", "<h1>\n\n429: slow down\r\n</h1>", "\u{e9}"] {
            let sent = refusal(429, body);
            let back = unpack(&pack(&sent).unwrap()).unwrap();
            assert_eq!((back.status(), back.body()), (sent.status(), sent.body()));
            let mut headers = sent.headers().clone();
            if !body.is_empty() {
                headers.remove(CONTENT_LENGTH); // the server states it anew
            }
            assert_eq!(*back.headers(), headers);
        }
    }

    #[test]
    fn a_long_refusal_loses_its_body_only() {
        let back = unpack(&pack(&refusal(401, &"a".repeat(20_000))).unwrap()).unwrap();
        assert_eq!((back.status().as_u16(), back.body().len()), (401, 0));
        assert_eq!(back.headers().get_all("www-authenticate").iter().count(), 2);
        let headers = Response::builder().status(401).header("x-long", "a".repeat(20_000));
        assert!(pack(&headers.body(Bytes::new()).unwrap()).is_none());
    }

    #[test]
    fn nothing_but_a_refusal_is_unpacked() {
        for text in ["", "a", "!", "MjAw", "200\n\nhello", "302\nlocation:/a\n\n", "999\n\n"] {
            for value in [text.to_owned(), URL_SAFE_NO_PAD.encode(text)] {
                assert!(unpack(&value.replace('\n', "").parse().unwrap()).is_none(), "{text}");
            }
        }
        let forged = URL_SAFE_NO_PAD.encode("401\nset-cookie:a\r\nx:b\n\n");
        assert!(unpack(&forged.parse().unwrap()).is_none());
    }
}
