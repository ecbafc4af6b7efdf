//! The protocol of Valkey and Redis (RESP3): commands to bytes, bytes to values.

/// A value from the server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    /// Simple, bulk and verbatim strings, doubles and big numbers.
    Text(Vec<u8>),
    Error(String),
    /// Arrays, sets and maps (keys and values in turn).
    List(Vec<Self>),
    /// Not a reply: it comes by itself.
    Push(Vec<Self>),
}

/// What is not RESP.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The longest bulk string and list that are taken: far more than any reply has.
const MAX_BULK: usize = 64 << 20;
const MAX_LIST: usize = 1 << 20;
const MAX_DEPTH: usize = 8;

impl Value {
    pub(crate) fn into_text(self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Integer(_) | Self::Error(_) | Self::List(_) | Self::Push(_) => None,
        }
    }

    pub(crate) fn into_string(self) -> Option<String> {
        self.into_text().and_then(|text| String::from_utf8(text).ok())
    }

    pub(crate) fn into_list(self) -> Option<Vec<Self>> {
        match self {
            Self::List(list) => Some(list),
            Self::Null | Self::Integer(_) | Self::Text(_) | Self::Error(_) | Self::Push(_) => None,
        }
    }

    pub(crate) const fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Null | Self::Text(_) | Self::Error(_) | Self::List(_) | Self::Push(_) => None,
        }
    }
}

/// A command, as it is sent.
#[derive(Debug, Default)]
pub(crate) struct Command {
    bytes: Vec<u8>,
    arguments: usize,
}

impl Command {
    pub(crate) fn new(name: &str) -> Self {
        Self::default().arg(name)
    }

    /// Of words that stand for themselves.
    pub(crate) fn words(words: &[&str]) -> Self {
        words.iter().fold(Self::default(), |command, word| command.arg(word))
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<[u8]>) -> Self {
        self.push(argument.as_ref());
        self
    }

    pub(crate) fn push(&mut self, argument: &[u8]) {
        self.arguments += 1;
        self.bytes.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        self.bytes.extend_from_slice(argument);
        self.bytes.extend_from_slice(b"\r\n");
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let mut all = format!("*{}\r\n", self.arguments).into_bytes();
        all.extend_from_slice(&self.bytes);
        all
    }
}

/// Takes the first value of `bytes`, with its length. `None`: it is not there yet.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<(Value, usize)>, Malformed> {
    let mut reader = Reader { bytes, at: 0 };
    Ok(reader.value(0)?.map(|value| (value, reader.at)))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn line(&mut self) -> Option<&str> {
        let rest = self.bytes.get(self.at..)?;
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        self.at += end + 2;
        rest.get(..end).map(|line| std::str::from_utf8(line).unwrap_or_default())
    }

    fn value(&mut self, depth: usize) -> Result<Option<Value>, Malformed> {
        if depth > MAX_DEPTH {
            return Err(Malformed);
        }
        let Some(kind) = self.bytes.get(self.at).copied() else { return Ok(None) };
        self.at += 1;
        let Some(line) = self.line() else { return Ok(None) };
        match kind {
            b'+' | b',' | b'(' => Ok(Some(Value::Text(line.as_bytes().to_vec()))),
            b'-' => Ok(Some(Value::Error(line.to_owned()))),
            b':' => line.parse().map(|number| Some(Value::Integer(number))).map_err(|_| Malformed),
            b'#' => Ok(Some(Value::Integer(i64::from(line == "t")))),
            b'_' => Ok(Some(Value::Null)),
            b'$' | b'=' | b'!' => {
                let length = line.to_owned();
                self.bulk(kind, &length)
            }
            b'*' | b'~' | b'>' | b'%' => {
                let length = line.to_owned();
                self.list(kind, &length, depth)
            }
            _ => Err(Malformed),
        }
    }

    fn bulk(&mut self, kind: u8, length: &str) -> Result<Option<Value>, Malformed> {
        if length == "-1" {
            return Ok(Some(Value::Null));
        }
        let length: usize = length.parse().ok().filter(|length| *length <= MAX_BULK).ok_or(Malformed)?;
        let Some(text) = self.bytes.get(self.at..self.at + length) else { return Ok(None) };
        match self.bytes.get(self.at + length..self.at + length + 2) {
            None => return Ok(None),
            Some(b"\r\n") => {}
            Some(_) => return Err(Malformed),
        }
        self.at += length + 2;
        Ok(Some(match kind {
            b'!' => Value::Error(String::from_utf8_lossy(text).into_owned()),
            // `txt:` before it.
            b'=' => Value::Text(text.get(4..).unwrap_or_default().to_vec()),
            _ => Value::Text(text.to_vec()),
        }))
    }

    fn list(&mut self, kind: u8, length: &str, depth: usize) -> Result<Option<Value>, Malformed> {
        if length == "-1" {
            return Ok(Some(Value::Null));
        }
        let length: usize = length.parse().ok().filter(|length| *length <= MAX_LIST).ok_or(Malformed)?;
        let length = if kind == b'%' { 2 * length } else { length };
        let mut list = Vec::new();
        for _ in 0..length {
            let Some(value) = self.value(depth + 1)? else { return Ok(None) };
            list.push(value);
        }
        Ok(Some(if kind == b'>' { Value::Push(list) } else { Value::List(list) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.as_bytes().to_vec())
    }

    #[test]
    fn every_form_of_value_is_read_once_all_of_it_is_there() {
        let all = b"*3\r\n:-7\r\n$2\r\n\r\n\r\n_\r\n%1\r\n+a\r\n#t\r\n=6\r\ntxt:ab\r\n-OOM no\r\n>1\r\n$-1\r\n!3\r\nBAD\r\n";
        let expected = [
            Value::List(vec![Value::Integer(-7), text("\r\n"), Value::Null]),
            Value::List(vec![text("a"), Value::Integer(1)]),
            text("ab"),
            Value::Error("OOM no".to_owned()),
            Value::Push(vec![Value::Null]),
            Value::Error("BAD".to_owned()),
        ];
        let mut rest = &all[..];
        for value in expected {
            let (found, length) = read(rest).unwrap().unwrap();
            assert_eq!(found, value);
            for cut in 0..length {
                assert_eq!(read(&rest[..cut]).unwrap(), None, "{cut} bytes of {value:?}");
            }
            rest = &rest[length..];
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn what_is_not_resp_is_refused() {
        for bytes in [
            &b"HTTP/1.1 400\r\n"[..],
            b":x\r\n",
            b"$99999999999\r\n",
            b"*99999999999\r\n",
            b"$1\r\nabc",
            b"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
        ] {
            assert_eq!(read(bytes), Err(Malformed), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_command_is_an_array_of_bulk_strings() {
        let bytes = Command::words(&["GET"]).arg([0, 13]).into_bytes();
        assert_eq!(bytes, b"*2\r\n$3\r\nGET\r\n$2\r\n\0\r\r\n");
    }
}
