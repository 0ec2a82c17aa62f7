//! HTML's character references.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Text with HTML's character references (`&eacute;`, `&#233;`, `&copy`) replaced by what they stand for: Python's
/// `html.unescape`, which knows the names of HTML 5 and, as browsers do, those that need no semicolon.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let used = match after.strip_prefix('#') {
            Some(number) => numeric(number, &mut out).map(|used| used + 1),
            None => named(after, &mut out),
        };
        if used.is_none() {
            out.push('&');
        }
        rest = &after[used.unwrap_or(0)..];
    }
    out.push_str(rest);
    out
}

/// Writes what the reference `&#` with these digits stands for, and tells how many bytes it takes.
fn numeric(after: &str, out: &mut String) -> Option<usize> {
    let (radix, digits) = match after.strip_prefix(['x', 'X']) {
        Some(hex) => (16, hex),
        None => (10, after),
    };
    let n = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    if n == 0 {
        return None;
    }
    // What is too large for a number is too large for a character.
    let code = u32::from_str_radix(&digits[..n], radix).unwrap_or(u32::MAX);
    match code {
        0 => out.push('\u{fffd}'),
        0x0d => out.push('\r'),
        // Numbers that were meant in Windows' code page 1252.
        0x80..=0x9f => out.push(WINDOWS_1252[code as usize - 0x80]),
        // Control characters and what is no character at all.
        0x1..=0x8 | 0xb | 0xe..=0x1f | 0x7f | 0xfdd0..=0xfdef => {}
        _ if code & 0xfffe == 0xfffe && code <= 0x10_ffff => {}
        _ => out.push(char::from_u32(code).unwrap_or('\u{fffd}')),
    }
    let used = after.len() - digits.len() + n;
    Some(used + usize::from(after[used..].starts_with(';')))
}

/// Writes what a name after `&` stands for, and tells how many bytes it takes. Of a name that is none, a beginning that
/// is one counts, if it is one of those that need no semicolon.
fn named(after: &str, out: &mut String) -> Option<usize> {
    let is_end = |c: char| matches!(c, '\t' | '\n' | '\u{c}' | ' ' | '<' | '&' | '#' | ';');
    let end = after.char_indices().enumerate().find(|&(n, (_, c))| n == 32 || is_end(c));
    let name = &after[..end.map_or(after.len(), |(_, (at, _))| at)];
    if after[name.len()..].starts_with(';')
        && let Some((value, _)) = ENTITIES.get(name)
    {
        out.push_str(value);
        return Some(name.len() + 1);
    }
    let beginnings = name.char_indices().map(|(i, c)| i + c.len_utf8()).rev().map(|end| &name[..end]);
    let (used, value) = beginnings
        .filter_map(|name| match ENTITIES.get(name) {
            Some((value, true)) => Some((name.len(), value)),
            _ => None,
        })
        .next()?;
    out.push_str(value);
    Some(used)
}

/// By name: what it stands for, and whether it needs no semicolon.
static ENTITIES: LazyLock<HashMap<&'static str, (String, bool)>> = LazyLock::new(|| {
    let entity = |line: &'static str| {
        let mut words = line.split(' ');
        let name = words.next().unwrap_or_default();
        let value = words.filter_map(|hex| u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)).collect();
        match name.strip_suffix('?') {
            Some(name) => (name, (value, true)),
            None => (name, (value, false)),
        }
    };
    include_str!("html_entities.txt").lines().map(entity).collect()
});

const WINDOWS_1252: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{0192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{02c6}',
    '\u{2030}', '\u{0160}', '\u{2039}', '\u{0152}', '\u{8d}', '\u{017d}', '\u{8f}', '\u{90}', '\u{2018}', '\u{2019}',
    '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{02dc}', '\u{2122}', '\u{0161}', '\u{203a}',
    '\u{0153}', '\u{9d}', '\u{017e}', '\u{0178}',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_characters() {
        // What Python's html.unescape makes of them.
        for (text, expected) in [
            ("&eacute;&hellip;", "é…"),
            ("a & b && c", "a & b && c"),
            ("&copy 2001 &copyright &notit; &notin;", "© 2001 ©right ¬it; ∉"),
            ("&amp;lt;", "&lt;"),
            ("&#233; &#xe9 &#XE9; &#x;&#;", "é é é &#x;&#;"),
            ("&#128; &#x9f; &#129;", "€ Ÿ \u{81}"),
            ("&#0; &#13; &#1; &#xfffe; &#xd800; &#99999999999;", "\u{fffd} \u{d}   \u{fffd} \u{fffd}"),
            ("&fjlig; &NotEqualTilde;", "fj ≂\u{338}"),
            (
                "&abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz;",
                "&abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz;",
            ),
            ("&ampamp;amp", "&amp;amp"),
            ("&l &lt", "&l <"),
            ("&", "&"),
            ("&gt&lt", "><"),
            ("&gté;", ">é;"),
        ] {
            assert_eq!(unescape(text), expected, "{text}");
        }
        assert_eq!(ENTITIES.len(), 2125);
    }
}
