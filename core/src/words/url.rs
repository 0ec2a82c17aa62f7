//! Addresses of the web, which stay one token.

use super::characters::is_lower;

/// Whether a word is an address as a whole, by spaCy's `URL_MATCH`: a scheme and a user may come first, then the name
/// of a host or its public IP address, then a port and a path. `example.com` is one, `lower.Upper` is none.
pub(super) fn is_url(word: &str) -> bool {
    // Each has a dot in it, and few words do.
    if !word.contains('.') {
        return false;
    }
    let is_scheme = |scheme: &str| scheme.chars().count() >= 2 && scheme.chars().all(is_scheme_character);
    let after_scheme = word.split_once("://").filter(|(scheme, _)| is_scheme(scheme)).map(|(_, rest)| rest);
    // A user, with or without a password, may be anything that is before an `@`.
    let after_user = word.match_indices('@').filter(|&(at, _)| at > 0).map(|(at, _)| &word[at + 1..]);
    std::iter::once(word).chain(after_scheme).chain(after_user).any(begins_with_host)
}

fn is_scheme_character(c: char) -> bool {
    c.is_alphanumeric() || "_+-.".contains(c)
}

/// Whether this is a host, a port if there is one, and a path if there is one.
fn begins_with_host(text: &str) -> bool {
    let end = text.find([':', '/', '?', '#', '@']).unwrap_or(text.len());
    let (host, rest) = text.split_at(end);
    (is_public_ip(host) || is_host(host)) && is_port_and_path(rest)
}

fn is_port_and_path(rest: &str) -> bool {
    let path = match rest.strip_prefix(':') {
        None => rest,
        Some(port) => {
            let path = port.trim_start_matches(|c: char| c.is_ascii_digit());
            if !(2..=5).contains(&(port.len() - path.len())) {
                return false;
            }
            path
        }
    };
    path.is_empty() || path.starts_with(['/', '?', '#'])
}

/// Whether these are names with dots between them, of which the last is all letters and none of them a capital.
fn is_host(host: &str) -> bool {
    let Some((labels, top)) = host.rsplit_once('.') else { return false };
    (2..=63).contains(&top.chars().count()) && top.chars().all(is_lower) && labels.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let is_end = |c: char| c.is_ascii_alphanumeric() || ('\u{a1}'..='\u{ffff}').contains(&c);
    label.starts_with(is_end)
        && label.ends_with(is_end)
        && label.chars().all(|c| is_end(c) || c == '_' || c == '-')
        && label.chars().count() <= 64
}

/// Whether this is an address of four numbers that is not one of a private network.
fn is_public_ip(host: &str) -> bool {
    let octets: Option<Vec<u8>> = host.split('.').map(octet).collect();
    let Some([a, b, _, d]) = octets.as_deref().and_then(|octets| <[u8; 4]>::try_from(octets).ok()) else {
        return false;
    };
    let has_zeros = [host.split('.').next(), host.split('.').next_back()].iter().flatten().any(|o| o.starts_with('0'));
    let is_private = matches!((a, b), (10 | 127, _) | (169, 254) | (192, 168) | (172, 16..=31));
    (1..=223).contains(&a) && (1..=254).contains(&d) && !has_zeros && !is_private
}

/// A number up to 255 in three digits at most; two of them may begin with 0.
fn octet(text: &str) -> Option<u8> {
    let is_number = text.chars().all(|c| c.is_ascii_digit()) && text.len() <= 3;
    if is_number && !(text.len() == 3 && text.starts_with('0')) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_words() {
        // As spaCy 3.8's URL_MATCH says.
        for url in [
            "example.com",
            "www.fast.ai",
            "http://www.example.com/path?q=1#frag",
            "https://a.b.co.uk:8080/x_y-z/?a=b&c=d!",
            "jane.doe+tag@example.co.uk",
            "ftp://files.example.org/a.tar.gz",
            "8.8.8.8",
            "8.8.8.8:80/x",
            "bücher.de",
            "a_b.example.org",
            "user:pw@host.com",
            "x@8.8.8.8",
            "8.08.8.8",
            "a.b@c@d.org",
        ] {
            assert!(is_url(url), "{url}");
        }
        for word in [
            "example",
            "lower.Upper",
            "example.c",
            "192.168.0.1",
            "10.0.0.1",
            "172.20.0.1",
            "8.8.8",
            "8.8.8.08",
            "256.1.1.1",
            "-a.com",
            "a..com",
            "http://",
            "@host",
            "example.com:1",
            "example.com:123456",
            "a.b@c",
            "...",
            "8.8.8.255",
        ] {
            assert!(!is_url(word), "{word}");
        }
    }
}
