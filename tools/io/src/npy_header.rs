//! The text of a npy header: a Python dictionary literal.
//!
//! Parsed here rather than by a general Python reader, because sizes in a header may lie and nesting may be endless:
//! every number is checked, depth and length are limited, and an error says at which byte what was found.
use crate::Error;

/// A value of the subset of Python literals that npy headers use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Bool(bool),
    Int(u64),
    None,
    /// A tuple or list.
    Seq(Vec<Value>),
}

/// Structured dtypes nest; nothing else goes deeper than a tuple.
const MAX_DEPTH: usize = 16;

/// Parses `{'key': value, ...}` and what white space is around it. `offset` is the position of `text` in the file.
pub(crate) fn parse_dict(text: &[u8], offset: u64) -> Result<Vec<(String, Value)>, Error> {
    let mut p = Parser { text, at: 0, offset };
    let mut entries = Vec::new();
    p.expect(b'{', "a dictionary")?;
    while p.peek() != Some(b'}') {
        let Value::Text(key) = p.value(0)? else { return p.fail("a key in quotes") };
        p.expect(b':', "a colon after the key")?;
        entries.push((key, p.value(0)?));
        if p.peek() != Some(b',') {
            break;
        }
        p.at += 1;
    }
    p.expect(b'}', "a comma or the end of the dictionary")?;
    match p.peek() {
        None => Ok(entries),
        Some(_) => p.fail("nothing after the dictionary"),
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    offset: u64,
}

impl Parser<'_> {
    /// The next byte that is not white space, or the end.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn fail<T>(&self, expected: &str) -> Result<T, Error> {
        let rest = &self.text[self.at.min(self.text.len())..];
        let found = String::from_utf8_lossy(&rest[..rest.len().min(12)]);
        let found = if found.trim().is_empty() { "the end".into() } else { format!("{:?}", found.trim_end()) };
        let what = format!("unreadable npy header: expected {expected}, found {found}");
        Err(Error::Corrupt { what, offset: self.offset + self.at as u64 })
    }

    fn expect(&mut self, byte: u8, what: &str) -> Result<(), Error> {
        if self.peek() != Some(byte) {
            return self.fail(what);
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Value, Error> {
        match self.peek() {
            Some(quote @ (b'\'' | b'"')) => self.text_literal(quote),
            Some(b'u' | b'b') if matches!(self.text.get(self.at + 1), Some(b'\'' | b'"')) => {
                self.at += 1;
                let quote = self.text[self.at];
                self.text_literal(quote)
            }
            Some(b'(') => self.sequence(b')', depth),
            Some(b'[') => self.sequence(b']', depth),
            Some(b'0'..=b'9') => self.integer(),
            Some(b'T' | b'F' | b'N') => self.word(),
            _ => self.fail("a value (text, a number without sign, True, False, a tuple or a list)"),
        }
    }

    fn text_literal(&mut self, quote: u8) -> Result<Value, Error> {
        let from = self.at + 1;
        let mut end = from;
        loop {
            match self.text.get(end) {
                Some(&b) if b == quote => break,
                // Only names of a structured dtype's fields can need an escape, and those are refused anyway.
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
                None => return self.fail("text with its closing quote"),
            }
        }
        let text = String::from_utf8_lossy(&self.text[from..end]).into_owned();
        self.at = end + 1;
        Ok(Value::Text(text))
    }

    fn sequence(&mut self, close: u8, depth: usize) -> Result<Value, Error> {
        if depth >= MAX_DEPTH {
            return self.fail("less nesting");
        }
        self.at += 1;
        let mut items = Vec::new();
        while self.peek() != Some(close) {
            items.push(self.value(depth + 1)?);
            if self.peek() != Some(b',') {
                break;
            }
            self.at += 1;
        }
        self.expect(close, "a comma or the end of the sequence")?;
        Ok(Value::Seq(items))
    }

    fn integer(&mut self) -> Result<Value, Error> {
        let from = self.at;
        let mut end = from;
        while self.text.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
        let digits = std::str::from_utf8(&self.text[from..end]).unwrap_or_default();
        let Ok(value) = digits.parse() else { return self.fail("a number below 2^64") };
        self.at = end;
        // Python 2 wrote long integers with a trailing L.
        if self.text.get(end) == Some(&b'L') {
            self.at += 1;
        }
        Ok(Value::Int(value))
    }

    fn word(&mut self) -> Result<Value, Error> {
        for (word, value) in [("True", Value::Bool(true)), ("False", Value::Bool(false)), ("None", Value::None)] {
            if self.text[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        self.fail("True or False")
    }
}
