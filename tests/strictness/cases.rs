//! The catalogue: requests that known attacks are made of, generated from lists.

/// What has to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// 400, and the connection is closed.
    Refused,
    /// One request arrives, with this body.
    Taken(&'static [u8]),
    /// One of the two; the rules of `catalogue` hold either way.
    Either,
}

#[derive(Debug)]
pub struct Case {
    pub name: String,
    pub method: &'static str,
    pub bytes: Vec<u8>,
    pub wanted: Wanted,
}

/// A request without a key: if it reaches the upstream, it was smuggled.
pub const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

/// Ways to write `Transfer-Encoding: chunked` so that one server sees it and another does not.
const CODINGS: &[(&[u8], Option<bool>)] = &[
    (b"Transfer-Encoding: chunked", None),
    (b"Transfer-Encoding: xchunked", Some(false)),
    (b"Transfer-Encoding: chunkedx", Some(false)),
    (b"Transfer-Encoding: chunk", Some(false)),
    (b"Transfer-Encoding : chunked", Some(false)),
    (b"Transfer-Encoding\t: chunked", Some(false)),
    (b"Transfer-Encoding\x0b: chunked", Some(false)),
    (b"Transfer-Encoding\x00: chunked", Some(false)),
    (b"Transfer-Encoding\xa0: chunked", Some(false)),
    (b"Transfer-Encoding:chunked", None),
    (b"Transfer-Encoding:\tchunked", None),
    (b"Transfer-Encoding:   chunked   ", None),
    (b"Transfer-Encoding:\x0bchunked", Some(false)),
    (b"Transfer-Encoding:\x0cchunked", Some(false)),
    (b"Transfer-Encoding: \x00chunked", Some(false)),
    (b"Transfer-Encoding: chunked\x00", Some(false)),
    (b"Transfer-Encoding: chunked\x0b", Some(false)),
    (b"Transfer-Encoding: chunked\x7f", Some(false)),
    (b"Transfer-Encoding: \xa0chunked", Some(false)),
    (b"Transfer-Encoding: \xefchunked", Some(false)),
    (b"Transfer-Encoding: \xe2\x80\x8bchunked", Some(false)),
    (b" Transfer-Encoding: chunked", Some(false)),
    (b"\tTransfer-Encoding: chunked", Some(false)),
    (b"\x00Transfer-Encoding: chunked", Some(false)),
    (b"Transfer-Encoding:\r\n chunked", Some(false)),
    (b"Transfer-Encoding: chu\r\n nked", Some(false)),
    (b"Transfer-Encoding: identity\r\n , chunked", Some(false)),
    (b"Transfer-Encoding:\n chunked", Some(false)),
    (b"Transfer-Encoding\n: chunked", Some(false)),
    (b"Transfer-Encoding\r\n: chunked", Some(false)),
    (b"Transfer-Encoding: chunked\r", Some(false)),
    (b"Transfer-Encoding: chunked\rX-A: b", Some(false)),
    (b"X-A: b\nTransfer-Encoding: chunked", Some(false)),
    (b"X-A: b\rTransfer-Encoding: chunked", Some(false)),
    (b"X-A: b\r\n\rTransfer-Encoding: chunked", Some(false)),
    (b"X-A: b\n\rTransfer-Encoding: chunked", Some(false)),
    (b"Transfer-Encoding: chunked\nX-A: b", Some(false)),
    (b"Transfer-Encoding: ,chunked", Some(false)),
    (b"Transfer-Encoding: chunked,", Some(false)),
    (b"Transfer-Encoding: chunked, identity", Some(false)),
    (b"Transfer-Encoding: identity, chunked", Some(false)),
    (b"Transfer-Encoding: cow, chunked", Some(false)),
    (b"Transfer-Encoding: gzip, chunked", Some(false)),
    (b"Transfer-Encoding: chunked, chunked", Some(false)),
    (b"Transfer-Encoding: chunked;q=0.5", Some(false)),
    (b"Transfer-Encoding: chunked;", Some(false)),
    (b"Transfer-Encoding: \"chunked\"", Some(false)),
    (b"Transfer-Encoding: 'chunked'", Some(false)),
    (b"Transfer-Encoding: (x)chunked", Some(false)),
    (b"Transfer-Encoding: identity", Some(false)),
    (b"Transfer-Encoding:", Some(false)),
    (b"Transfer-Encoding: cHuNkEd", None),
    (b"tRANSFER-eNCODING: chunked", None),
    (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", Some(false)),
    (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", Some(false)),
    (b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", Some(false)),
    (b"Transfer-Encoding: chunked\r\nTransfer-encoding: x", Some(false)),
    (b"Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding", Some(false)),
    (b"Transfer-Encoding;: chunked", Some(false)),
    (b"[Transfer-Encoding]: chunked", Some(false)),
    (b"\"Transfer-Encoding\": chunked", Some(false)),
    (b"Transfer Encoding: chunked", Some(false)),
    (b"Transfer\\Encoding: chunked", Some(false)),
    (b"Transfer-Encoding\xff: chunked", Some(false)),
    (b"Tran\xc5\xbffer-Encoding: chunked", Some(false)),
    (b"Transfer-Encoding", Some(false)),
    // No header of that name: the upstream must not see them as one either.
    (b"Transfer_Encoding: chunked", Some(true)),
    (b"Transfer.Encoding: chunked", Some(true)),
    (b"Transfer~Encoding: chunked", Some(true)),
    (b"X-Transfer-Encoding: chunked", Some(true)),
    (b"Content-Encoding: chunked", Some(true)),
    (b"TE: chunked", Some(true)),
];

/// Ways to write a length of 5.
const LENGTHS: &[(&[u8], bool)] = &[
    (b"Content-Length: 5", true),
    (b"Content-Length:5", true),
    (b"Content-Length: \t5 \t", true),
    (b"content-LENGTH: 5", true),
    (b"Content-Length: 0005", true),
    (b"Content-Length: +5", false),
    (b"Content-Length: -5", false),
    (b"Content-Length: 5, 5", false),
    (b"Content-Length: 5,5", false),
    (b"Content-Length: 5,", false),
    (b"Content-Length: ,5", false),
    (b"Content-Length: 5, 0", false),
    (b"Content-Length: 0, 5", false),
    (b"Content-Length: 5 5", false),
    (b"Content-Length: 5 0", false),
    (b"Content-Length: 0x5", false),
    (b"Content-Length: 5.0", false),
    (b"Content-Length: 5e0", false),
    (b"Content-Length: 5_0", false),
    (b"Content-Length: 5;", false),
    (b"Content-Length: \"5\"", false),
    (b"Content-Length: '5'", false),
    (b"Content-Length: five", false),
    (b"Content-Length:", false),
    (b"Content-Length: \xef\xbc\x95", false),
    (b"Content-Length: \xa05", false),
    (b"Content-Length: \x0b5", false),
    (b"Content-Length: \x0c5", false),
    (b"Content-Length: 5\x00", false),
    (b"Content-Length: \x005", false),
    (b"Content-Length: 5\r", false),
    (b"Content-Length: 5\n", false),
    (b"Content-Length: 5\r\n 0", false),
    (b"Content-Length:\r\n 5", false),
    (b"Content-Length : 5", false),
    (b"Content-Length\t: 5", false),
    (b"Content-Length\x00: 5", false),
    (b"Content-Length\x85: 5", false),
    (b"Content-Length\xa0: 5", false),
    (b"Content-Length;: 5", false),
    (b"Content Length: 5", false),
    (b"Content-Length: 5 \x00", false),
    (b"Content-Length: 5\x85", false),
    (b"Content-Length: 5-", false),
    (b"Content-Length: 5#", false),
    (b"Content-Length: 05,5", false),
    (b"Content-Length: 5\r\nContent-Length : 0", false),
    (b" Content-Length: 5", false),
    (b"\tContent-Length: 5", false),
    (b"Content-Length: 5\r\nContent-Length: 5", false),
    (b"Content-Length: 5\r\nContent-Length: 0", false),
    (b"Content-Length: 0\r\nContent-Length: 5", false),
    (b"Content-Length: 5\r\nContent-Length:", false),
    (b"Content-Length: 5\r\ncontent-length: 6", false),
    (b"Content-Length: 5\r\nConnection: Content-Length", false),
    (b"Content-Length: 18446744073709551621", false),
    (b"Content-Length: 4294967301000000000000000", false),
    (b"Content-Length: 5\r\nX-A: b\r\n\r\n\r\n", true),
];

/// Chunked bodies: taken with this body, or refused.
const CHUNKED: &[(&[u8], Option<&[u8]>)] = &[
    (b"5\r\nhello\r\n0\r\n\r\n", Some(b"hello")),
    (b"0005\r\nhello\r\n0000\r\n\r\n", Some(b"hello")),
    (b"5;a=b\r\nhello\r\n0;c\r\n\r\n", Some(b"hello")),
    (b"5 ; a=\"b;\\\"c\"\r\nhello\r\n0\r\n\r\n", Some(b"hello")),
    (b"2\r\nhe\r\n3\r\nllo\r\n0\r\nX-T: 1\r\n\r\n", Some(b"hello")),
    (b"A\r\n0\r\n\r\n56789\r\n0\r\n\r\n", Some(b"0\r\n\r\n56789")),
    (b"0\r\n\r\n", Some(b"")),
    (b"5\nhello\r\n0\r\n\r\n", None),
    (b"5\r\n\nhello\r\n0\r\n\r\n", None),
    (b"5\r\r\nhello\r\n0\r\n\r\n", None),
    (b"5;\r\r\nhello\r\n0\r\n\r\n", None),
    (b"5\r\nhello\r\n\r\n0\r\n\r\n", None),
    (b"5\r\nhello\n\n0\r\n\r\n", None),
    (b"5\r\nhello\r\r\n0\r\n\r\n", None),
    (b"5\r\nhello\r\n0;\n\r\n", None),
    (b"5\r\nhello\r\n0\r\n\r\r\n", None),
    (b"5\r\nhello\r\n0 \r\n\r\n", None),
    (b"5\r\nhello\r\n-0\r\n\r\n", None),
    (b"5\r\nhello\r\n0x0\r\n\r\n", None),
    (b"5;=b\r\nhello\r\n0\r\n\r\n", None),
    (b"5;a=b;\r\nhello\r\n0\r\n\r\n", None),
    (b"5\rhello\r\n0\r\n\r\n", None),
    (b"5\n\rhello\r\n0\r\n\r\n", None),
    (b"5\r\nhello\n0\r\n\r\n", None),
    (b"5\r\nhello\r0\r\n\r\n", None),
    (b"5\r\nhelloXX0\r\n\r\n", None),
    (b"5\r\nhello0\r\n\r\n", None),
    (b"4\r\nhello\r\n0\r\n\r\n", None),
    (b"6\r\nhello\r\n0\r\n\r\n", None),
    (b" 5\r\nhello\r\n0\r\n\r\n", None),
    (b"5 \r\nhello\r\n0\r\n\r\n", None),
    (b"5\t\r\nhello\r\n0\r\n\r\n", None),
    (b"+5\r\nhello\r\n0\r\n\r\n", None),
    (b"-5\r\nhello\r\n0\r\n\r\n", None),
    (b"0x5\r\nhello\r\n0\r\n\r\n", None),
    (b"5h\r\nhello\r\n0\r\n\r\n", None),
    (b"5,\r\nhello\r\n0\r\n\r\n", None),
    (b"5_\r\nhello\r\n0\r\n\r\n", None),
    (b"\r\nhello\r\n0\r\n\r\n", None),
    (b";a\r\nhello\r\n0\r\n\r\n", None),
    (b"\x005\r\nhello\r\n0\r\n\r\n", None),
    (b"5\x00\r\nhello\r\n0\r\n\r\n", None),
    (b"5\x0b\r\nhello\r\n0\r\n\r\n", None),
    (b"\xef\xbc\x95\r\nhello\r\n0\r\n\r\n", None),
    (b"fffffffffffffffff5\r\nhello\r\n0\r\n\r\n", None),
    (b"10000000000000005\r\nhello\r\n0\r\n\r\n", None),
    (b"8000000000000005\r\nhello\r\n0\r\n\r\n", None),
    (b"00000000000000000000005\r\nhello\r\n0\r\n\r\n", None),
    (b"5;\r\nhello\r\n0\r\n\r\n", None),
    (b"5;a=\r\nhello\r\n0\r\n\r\n", None),
    (b"5;a=\"b\r\nhello\r\n0\r\n\r\n", None),
    (b"5;a\nb\r\nhello\r\n0\r\n\r\n", None),
    (b"5;a\rb\r\nhello\r\n0\r\n\r\n", None),
    (b"5;\nhello\r\n0\r\n\r\n", None),
    (b"5;a=\"\n\"\r\nhello\r\n0\r\n\r\n", None),
    (b"5;a=\"\r\"\r\nhello\r\n0\r\n\r\n", None),
    (b"5;a\x00\r\nhello\r\n0\r\n\r\n", None),
    (b"5 a\r\nhello\r\n0\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\n", None),
    (b"5\r\nhello\r\n0\n\n", None),
    (b"5\r\nhello\r\n0\r\n\n", None),
    (b"5\r\nhello\r\n0\r\n\rX", None),
    (b"5\r\nhello\r\n", None),
    (b"5\r\nhello\r\n0\r\nX-T\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nX-T : 1\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\n X-T: 1\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nX-T: 1\r\n 2\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nX-T: 1\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nX-T: 1\r2\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nX-T: \x00\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nHost: y\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nConnection: close\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nAuthorization: Bearer x\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nX-Consumer-Id: me\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nX_Consumer_Id: me\r\n\r\n", Some(b"hello")),
    (b"5\r\nhello\r\n0\r\nContent-Type: text/html\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nExpect: 100-continue\r\n\r\n", None),
    (b"5\r\nhello\r\n0\r\nCookie: a=b\r\n\r\n", None),
];

/// Request lines, `{}` being the target; refused, all of them.
const LINES: &[&[u8]] = &[
    b"GET /c HTTP/2.0",
    b"GET /c HTTP/0.9",
    b"GET /c HTTP/1.",
    b"GET /c HTTP/1",
    b"GET /c HTTP/11",
    b"GET /c HTTP/1.01",
    b"GET /c HTTP/01.1",
    b"GET /c HTTP/1.10",
    b"GET /c HTTP/10.1",
    b"GET /c HTTP/1.-1",
    b"GET /c HTTP/+1.1",
    b"GET /c HTTP/1,1",
    b"GET /c HTTP/1.1;",
    b"GET /c HTTP/1.1\x0c",
    b"GET /c HTTP/3.0",
    b"GET /c HTTPS/1.1",
    b"GET /c ICY/1.1",
    b"GET /c RTSP/1.0",
    b"GET /c http/1.1",
    b"GET /c Http/1.1",
    b"GET /c HTTP /1.1",
    b"GET /c HTTP/1.1 ",
    b"GET /c HTTP/1.1\t",
    b"GET /c HTTP/1.1\x00",
    b"GET /c",
    b"GET",
    b"GET ",
    b"GET  /c HTTP/1.1",
    b"GET /c  HTTP/1.1",
    b"GET\t/c HTTP/1.1",
    b"GET /c\tHTTP/1.1",
    b"GET\x0b/c HTTP/1.1",
    b"GET\x00/c HTTP/1.1",
    b"GET /c\x00 HTTP/1.1",
    b"GET /c\x0b HTTP/1.1",
    b"GET /c\r HTTP/1.1",
    b"GET /c HTTP/1.1\r",
    b"GET /c\xc3\xa9 HTTP/1.1",
    b"GET /c\x80 HTTP/1.1",
    b"GET /c?\xff HTTP/1.1",
    b"GET /c d HTTP/1.1",
    b"GET /c HTTP/1.1 HTTP/1.1",
    b"GET /c HTTP/1.1 X-A: b",
    b"GET /c#d HTTP/1.1",
    b"GET /c?d#e HTTP/1.1",
    b"GET c HTTP/1.1",
    b"GET ?c HTTP/1.1",
    b"GET * HTTP/1.1",
    b"POST * HTTP/1.1",
    b"GET *c HTTP/1.1",
    b"OPTIONS *? HTTP/1.1",
    b"GET x:80 HTTP/1.1",
    b"GET x HTTP/1.1",
    b"GET //x:80\\c HTTP/1.1",
    b"GET @x/c HTTP/1.1",
    b"GET :80/c HTTP/1.1",
    b"GET http:/c HTTP/1.1",
    b"GET http:c HTTP/1.1",
    b"GET http:///c HTTP/1.1",
    b"GET http:// HTTP/1.1",
    b"GET http://y/c HTTP/1.1",
    b"GET http://x:81/c HTTP/1.1",
    b"GET http://x@y/c HTTP/1.1",
    b"GET http://y@x/c HTTP/1.1",
    b"GET http://x y/c HTTP/1.1",
    b"GET http://x\\c HTTP/1.1",
    b"GET http://x#c HTTP/1.1",
    b"GET https://x/c HTTP/1.1",
    b"GET ftp://x/c HTTP/1.1",
    b"GET file:///etc/passwd HTTP/1.1",
    b"GET ws://x/c HTTP/1.1",
    b"GET javascript:c HTTP/1.1",
    b"CONNECT x:80 HTTP/1.1",
    b"CONNECT /c HTTP/1.1",
    b"CONNECT http://x/c HTTP/1.1",
    b"get /c HTTP/1.1",
    b"Get /c HTTP/1.1",
    b"gET /c HTTP/1.1",
    b"G@T /c HTTP/1.1",
    b"G,T /c HTTP/1.1",
    b"G!T /c HTTP/1.1",
    b"G\xc3\x89T /c HTTP/1.1",
    b"\"GET\" /c HTTP/1.1",
    b"GET: /c HTTP/1.1",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG /c HTTP/1.1",
    b" GET /c HTTP/1.1",
    b"\tGET /c HTTP/1.1",
    b"\x00GET /c HTTP/1.1",
    b"\xef\xbb\xbfGET /c HTTP/1.1",
    b"\r\n\r\nGET /c HTTP/1.1",
    b"\nGET /c HTTP/1.1",
    b"\rGET /c HTTP/1.1",
    b"GET /c HTTP/1.1\r\nGET /d HTTP/1.1",
    b"HTTP/1.1 200 OK",
    b"PRI * HTTP/2.0",
    b"GET /c\" HTTP/1.1",
    b"GET /<c> HTTP/1.1",
    b"GET /c?<d> HTTP/1.1",
    b"GET /c?\"d\" HTTP/1.1",
    b"GET /c\\d HTTP/1.1",
    b"GET /c%00 HTTP/1.1",
    b"GET /c%0d%0aX-A:%20b HTTP/1.1",
    b"GET /c%zz HTTP/1.1",
    b"GET /c% HTTP/1.1",
    b"GET /c%ff HTTP/1.1",
    b"GET /c%c0%af HTTP/1.1",
    b"GET /../c HTTP/1.1",
    b"GET /c/%2e%2e/d HTTP/1.1",
    b"GET /c/..;/d HTTP/1.1",
    b"GET /c/%252e%252e/d HTTP/1.1",
    b"GET /c/..%5cd HTTP/1.1",
];

/// Fields beside a good Host; refused, all of them.
const FIELDS: &[&[u8]] = &[
    b"Host: x",
    b"Host: y",
    b"hOST: x",
    b"Host : x",
    b"X-A : b",
    b"X-A\t: b",
    b"X A: b",
    b": b",
    b"X-A",
    b"X-A\x00: b",
    b"X-A\x7f: b",
    b"X-A\xe9: b",
    b"X(A): b",
    b"X/A: b",
    b"X@A: b",
    b"X{A}: b",
    b"X,A: b",
    b"X;A: b",
    b"X\"A: b",
    b" X-A: b",
    b"\tX-A: b",
    b"X-A: b\r\n c",
    b"X-A: b\r\n\tc",
    b"X-A: b\r\n \r\n",
    b"X-A: b\x00",
    b"X-A: \x00b",
    b"X-A: b\x01c",
    b"X-A: b\x08c",
    b"X-A: b\x0bc",
    b"X-A: b\x0cc",
    b"X-A: b\x1bc",
    b"X-A: b\x7fc",
    b"X-A: b\rc",
    b"X-A: b\r",
    b"X-A: b\nX-B: c",
    b"X-A: b\n",
    b"\rX-A: b",
    b"X-A: b\r\r",
    b"Content-Type: a/b\r\nContent-Type: c/d",
    b"If-Match: \"a\"\r\nIf-Match: \"b\"",
    b"If-None-Match: \"a\"\r\nIf-None-Match: \"b\"",
    b"If-Modified-Since: a\r\nIf-Modified-Since: b",
    b"If-Unmodified-Since: a\r\nIf-Unmodified-Since: b",
    b"If-Range: a\r\nIf-Range: b",
    b"Range: bytes=0-1\r\nRange: bytes=2-3",
    b"User-Agent: a\r\nUser-Agent: b",
    b"Referer: a\r\nreferer: b",
    b"Origin: http://a\r\nOrigin: http://b",
    b"From: a\r\nFrom: b",
    b"Max-Forwards: 1\r\nMax-Forwards: 2",
    b"Idempotency-Key: a\r\nIdempotency-Key: b",
    b"Expect: 100-continue\r\nExpect: 100-continue",
    // By such the one server waits for a body and the other answers before it.
    b"Expect: y 100-continue",
    b"Expect: 100-continue, x",
    b"Expect: x, 100-continue",
    b"Expect: 100-continue;q=1",
    b"Expect: 100_continue",
    b"Expect: 100-continue\x00",
    b"Expect: \x0b100-continue",
    b"Expect:\n100-continue",
    b"Expect:\r\n 100-continue",
    b"Expect : 100-continue",
    b"Expect: 200-ok",
    b"Expect:",
    b"Connection: Host",
    b"Connection: close, X-Forwarded-For",
    b"Connection: X-Forwarded-Host",
    b"Connection: Forwarded",
    b"Connection: X-Real-IP",
    b"Connection: X-API-Key",
    b"Connection: Authorization",
    b"Connection: Cookie",
    b"Connection: X-Consumer-Id",
    b"Connection: X-Request-Id",
    b"Connection: Via",
    b"Connection: Content-Type",
    b"Connection: Content-Length",
    b"Connection: Transfer-Encoding",
    b"Connection: Cache-Control",
    b"Connection: If-None-Match",
    b"Connection: Range",
    b"Connection: Expect",
    b"Connection: a b",
    b"Connection: \"close\"",
    b"Connection: close\xa0",
    b"X-HTTP-Method-Override: DELETE",
    b"X-HTTP-Method: DELETE",
    b"X-Method-Override: DELETE",
    b"X-Original-URL: /admin",
    b"X-Original-URI: /admin",
    b"X-Rewrite-URL: /admin",
];

/// Hosts in place of the good one; refused, all of them.
const HOSTS: &[&[u8]] = &[
    b"",
    b" ",
    b"x y",
    b"x,y",
    b"x/y",
    b"x\\y",
    b"x?y",
    b"x#y",
    b"u@x",
    b"http://x",
    b"x:http",
    b"x:-1",
    b"x:+1",
    b"x:65536",
    b"x:1:2",
    b":80",
    b"x\x00",
    b"x\xc3\xa9",
    b"x\"",
    b"<x>",
    b"x;y",
    b"x'y",
    b"x%41",
    b"x..y",
    b".x",
    b"[::1",
    b"[::1]x",
    b"[::g]",
    b"::1",
    b"x\ty",
    b"x\x0b",
    b"*",
    b"x^",
    b"x`y",
    b"x{y}",
    b"x|y",
    b"x$y",
    b"x=y",
    b"x&y",
    b"x(y)",
    b"x!",
];

/// All cases. `{}` of the key is put in by who sends them.
pub fn all(key: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |kind: &str, method: &'static str, bytes: Vec<u8>, wanted: Wanted| {
        let shown = String::from_utf8_lossy(&bytes).chars().take(120).collect::<String>();
        let name = format!("{kind} {}: {shown:?}", cases.len());
        let number = cases.len().to_string();
        let text = replace(&bytes, b"{case}", number.as_bytes());
        let bytes = replace(&text, b"{key}", key.as_bytes());
        cases.push(Case { name, method, bytes, wanted });
    };
    let head = |method: &str, fields: &[u8]| {
        let start = format!("{method} /c HTTP/1.1\r\nHost: x\r\nX-Case: {{case}}\r\nX-API-Key: {{key}}\r\n");
        [start.as_bytes(), fields, b"\r\n\r\n"].concat()
    };

    for (coding, is_fine) in CODINGS {
        for (length, position) in [
            (None, 0),
            (Some(&b"Content-Length: 4"[..]), 0),
            (Some(b"Content-Length: 4"), 1),
            (Some(b"Content-Length: 0"), 0),
        ] {
            let fields = match (length, position) {
                (None, _) => coding.to_vec(),
                (Some(length), 0) => [length, &b"\r\n"[..], *coding].concat(),
                (Some(length), _) => [*coding, &b"\r\n"[..], length].concat(),
            };
            let sized = format!("{:x}\r\n{SMUGGLED}\r\n0\r\n\r\n", SMUGGLED.len());
            for body in [format!("0\r\n\r\n{SMUGGLED}"), sized] {
                let wanted = match (is_fine, length) {
                    (Some(true), _) => Wanted::Either,
                    (Some(false), _) | (None, Some(_)) => Wanted::Refused,
                    (None, None) if body.starts_with("0\r\n") => Wanted::Taken(b""),
                    (None, None) => Wanted::Taken(SMUGGLED.as_bytes()),
                };
                case("coding", "POST", [head("POST", &fields), body.into_bytes()].concat(), wanted);
            }
        }
    }
    for (length, is_fine) in LENGTHS {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "GET", "HEAD"] {
            let has_body = !matches!(method, "GET" | "HEAD");
            let wanted = match (is_fine, has_body) {
                (true, true) if !length.ends_with(b"\r\n\r\n\r\n") => Wanted::Taken(b"hello"),
                (true, true) => Wanted::Taken(b"\r\n\r\n\r"),
                (true, false) => Wanted::Either,
                (false, _) => Wanted::Refused,
            };
            case(
                "length",
                method,
                [&head(method, length)[..], b"hello", SMUGGLED.as_bytes()].concat(),
                wanted,
            );
        }
    }
    for (body, taken) in CHUNKED {
        for behind in ["", SMUGGLED] {
            // Cut off, a body is incomplete; with something behind it, it is another body.
            let wanted = taken.map_or(Wanted::Refused, Wanted::Taken);
            let head = head("POST", b"Transfer-Encoding: chunked");
            case("chunked", "POST", [&head[..], body, behind.as_bytes()].concat(), wanted);
        }
    }
    for line in LINES {
        for behind in ["", SMUGGLED] {
            let head = b"\r\nHost: x\r\nX-Case: {case}\r\nX-API-Key: {key}\r\n\r\n";
            case("line", "GET", [line, &head[..], behind.as_bytes()].concat(), Wanted::Refused);
        }
    }
    for field in FIELDS {
        for behind in ["", SMUGGLED] {
            case("field", "GET", [&head("GET", field)[..], behind.as_bytes()].concat(), Wanted::Refused);
            let first = [
                b"GET /c HTTP/1.1\r\n",
                *field,
                b"\r\nHost: x\r\nX-Case: {case}\r\nX-API-Key: {key}\r\n\r\n",
                behind.as_bytes(),
            ];
            case("first field", "GET", first.concat(), Wanted::Refused);
        }
    }
    for host in HOSTS {
        for start in ["GET /c HTTP/1.1", "GET http://x/c HTTP/1.1", "GET /c HTTP/1.0"] {
            let bytes = [
                start.as_bytes(),
                b"\r\nHost: ",
                host,
                b"\r\nX-Case: {case}\r\nX-API-Key: {key}\r\n\r\n",
                SMUGGLED.as_bytes(),
            ];
            case("host", "GET", bytes.concat(), Wanted::Refused);
        }
    }
    for (name, bytes) in [
        (
            "chunked in HTTP/1.0",
            "POST /c HTTP/1.0\r\nHost: x\r\nX-API-Key: {key}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("no Host", "GET /c HTTP/1.1\r\nX-API-Key: {key}\r\n\r\n"),
        (
            "a body of GET",
            "GET /c HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "a body of TRACE",
            "TRACE /c HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Length: 5\r\n\r\nhello",
        ),
    ] {
        // The framing of these two was understood, so their connection may go on.
        let wanted = if name.starts_with("a body") { Wanted::Either } else { Wanted::Refused };
        case(name, "GET", bytes.as_bytes().to_vec(), wanted);
    }
    for (fields, body) in [
        (&b"X_A: b"[..], &b""[..]),
        (b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings", b""),
        (b"Expect: 100-continue\r\nContent-Length: 5", b"hello"),
        (b"Expect: 100-Continue\r\nContent-Length: 5", b"hello"),
        // No header of that name: the body is none, and what stands there is the next request.
        (b"Content_Length: 5", b""),
        (b"X-Content-Length: 5", b""),
        (b"Connection: keep-alive, X-Own\r\nX-Own: 1", b""),
        (b"TE: trailers, chunked\r\nConnection: TE", b""),
        (b"Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive", b""),
        (b"X-Obs: caf\xe9", b""),
        (b"X-Tab: a\tb", b""),
    ] {
        let bytes = [&head("POST", fields)[..], body, SMUGGLED.as_bytes()].concat();
        case("taken", "POST", bytes, Wanted::Taken(body));
    }
    cases
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let Some(at) = bytes.windows(from.len()).position(|window| window == from) else { return bytes.to_vec() };
    [&bytes[..at], to, &replace(&bytes[at + from.len()..], from, to)].concat()
}
