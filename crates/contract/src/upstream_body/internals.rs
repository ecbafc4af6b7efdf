//! Whether a text names something of the upstream's own: its machines, files, databases and programs.
//!
//! A client gets the message of the code instead of such a text. In doubt a text is taken to name internals; ordinary prose,
//! addresses of public websites and the API's own paths stay.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Folders in which servers keep programs and data.
const FOLDERS: [&str; 17] = [
    "/app/", "/boot/", "/data/", "/etc/", "/home/", "/lib64/", "/mnt/", "/opt/", "/proc/", "/root/", "/run/",
    "/sbin/", "/srv/", "/sys/", "/tmp/", "/usr/", "/var/",
];
/// Those that hardly any API has a path for: they count without a slash at the end, too.
const ROOTS: [&str; 9] = ["/etc", "/mnt", "/opt", "/proc", "/root", "/srv", "/tmp", "/usr", "/var"];
/// Files that only programs on the same machine open.
const LOCAL_FILES: [&str; 5] = [".dll", ".pem", ".pid", ".so", ".sock"];
/// Ends of names that only a private network knows.
const PRIVATE: [&str; 8] =
    [".internal", ".intranet", ".lan", ".local", ".localdomain", ".localhost", ".svc", ".consul"];
/// Ports of servers that are not for the public.
const SERVER_PORTS: [u16; 24] = [
    1433, 1521, 2181, 2375, 2379, 3306, 4222, 4317, 4318, 5432, 5672, 5984, 6379, 6432, 8080, 8081, 8443,
    8500, 9042, 9092, 9200, 11211, 27017, 50051,
];
/// Words of whoever failed to reach a server.
const OF_CONNECTIONS: [&str; 14] = [
    "connect",
    "dial",
    "host",
    "is down",
    "listen",
    "lookup",
    "refused",
    "reset by",
    "resolve",
    "socket",
    "tcp",
    "timed out",
    "timeout",
    "unreachable",
];
/// Words before the number of something other than a port.
const NUMBERED: [&str; 14] = [
    "code", "column", "count", "error", "id", "index", "item", "line", "number", "offset", "page",
    "position", "row", "status",
];
/// The errors of system calls.
const SYSTEM_ERRORS: [&str; 22] = [
    "EACCES",
    "EADDRINUSE",
    "EADDRNOTAVAIL",
    "EAI_AGAIN",
    "EBUSY",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ECONNRESET",
    "EEXIST",
    "EHOSTUNREACH",
    "EISDIR",
    "EMFILE",
    "ENETUNREACH",
    "ENOENT",
    "ENOMEM",
    "ENOSPC",
    "ENOTDIR",
    "ENOTFOUND",
    "EPERM",
    "EPIPE",
    "EROFS",
    "ETIMEDOUT",
];
/// Errors of runtimes, written without a namespace.
const RUNTIME_ERRORS: [&str; 17] = [
    "AttributeError",
    "ImportError",
    "IndexError",
    "IntegrityError",
    "KeyError",
    "ModuleNotFoundError",
    "NameError",
    "NoMethodError",
    "OSError",
    "OperationalError",
    "OutOfMemoryError",
    "ProgrammingError",
    "RecursionError",
    "ReferenceError",
    "StackOverflowError",
    "TypeError",
    "ZeroDivisionError",
];

/// Whether the text names a machine, a file, a database or a program of the upstream.
pub(super) fn names_internals(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_marked = |at: usize| {
        let (Some(before), Some(after)) = (text.get(..at), text.get(at..)) else { return false };
        match after.as_bytes().first() {
            Some(b':') => {
                has_port(before, after, text) || is_of_a_drive(before, after) || has_scheme(before, after)
            }
            Some(b'/') => !ends_in_a_word(before) && FOLDERS.iter().any(|folder| after.starts_with(folder)),
            Some(_) | None => PRIVATE.iter().any(|end| {
                let rest = after.strip_prefix(end);
                ends_in_a_word(before)
                    && rest.is_some_and(|rest| !rest.bytes().next().is_some_and(is_of_a_word))
            }),
        }
    };
    memchr::memchr3_iter(b':', b'/', b'.', bytes).any(is_marked)
        || text.split(is_separator).filter(|word| word.len() > 2).any(is_internal)
        || words(text).any(begins_as_a_program)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '"' | '\''
                | '`'
                | '('
                | ')'
                | '{'
                | '}'
                | '<'
                | '>'
                | ','
                | ';'
                | '|'
                | '='
                | '“'
                | '”'
                | '‘'
                | '’'
        )
}

/// The text from each of its words on.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let begins = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| text.as_bytes().get(at));
        !before.copied().is_some_and(is_of_a_word)
    };
    let letters = text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_alphabetic());
    letters.filter(move |(at, _)| begins(*at)).filter_map(|(at, _)| text.get(at..))
}

fn is_of_a_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/')
}

fn ends_in_a_word(text: &str) -> bool {
    text.bytes().next_back().is_some_and(is_of_a_word)
}

/// A word by itself.
fn is_internal(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ':', '!', '?', '…']);
    let is_file = match word.bytes().next() {
        Some(b'~') => word.starts_with("~/") && word.len() > 2,
        Some(b'.') => word
            .strip_prefix("./")
            .or_else(|| word.strip_prefix("../"))
            .is_some_and(|file| file.contains('.')),
        Some(b'/') => ROOTS.contains(&word) || LOCAL_FILES.iter().any(|end| word.ends_with(end)),
        Some(b'\\') => word.starts_with(r"\\") && word.len() > 2,
        Some(b'E') => SYSTEM_ERRORS.contains(&word),
        Some(_) | None => false,
    };
    is_file || has_private_address(word) || is_of_a_runtime(word)
}

/// `System.NullReferenceException`, `pydantic_core.ValidationError`, `SQLException`
fn is_of_a_runtime(word: &str) -> bool {
    let (space, name) = word.rsplit_once(['.', ':', '\\']).unwrap_or(("", word));
    let is_type =
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_exception = name.strip_suffix("Exception").is_some_and(|rest| !rest.is_empty());
    let is_error =
        RUNTIME_ERRORS.contains(&name) || name.ends_with("Error") && name.len() > 5 && !space.is_empty();
    is_type && (is_exception || is_error)
}

/// Whether an address of a private network, or of the machine itself, stands in the word.
fn has_private_address(word: &str) -> bool {
    let colons = memchr::memchr_iter(b':', word.as_bytes()).count();
    if colons > 1 {
        let inner = word.trim_start_matches('[');
        let inner = inner.split([']', '%', '/']).next().unwrap_or_default();
        if inner.parse::<Ipv6Addr>().is_ok_and(|address| is_private(IpAddr::V6(address).to_canonical())) {
            return true;
        }
    }
    let dots = memchr::memchr_iter(b'.', word.as_bytes()).count();
    let mut pieces = word.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '_'));
    dots > 2 && pieces.any(|piece| piece.parse::<Ipv4Addr>().is_ok_and(|address| is_private(address.into())))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            // RFC 6598: between a provider and its customers; clouds use it inside.
            let is_shared = matches!(address.octets(), [100, 64..=127, _, _]);
            let is_own = address.is_loopback() || address.is_unspecified();
            is_own || is_shared || address.is_private() || address.is_link_local()
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// Whether a colon stands between a host and its port.
fn has_port(before: &str, after: &str, text: &str) -> bool {
    let digits = after.bytes().skip(1).take_while(u8::is_ascii_digit).count();
    if digits < 2 {
        return false;
    }
    if let Some(inner) = before.strip_suffix(']') {
        let inner = inner.rsplit_once('[').map_or("", |(_, inner)| inner);
        return memchr::memchr_iter(b':', inner.as_bytes()).count() > 1;
    }
    let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-').next();
    let name = name.unwrap_or_default();
    let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
    if name == "localhost" || name.contains('.') {
        return is_digit(name.bytes().next()) == is_digit(name.bytes().next_back());
    }
    // A name without a dot: what it is depends on the number, and on what the text is about.
    let number = after.get(1..=digits).unwrap_or_default();
    let is_whole = !after
        .get(digits + 1..)
        .unwrap_or_default()
        .bytes()
        .next()
        .is_some_and(|b| is_of_a_word(b) && b != b'/');
    let Ok(port) = number.parse::<u16>() else { return false };
    let is_name = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if port < 80
        || number.starts_with('0')
        || !is_whole
        || !is_name
        || name.bytes().any(|b| b.is_ascii_uppercase())
        || NUMBERED.contains(&name)
    {
        return false;
    }
    let is_numbered = name.contains('-') && is_digit(name.bytes().next_back());
    SERVER_PORTS.contains(&port) || is_numbered || is_of_connections(text)
}

fn is_of_connections(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    OF_CONNECTIONS.iter().any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
}

/// Whether a URL that is not for the public begins around this colon: of a database, a file, or a host inside a network.
fn has_scheme(before: &str, after: &str) -> bool {
    let Some(rest) = after.strip_prefix("://") else { return false };
    let scheme = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.')).next();
    let scheme = scheme.unwrap_or_default();
    let goes_on = rest.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b"/[%~_-".contains(&b));
    if scheme.is_empty() || !goes_on {
        return false;
    }
    if !["http", "https", "ws", "wss"].iter().any(|public| scheme.eq_ignore_ascii_case(public)) {
        return true;
    }
    let authority = rest
        .split(|c: char| matches!(c, '/' | '\\' | '?' | '#') || is_separator(c))
        .next()
        .unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default();
    let is_name =
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    authority.contains('@') || is_name
}

/// `C:\\`
fn is_of_a_drive(before: &str, after: &str) -> bool {
    let mut letters = before.bytes().rev();
    after.starts_with(":\\")
        && letters.next().is_some_and(|letter| letter.is_ascii_alphabetic())
        && !letters.next().is_some_and(is_of_a_word)
}

/// Whether a text begins as databases, runtimes and resolvers begin what they print.
fn begins_as_a_program(text: &str) -> bool {
    let begins = |phrases: &[&str]| phrases.iter().any(|phrase| text.starts_with(phrase));
    let goes_on = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    match text.bytes().next() {
        Some(b'S') => begins(&["SQLSTATE", "SQLITE_"]) || begins(&["SELECT "]) && goes_on(" FROM "),
        Some(b'I') => begins(&["INSERT INTO "]),
        Some(b'U') => begins(&["UNIQUE constraint failed"]) || begins(&["UPDATE "]) && goes_on(" SET "),
        Some(b'D') => begins(&["DELETE FROM ", "Duplicate entry '"]),
        Some(b'E') => begins(&["E11000 duplicate key"]),
        Some(b'o') => begins(&["object has no attribute '"]),
        Some(b'O') => {
            let number = text.strip_prefix("ORA-");
            begins(&["Object reference not set"])
                || number.is_some_and(|number| number.bytes().take(4).filter(u8::is_ascii_digit).count() == 4)
        }
        Some(b'C') => begins(&["Cannot read propert"]),
        Some(b'd') => begins(&["dial tcp", "dial unix", "dial udp"]),
        Some(b'f') => begins(&["for nil:NilClass"]),
        Some(b'g') => begins(&["getaddrinfo", "goroutine "]),
        Some(b'n') => begins(&["nil pointer dereference", "no such table: "]),
        Some(b'p') => begins(&["password authentication failed for user", "panic: "]),
        Some(b'r') => {
            begins(&["runtime error: "]) || begins(&["relation \""]) && goes_on("\" does not exist")
        }
        Some(b's') => begins(&["syntax error at or near \""]),
        Some(b'u') => begins(&["undefined method "]),
        Some(b'v') => {
            begins(&["violates "])
                && goes_on(" constraint")
                && (goes_on(" constraint \"") || goes_on("not-null"))
        }
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_of_the_upstreams_own_is_found() {
        for text in [
            // Machines.
            "connect ECONNREFUSED 10.0.0.5:5432",
            "192.168.1.4 refused",
            "10.0.0.5 is down",
            "10.0.0.5",
            "no route to 172.20.0.3.",
            "read tcp 10.0.0.5:33->10.0.0.6:1: reset",
            "tcp://10.0.0.9:1",
            "host=127.0.0.1 failed",
            "fe80::1 refused",
            "fe80::1%eth0 refused",
            "[::1]:80 refused",
            "no answer from ::1",
            "::ffff:10.0.0.1 is away",
            "redis:6379 timed out",
            "redis:6380 timed out",
            "web-01:8080 unreachable",
            "web-01:81 answered",
            "cannot connect to db:81",
            "localhost:3000 is away",
            "kafka-0.kafka.default.svc unreachable",
            "db.corp.intranet is away",
            "getaddrinfo ENOTFOUND postgres",
            "dial tcp: lookup postgres: no such host",
            // URLs.
            "mongodb://u:p@mongo/db failed",
            "jdbc:postgresql://db/x",
            "file:///etc/passwd",
            "s3://bucket/key not found",
            "http://users/v1/users returned 500",
            "http://localhost/foo failed",
            "https://root:secret@example.com/ failed",
            "GET http://10.0.0.9/x failed",
            // Files.
            "open ~/.ssh/id_rsa: permission denied",
            "unix:/run/app.sock: connection refused",
            "no /workspace/app.sock",
            "EACCES /root",
            "cannot write to /tmp.",
            "No such file: ./config/prod.yml",
            r"cannot read C:\app\settings.json",
            r"cannot read \\files\share",
            "ENOENT: no such file or directory, open 'x'",
            // Databases.
            "SELECT * FROM users WHERE id = 'x' failed",
            "failed: INSERT INTO users VALUES (1)",
            "UPDATE users SET name = 'x'",
            "Uncaught PDOException: SQLSTATE[42S02]",
            "ORA-00942: table or view does not exist",
            "relation \"users\" does not exist",
            "duplicate key value violates unique constraint \"users_email_key\"",
            "password authentication failed for user \"app\"",
            "UNIQUE constraint failed: users.email",
            "E11000 duplicate key error collection: shop.users",
            // Programs.
            "System.NullReferenceException: Object reference not set to an instance of an object.",
            "NullReferenceException",
            "java.lang.NullPointerException at com.acme.Foo.bar(Foo.java:12)",
            "pydantic_core.ValidationError: 1",
            "undefined method `foo' for nil (NoMethodError)",
            "Cannot read properties of undefined (reading 'x')",
            "'NoneType' object has no attribute 'x'",
            "error in app/models/user.rb:42:in `save'",
        ] {
            assert!(names_internals(text), "{text}");
        }
    }

    #[test]
    fn prose_public_addresses_and_paths_of_the_api_stay() {
        for text in [
            "The name must be at least 3 characters.",
            "Bring bread and/or milk at 12:30, ratio 3:4, a/b.",
            "The path /items/7 is gone",
            "/items/7 was not found",
            "/run was not found, nor were /items/a.b and /items/report.pdf",
            "Failed in /items/{id} handler",
            "See https://example.com/docs for help.",
            "The URL must begin with https:// or ftp://.",
            "http://{host}/ is a template",
            "Version 1.2.3.4 is not supported",
            "Release v10.0.0.5 is not supported",
            "Your address 203.0.113.7 is not allowed, nor is 2001:db8::1",
            "Item 10.5 is too large",
            "order:12345 was not found",
            "user:99 was not found, line:80, code:500, status:404",
            "1:5: parse error: unexpected end of input",
            "Error:Field validation for 'Name' failed on the 'required' tag",
            "Deployment.apps \"x\" is invalid: spec.template: Required value",
            "error.path.missing",
            "ValidationError: name is required",
            "Exception: the desk is closed",
            "Select a file from the list, update it, and set a name.",
            "Could not find the table 'api.itmes' in the schema cache",
            "The constraint \"unique\" is violated: it violates the constraint",
            "E42 is not a code, EXIT neither",
            "Use std::string or a::b, and 12:30:45",
            "10.0 is not 10.0.0",
            "~ and ~/ and . and ./ and ..",
            "sha256:12345678 does not match",
        ] {
            assert!(!names_internals(text), "{text}");
        }
    }
}
