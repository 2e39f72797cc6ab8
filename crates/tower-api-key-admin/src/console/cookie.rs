//! The cookie that has the text of a session.

use http::{HeaderMap, HeaderValue, header};

/// The name that browsers accept over HTTPS only, for one host and every path of it.
const NAME: &str = "__Host-api-key-console";

/// The name over plain HTTP, where browsers refuse the other one.
const INSECURE_NAME: &str = "insecure-api-key-console";

/// Writes and reads the cookie.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionCookie {
    pub(super) over_http: bool,
}

impl SessionCookie {
    fn name(self) -> &'static str {
        if self.over_http { INSECURE_NAME } else { NAME }
    }

    /// Returns the text of the session that a request belongs to. `None` if it has several.
    pub(super) fn read(self, headers: &HeaderMap) -> Option<&str> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs =
            lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut own = pairs.filter(|(name, _)| *name == self.name()).map(|(_, value)| value);
        let first = own.next()?;
        own.next().is_none().then_some(first)
    }

    /// Returns the value of `Set-Cookie` for a session. `None` if its text is no value of a header.
    pub(super) fn set(self, text: &str) -> Option<HeaderValue> {
        self.line(&format!("{}={text}", self.name()))
    }

    /// Returns the value of `Set-Cookie` that removes the cookie.
    pub(super) fn remove(self) -> Option<HeaderValue> {
        self.line(&format!("{}=; Max-Age=0", self.name()))
    }

    fn line(self, pair: &str) -> Option<HeaderValue> {
        let secure = if self.over_http { "" } else { "; Secure" };
        let line = format!("{pair}; Path=/{secure}; HttpOnly; SameSite=Strict");
        let mut value = HeaderValue::try_from(line).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_one_host_and_no_script() {
        let cookie = SessionCookie { over_http: false };
        assert_eq!(
            cookie.set("abc").unwrap(),
            "__Host-api-key-console=abc; Path=/; Secure; HttpOnly; SameSite=Strict"
        );
        assert!(cookie.set("a\nb").is_none());
        let insecure = SessionCookie { over_http: true };
        assert_eq!(
            insecure.set("abc").unwrap(),
            "insecure-api-key-console=abc; Path=/; HttpOnly; SameSite=Strict"
        );
    }

    #[test]
    fn one_session_is_read_and_two_are_none() {
        let cookie = SessionCookie { over_http: false };
        for (lines, expected) in [
            (&["__Host-api-key-console=abc"][..], Some("abc")),
            (&["a=b; __Host-api-key-console=abc; c=d"], Some("abc")),
            (&["a=b", "__Host-api-key-console=abc"], Some("abc")),
            (&["__Host-api-key-console=abc; __Host-api-key-console=abd"], None),
            (&["insecure-api-key-console=abc"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_static(line));
            }
            assert_eq!(cookie.read(&headers), expected, "{lines:?}");
        }
    }
}
