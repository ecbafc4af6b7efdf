//! Headers in which proxies state the origin of a request and the identity of its client. They are
//! trusted only from configured proxies.

/// Whether a field without a kind of its own is one that proxies set: the origin of a request
/// (Envoy's own fields such as `X-Envoy-Original-Path` are treated like those of any proxy), the
/// authenticated identity of the client (RFC 9440, nginx, Apache, Kong, Authelia, clouds), or where
/// the server is mounted and may put its response (WSGI, Rack).
pub(super) fn is_of_a_proxy(name: &[u8]) -> bool {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    // The length and the first letter distinguish most fields.
    match (name.len(), name.first().map(u8::to_ascii_lowercase)) {
        (11, Some(b'c')) => is("client-cert"),
        (9, Some(b'c')) => is("client-ip"),
        (16, Some(b'c')) => is("cf-connecting-ip"),
        (17, Some(b'c')) => is("client-cert-chain"),
        (34, Some(b'c')) => is("cf-access-authenticated-user-email"),
        (18, Some(b'c')) => is("cf-connecting-ipv6"),
        (16, Some(b'd')) => is("do-connecting-ip"),
        (13, Some(b'f')) => is("fly-client-ip"),
        (15, Some(b'f')) => is("front-end-https"),
        (16, Some(b'f')) => is("fastly-client-ip"),
        (14, Some(b'h')) => is("http-client-ip"),
        (15, Some(b'p')) => is("proxy-client-ip"),
        (11, Some(b'r')) => is("remote-user") || is("remote-name"),
        (12, Some(b'r')) => is("remote-email"),
        (13, Some(b'r')) => is("remote-groups"),
        (11, Some(b's')) => is("script-name"),
        (_, Some(b's')) => begins(name, b"ssl-client-"),
        (_, Some(b't')) if begins(name, b"tailscale-") => true,
        (14, Some(b't')) => is("true-client-ip"),
        (18, Some(b'w')) => is("wl-proxy-client-ip"),
        (_, Some(b'x')) => is_extension(name),
        (_, _) => false,
    }
}

fn is_extension(name: &[u8]) -> bool {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    let known = match name.len() {
        6 => is("x-host"),
        8 => is("x-scheme"),
        10 => is("x-ssl-cert"),
        9 => is("x-real-ip"),
        11 => {
            is("x-client-ip")
                || is("x-remote-ip")
                || is("x-forwarded")
                || is("x-real-port")
                || is("x-auth-user")
        }
        12 => is("x-url-scheme"),
        13 => is("x-remote-addr") || is("x-remote-user") || is("x-client-cert") || is("x-script-name"),
        14 => is("x-proxyuser-ip") || is("x-remote-group"),
        15 => {
            is("x-original-host") || is("x-accel-mapping") || is("x-sendfile-type") || is("x-client-verify")
        }
        16 => {
            is("x-azure-clientip")
                || is("x-azure-socketip")
                || is("x-originating-ip")
                || is("x-arr-clientcert")
        }
        19 => is("x-cluster-client-ip") || is("x-appengine-user-ip"),
        20 => is("x-anonymous-consumer"),
        22 => is("x-original-remote-addr") || is("x-authenticated-userid"),
        23 => is("x-credential-identifier"),
        24 => is("x-original-forwarded-for") || is("x-goog-iap-jwt-assertion"),
        25 => is("x-custom-ip-authorization"),
        _ => false,
    };
    known || is_of_a_family(name)
}

fn is_of_a_family(name: &[u8]) -> bool {
    // Most names are excluded here.
    match name.get(2).map(u8::to_ascii_lowercase) {
        Some(b'a') => begins(name, b"x-amzn-oidc-") || begins(name, b"x-auth-request-"),
        Some(b'c') => begins(name, b"x-consumer-"),
        Some(b'e') => begins(name, b"x-envoy-"),
        Some(b'f') => begins(name, b"x-forwarded-"),
        Some(b'g') => begins(name, b"x-goog-authenticated-user-"),
        Some(b'm') => begins(name, b"x-ms-client-principal"),
        Some(b's') => begins(name, b"x-ssl-client-"),
        Some(b'w') => begins(name, b"x-webauth-"),
        Some(_) | None => false,
    }
}

fn begins(name: &[u8], prefix: &[u8]) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::super::{ForwardedKind, RequestField, of_request};

    #[test]
    fn fields_of_proxies_are_found_by_their_length_and_first_letter() {
        for name in [
            "Client-IP",
            "CF-Connecting-IP",
            "CF-Connecting-IPv6",
            "DO-Connecting-IP",
            "Fly-Client-IP",
            "Fastly-Client-IP",
            "HTTP-Client-IP",
            "Proxy-Client-IP",
            "WL-Proxy-Client-IP",
            "X-Client-IP",
            "X-Remote-Addr",
            "X-ProxyUser-Ip",
            "X-Azure-ClientIP",
            "X-Azure-SocketIP",
            "X-Originating-IP",
            "X-Cluster-Client-IP",
            "X-Original-Forwarded-For",
            "Client-Cert",
            "Client-Cert-Chain",
            "X-SSL-Client-Verify",
            "Remote-User",
            "X-Remote-User",
            "X-Consumer-Username",
            "X-Consumer-Custom-ID",
            "X-Anonymous-Consumer",
            "X-Accel-Mapping",
            "X-Sendfile-Type",
            "X-Script-Name",
            "Script-Name",
            "X-Authenticated-Userid",
            "X-Credential-Identifier",
            "X-WEBAUTH-USER",
            "X-WebAuth-Groups",
            "X-Auth-Request-User",
            "X-Auth-User",
            "Remote-Name",
            "Remote-Groups",
            "Remote-Email",
            "X-Remote-Group",
            "X-Client-Cert",
            "X-Client-Verify",
            "X-SSL-Cert",
            "SSL-Client-Cert",
            "X-ARR-ClientCert",
            "X-MS-CLIENT-PRINCIPAL",
            "X-MS-CLIENT-PRINCIPAL-ID",
            "X-Amzn-Oidc-Identity",
            "X-Amzn-Oidc-Data",
            "X-Goog-Authenticated-User-Email",
            "X-Goog-Iap-Jwt-Assertion",
            "Cf-Access-Authenticated-User-Email",
            "Tailscale-User-Login",
            "X-AppEngine-User-IP",
            "X-Original-Remote-Addr",
            "X-Custom-IP-Authorization",
        ] {
            for name in [name.to_owned(), name.to_ascii_lowercase()] {
                let kind = of_request(name.as_bytes(), &[]);
                assert_eq!(kind, RequestField::Forwarded(ForwardedKind::Other), "{name}");
            }
        }
        for name in
            ["Priority", "Device-Memory", "Client-Certs", "X-Consumers", "X-Auth-Token", "X-Accel-Redirect"]
        {
            assert_eq!(of_request(name.as_bytes(), &[]), RequestField::EndToEnd, "{name}");
        }
        for name in ["X-Override-URL", "X-Original-Request-URI"] {
            assert_eq!(of_request(name.as_bytes(), &[]), RequestField::Override, "{name}");
        }
    }
}
