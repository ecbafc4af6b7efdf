//! Cookies of an upstream as clients get them: with the public path, and without the upstream's own host.

use super::service::Service;

/// The value of a Set-Cookie for clients. None: unchanged. `base`: the path of the public URL.
pub fn public(service: &Service, value: &[u8], base: &str) -> Option<Vec<u8>> {
    if !service.may_change_cookie(value) && base.is_empty() || is_of_host(value) {
        return None;
    }
    let mut out: Vec<u8> = Vec::with_capacity(value.len() + 16);
    let mut has_changed = false;
    for (index, part) in value.split(|byte| *byte == b';').enumerate() {
        let attribute = part.trim_ascii();
        let (name, content) = match attribute.iter().position(|byte| *byte == b'=') {
            Some(at) => {
                (attribute.get(..at).unwrap_or_default(), attribute.get(at + 1..).unwrap_or_default())
            }
            None => (attribute, &b""[..]),
        };
        let name = name.trim_ascii_end();
        // The first part is the cookie itself, whatever its name.
        if index > 0 && name.eq_ignore_ascii_case(b"domain") && service.is_own_host(content.trim_ascii()) {
            has_changed = true;
            continue;
        }
        if index > 0 {
            out.push(b';');
        }
        let path = std::str::from_utf8(content.trim_ascii()).ok();
        match path.filter(|_| index > 0 && name.eq_ignore_ascii_case(b"path")) {
            Some(path) if path.starts_with('/') => {
                let public = service.public_path(path);
                out.extend_from_slice(b" Path=");
                if public != "/" {
                    out.extend_from_slice(base.as_bytes());
                }
                out.extend_from_slice(public.as_bytes());
                has_changed = true;
            }
            Some(_) | None => out.extend_from_slice(part),
        }
    }
    has_changed.then_some(out)
}

/// Whether browsers reject the cookie with any other path than `/`.
fn is_of_host(value: &[u8]) -> bool {
    const PREFIX: &[u8] = b"__host-";
    value.trim_ascii_start().get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}
