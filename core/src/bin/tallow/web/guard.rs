//! Who is answered.

use super::answer::refusal;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::net::IpAddr;
use tallow_io::hash;

/// The rules for who is answered.
pub(crate) struct Guard {
    /// The hash of the token that is asked for.
    token: Option<String>,
    names: Vec<String>,
}

/// What every answer says: nothing from elsewhere is loaded, nobody guesses a type, nothing is kept.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The middleware: refuses those who are not answered, and gives every answer the same headers. `is_open` says for
/// which paths no token is asked.
pub(crate) async fn guarded(guard: &Guard, is_open: fn(&str) -> bool, request: Request, next: Next) -> Response {
    let origin = guard.check_origin(request.headers());
    let token = if is_open(request.uri().path()) { Ok(()) } else { guard.check_token(request.headers()) };
    let mut response = match origin.and(token) {
        Ok(()) => next.run(request).await,
        Err((code, what)) => refusal(code, what),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

impl Guard {
    pub(crate) fn new(token: Option<&str>, names: &[String]) -> Guard {
        let names = names.iter().map(|name| name.to_lowercase()).collect();
        Guard { token: token.map(|token| hash::bytes(token.as_bytes()).sha256), names }
    }

    /// Refuses what comes by a name that is not ours, as after an attack by DNS rebinding, or from another site's page.
    pub(crate) fn check_origin(&self, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
        let host = text(headers, &header::HOST).unwrap_or_default();
        if !self.is_ours(host) {
            return Err((StatusCode::FORBIDDEN, "this name is not the server's; `--name` adds one"));
        }
        let is_same = |origin: &str| origin.split_once("://").is_some_and(|(_, place)| place == host);
        match text(headers, &header::ORIGIN) {
            Some(origin) if !is_same(origin) => Err((StatusCode::FORBIDDEN, "requests of other sites are refused")),
            _ => Ok(()),
        }
    }

    /// Refuses requests without the token, if one is asked for.
    pub(crate) fn check_token(&self, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
        let Some(wanted) = &self.token else { return Ok(()) };
        let given = text(headers, &header::AUTHORIZATION).and_then(|text| text.strip_prefix("Bearer "));
        // Comparing hashes, how long it takes tells nothing about the token.
        match given.is_some_and(|given| hash::bytes(given.as_bytes()).sha256 == *wanted) {
            true => Ok(()),
            false => Err((StatusCode::UNAUTHORIZED, "expected `Authorization: Bearer TOKEN` with the server's token")),
        }
    }

    /// Whether a `Host` is this server: an IP address, which no name can be turned into, or one of its names.
    fn is_ours(&self, host: &str) -> bool {
        let end = host.rfind(':').filter(|colon| host[colon + 1..].bytes().all(|b| b.is_ascii_digit()));
        let name = if host.ends_with(']') { host } else { &host[..end.unwrap_or(host.len())] };
        let is_address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        is_address || name.eq_ignore_ascii_case("localhost") || self.names.contains(&name.to_lowercase())
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_server_are_its_own() {
        let guard = Guard::new(None, &["Example.org".into()]);
        for host in ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "[::1]", "10.0.0.7", "example.org:80"]
        {
            assert!(guard.is_ours(host), "{host}");
        }
        for host in
            ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080", ":8080", "example.org.x"]
        {
            assert!(!guard.is_ours(host), "{host}");
        }
    }
}
