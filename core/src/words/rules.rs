//! fast.ai's rules: what is done to a text before it is split into words.

use super::characters::is_space;
use super::html::unescape;
use super::special::{BOS, MAJ, REP, UNK, UP, WREP};
use std::fmt::Write;

/// What is done to a text before it is split into words, under fast.ai's names. The default ones, in their order, are
/// fast.ai's `defaults.text_proc_rules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// What is often broken in texts from web pages is mended. `#39;` becomes an apostrophe wherever it stands, so of
    /// `&#39;` the `&` is left.
    FixHtml,
    /// A character that comes three times or more in a row: `cccc` becomes `xxrep 4 c`.
    ReplaceRep,
    /// A word that comes three times or more in a row: `no no no` becomes `xxwrep 3 no`.
    ReplaceWrep,
    /// Spaces around `/`, `#` and `\`.
    SpecAddSpaces,
    /// Several spaces become one.
    RmUselessSpaces,
    /// A word in capitals: `NASA` becomes `xxup nasa`. Only A to Z count as capitals, and one letter is only made
    /// small.
    ReplaceAllCaps,
    /// A word with a capital at its beginning and no other: `Rust` becomes `xxmaj rust`.
    ReplaceMaj,
    /// Small letters, no white space at the ends, and `xxbos` at the beginning.
    Lowercase,
}

impl Rule {
    /// All of them, in fast.ai's order.
    pub const ALL: [Rule; 8] = [
        Rule::FixHtml,
        Rule::ReplaceRep,
        Rule::ReplaceWrep,
        Rule::SpecAddSpaces,
        Rule::RmUselessSpaces,
        Rule::ReplaceAllCaps,
        Rule::ReplaceMaj,
        Rule::Lowercase,
    ];

    /// The text after this rule.
    ///
    /// ```
    /// use tallow::words::Rule;
    ///
    /// assert_eq!(Rule::ReplaceMaj.apply("I love Rust"), "i love xxmaj rust");
    /// ```
    pub fn apply(self, text: &str) -> String {
        match self {
            Rule::FixHtml => fix_html(text),
            Rule::ReplaceRep => replace_rep(text),
            Rule::ReplaceWrep => replace_wrep(text),
            Rule::SpecAddSpaces => spec_add_spaces(text),
            Rule::RmUselessSpaces => rm_useless_spaces(text),
            Rule::ReplaceAllCaps => replace_capitals(text, UP, |rest| !rest.contains(|c: char| c.is_ascii_lowercase())),
            Rule::ReplaceMaj => replace_capitals(text, MAJ, |rest| !rest.contains(|c: char| c.is_ascii_uppercase())),
            Rule::Lowercase => format!("{BOS} {}", text.to_lowercase().trim_matches(is_space)),
        }
    }
}

fn fix_html(text: &str) -> String {
    const REPLACED: [(&str, &str); 13] = [
        ("#39;", "'"),
        ("amp;", "&"),
        ("#146;", "'"),
        ("nbsp;", " "),
        ("#36;", "$"),
        ("\\n", "\n"),
        ("quot;", "'"),
        ("<br />", "\n"),
        ("\\\"", "\""),
        ("<unk>", UNK),
        (" @.@ ", "."),
        (" @-@ ", "-"),
        ("...", " …"),
    ];
    let mut text = text.to_string();
    for (from, to) in REPLACED {
        if text.contains(from) {
            text = text.replace(from, to);
        }
    }
    if text.contains('&') { unescape(&text) } else { text }
}

fn replace_rep(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.trim_start_matches(c);
        let n = (rest.len() - after.len()) / c.len_utf8();
        if n >= 3 && !is_space(c) {
            let _ = write!(out, " {REP} {n} {c} ");
        } else {
            out.push_str(&rest[..rest.len() - after.len()]);
        }
        rest = after;
    }
    out
}

fn replace_wrep(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        // A word begins the text, or follows white space; that space is a part of what is replaced.
        let word_start = if is_space(c) { Some(at + c.len_utf8()) } else { Some(at).filter(|&at| at == 0) };
        if let Some((word, n, end)) = word_start.and_then(|start| repeated_word(text, start)) {
            let next = text[end..].chars().next();
            let _ = write!(out, " {WREP} {n} {word} ");
            // What follows is a part of it too, and so is not the white space before another.
            out.extend(next);
            at = end + next.map_or(0, char::len_utf8);
        } else {
            out.push(c);
            at += c.len_utf8();
        }
    }
    out
}

/// The word at this place, how often it comes in a row, and where the last one ends; if it comes three times at least.
fn repeated_word(text: &str, start: usize) -> Option<(&str, usize, usize)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let rest = &text[start..];
    let word = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
    if word.is_empty() {
        return None;
    }
    let (mut n, mut end) = (1, start + word.len());
    while let Some(rest) = text[end..].trim_start_matches(is_space).strip_prefix(word) {
        let is_apart = text[end..].starts_with(is_space);
        if !is_apart || rest.starts_with(is_word) {
            break;
        }
        (n, end) = (n + 1, text.len() - rest.len());
    }
    (n >= 3).then_some((word, n, end))
}

fn spec_add_spaces(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if "/#\\".contains(c) {
            out.extend([' ', c, ' ']);
        } else {
            out.push(c);
        }
    }
    out
}

fn rm_useless_spaces(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !(c == ' ' && out.ends_with(' ')) {
            out.push(c);
        }
    }
    out
}

/// Words that begin with a capital, and of which the rest is as it should be, in small letters after a mark.
fn replace_capitals(text: &str, mark: &str, fits: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while !rest.is_empty() {
        let word = &rest[..rest.find(is_space).unwrap_or(rest.len())];
        if word.starts_with(|c: char| c.is_ascii_uppercase()) && fits(&word[1..]) {
            if word.len() > 1 {
                out.push_str(mark);
                out.push(' ');
            }
            out.push_str(&word.to_lowercase());
        } else {
            out.push_str(word);
        }
        rest = &rest[word.len()..];
        if let Some(space) = rest.chars().next() {
            out.push(space);
            rest = &rest[space.len_utf8()..];
        }
    }
    out
}
