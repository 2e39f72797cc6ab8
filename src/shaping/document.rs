//! Rewrites a JSON text in one pass.
//!
//! serde_json has proven the text before this module walks over it. So the walk only finds where strings, scalars and
//! brackets begin and end, and copies them. Nothing is converted, so no number and no escape changes. What the walk
//! does not expect is an error, and never passed on.

use serde::de::IgnoredAny;

use super::blocklist::push_folded;
use super::failure::ShapingFailure;
use super::shape::Shape;
use super::token::{blanks, one, scalar, string, unquoted};

/// The levels of nesting that are read. serde_json parses 128, so whatever a service has parsed fits into an answer.
const MAX_DEPTH: usize = 256;

impl Shape {
    /// Changes a JSON text.
    ///
    /// All that is not removed or renamed stays as it is, byte for byte and in its order: numbers of any size, escapes
    /// and white space. If a new name equals the name of another member, both members stay, in their order.
    ///
    /// # Errors
    ///
    /// [`ShapingFailure::NotJson`] if the text is no JSON or has a name with half of a surrogate pair;
    /// [`ShapingFailure::TooDeep`] if it nests deeper than 256 levels.
    pub fn apply(&self, json: &str) -> Result<String, ShapingFailure> {
        // Ignoring a value takes no recursion, and checks the whole grammar.
        serde_json::from_str::<IgnoredAny>(json).map_err(|_| ShapingFailure::NotJson)?;
        let written = String::with_capacity(json.len());
        let mut walk = Walk { rest: json, written, shape: self, chain: String::new() };
        walk.value(0)?;
        if walk.rest.is_empty() { Ok(walk.written) } else { Err(ShapingFailure::NotJson) }
    }
}

/// A walk over a JSON text.
struct Walk<'a> {
    rest: &'a str,
    written: String,
    shape: &'a Shape,
    /// The folded names of the members around this place; none without a blocklist.
    chain: String,
}

impl<'a> Walk<'a> {
    /// Copies a value, and the white space around it.
    fn value(&mut self, depth: usize) -> Result<(), ShapingFailure> {
        self.copy(blanks);
        match self.rest.as_bytes().first() {
            Some(b'{') => self.object(deeper(depth)?)?,
            Some(b'[') => self.array(deeper(depth)?)?,
            Some(b'"') => self.copy(string),
            Some(_) => self.copy(scalar),
            None => return Err(ShapingFailure::NotJson),
        }
        self.copy(blanks);
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), ShapingFailure> {
        self.expect('[')?;
        self.written.push('[');
        self.copy(blanks);
        if !self.skip(']') {
            loop {
                self.value(depth)?;
                if !self.skip(',') {
                    break;
                }
                self.written.push(',');
            }
            self.expect(']')?;
        }
        self.written.push(']');
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), ShapingFailure> {
        self.expect('{')?;
        self.written.push('{');
        let mut is_first = true;
        loop {
            let space = self.take(blanks);
            if self.skip('}') {
                self.written.push_str(space);
                break;
            }
            let quoted = self.take(string);
            let before_colon = self.take(blanks);
            self.expect(':')?;
            let around = self.chain.len();
            if self.enter(quoted)? {
                self.pass_over()?;
            } else {
                if !is_first {
                    self.written.push(',');
                }
                is_first = false;
                self.written.push_str(space);
                self.rename(quoted)?;
                self.written.push_str(before_colon);
                self.written.push(':');
                self.value(depth)?;
            }
            self.chain.truncate(around);
            if !self.skip(',') {
                self.expect('}')?;
                break;
            }
        }
        self.written.push('}');
        Ok(())
    }

    /// Enters a member. Returns true if the member is blocked.
    fn enter(&mut self, quoted: &str) -> Result<bool, ShapingFailure> {
        let blocklist = self.shape.blocklist();
        if blocklist.is_empty() {
            return Ok(false);
        }
        let name = unquoted(quoted)?;
        Ok(name.split('.').any(|part| {
            push_folded(&mut self.chain, part);
            blocklist.blocks(&self.chain)
        }))
    }

    /// Writes the name of a member in the case of the shape.
    fn rename(&mut self, quoted: &str) -> Result<(), ShapingFailure> {
        let Some(inflection) = self.shape.inflection() else {
            self.written.push_str(quoted);
            return Ok(());
        };
        let name = unquoted(quoted)?;
        let renamed = inflection.write(&name);
        if renamed == name {
            self.written.push_str(quoted);
        } else {
            // No character of a name that is renamed needs an escape.
            self.written.push('"');
            self.written.push_str(&renamed);
            self.written.push('"');
        }
        Ok(())
    }

    /// Passes over a blocked value and the white space around it, however deep it nests.
    fn pass_over(&mut self) -> Result<(), ShapingFailure> {
        let mut open = 0_usize;
        loop {
            self.take(blanks);
            match self.rest.as_bytes().first() {
                Some(b'{' | b'[') => {
                    self.take(one);
                    open += 1;
                }
                Some(b'}' | b']') => {
                    self.take(one);
                    open = open.checked_sub(1).ok_or(ShapingFailure::NotJson)?;
                }
                Some(b',' | b':') if open > 0 => {
                    self.take(one);
                }
                Some(b'"') => {
                    self.take(string);
                }
                _ => {
                    if self.take(scalar).is_empty() {
                        return Err(ShapingFailure::NotJson);
                    }
                }
            }
            if open == 0 {
                self.take(blanks);
                return Ok(());
            }
        }
    }

    /// Takes what `length` measures off the rest.
    fn take(&mut self, length: fn(&str) -> usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length(self.rest)).unwrap_or_default();
        self.rest = rest;
        taken
    }

    fn copy(&mut self, length: fn(&str) -> usize) {
        let taken = self.take(length);
        self.written.push_str(taken);
    }

    fn skip(&mut self, sign: char) -> bool {
        let after = self.rest.strip_prefix(sign);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn expect(&mut self, sign: char) -> Result<(), ShapingFailure> {
        if self.skip(sign) { Ok(()) } else { Err(ShapingFailure::NotJson) }
    }
}

const fn deeper(depth: usize) -> Result<usize, ShapingFailure> {
    if depth < MAX_DEPTH {
        Ok(depth + 1)
    } else {
        Err(ShapingFailure::TooDeep { max_depth: MAX_DEPTH })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Blocklist, Inflection};
    use super::*;

    fn snake(blocked: &str) -> Shape {
        let blocklist: Blocklist = blocked.parse().unwrap();
        Shape::new().with_inflection(Inflection::Snake).with_blocklist(blocklist)
    }

    #[test]
    fn only_names_and_blocked_members_change() {
        for (json, expected) in [
            ("1e400", "1e400"),
            (" [12345678901234567890123, -0.0, 1E+2] ", " [12345678901234567890123, -0.0, 1E+2] "),
            (r#""aB\u00e9\ud800""#, r#""aB\u00e9\ud800""#),
            (
                r#"{"aB":{"cD":["eF",{}]}, "g" : null }"#,
                r#"{"a_b":{"c_d":["eF",{}]}, "g" : null }"#,
            ),
            (r#"{"z\u0041":1,"aB\"":2}"#, r#"{"z_a":1,"aB\"":2}"#),
            (r#"{"secret":1}"#, "{}"),
            (r#"{ "secret" : [{"a":"}\"]"}, 1] }"#, "{}"),
            (r#"{"secret":1,"b":2}"#, r#"{"b":2}"#),
            (r#"{"b":2,"secret":{}}"#, r#"{"b":2}"#),
            (r#"{"a":1, "s\u0065cret":{"x":[]} , "b":2}"#, r#"{"a":1, "b":2}"#),
            (r#"[{"x.Secret.y":1,"x.y":2}]"#, r#"[{"x.y":2}]"#),
            (r#"{"a":[[{"b":1,"c":2}]],"b":3}"#, r#"{"a":[[{"c":2}]],"b":3}"#),
            (r#"{"a":{"x":{"b":1}}}"#, r#"{"a":{"x":{"b":1}}}"#),
            (r#"{"cD":1,"c-d":2,"c_d":3}"#, r#"{"c_d":1,"c_d":2,"c_d":3}"#),
            (r#"{"secret":1,"SECRET":2,"se_cret":3}"#, "{}"),
        ] {
            assert_eq!(snake("secret, a.b").apply(json).as_deref(), Ok(expected), "{json}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for json in [
            "",
            " ",
            "{",
            "}",
            "{]",
            "[1,]",
            "{\"a\"}",
            "{\"a\":1,}",
            "1 2",
            "nul",
            "'a'",
            "\"",
            "\u{feff}1",
            "[1}",
            "{a:1}",
            "01",
            "\"\t\"",
            "{\"a\\ud800\":1}",
            "{\"a\":1}x",
            "NaN",
        ] {
            assert_eq!(snake("b").apply(json), Err(ShapingFailure::NotJson), "{json}");
        }
    }

    #[test]
    fn nesting_is_bounded_except_where_nothing_is_kept() {
        let nested = |levels| "[".repeat(levels) + &"]".repeat(levels);
        let too_deep = Err(ShapingFailure::TooDeep { max_depth: MAX_DEPTH });
        for levels in [1, 255, 256] {
            let json = nested(levels);
            assert_eq!(snake("b").apply(&json), Ok(json));
        }
        for levels in [257, 1_000_000] {
            assert_eq!(snake("b").apply(&nested(levels)), too_deep);
        }
        let blocked = format!(r#"{{"b":{}}}"#, nested(1_000_000));
        assert_eq!(snake("b").apply(&blocked).as_deref(), Ok("{}"));
    }
}
