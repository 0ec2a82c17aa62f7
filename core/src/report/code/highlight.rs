//! Listings as HTML, coloured by kind of token.

use super::cells::Listing;
use super::tokens::{Kind, Token, tokens};
use crate::report::html::escape;

/// More lines than this do not stand on the page at once.
const LONG: usize = 30;

/// How many lines of a long listing are always there.
const HEAD: usize = 12;

/// Statements of a section, with the place where they are; a long one shows its first lines and unfolds the rest.
/// `sources` is the way from the page to the root of the workspace, if the page lies beside it.
pub(in crate::report) fn cell(listing: &Listing, sources: Option<&str>) -> String {
    let place = place(listing, sources);
    let lines: Vec<&str> = listing.code.lines().collect();
    if lines.len() <= LONG {
        return format!("<div class=\"code\">{place}<pre><code>{}</code></pre></div>\n", rust(&listing.code));
    }
    let (head, rest) = lines.split_at(HEAD);
    format!(
        "<div class=\"code\">{place}<pre><code>{}</code></pre><details><summary>{} more lines</summary>\
         <pre><code>{}</code></pre></details></div>\n",
        rust(&head.join("\n")),
        rest.len(),
        rust(&rest.join("\n"))
    )
}

/// Items that a section uses, folded.
pub(in crate::report) fn folded(items: &[(String, Listing)], sources: Option<&str>) -> String {
    let mut names: Vec<String> = items.iter().map(|(name, _)| format!("<code>{}</code>", escape(name))).collect();
    names.dedup();
    let listing = |(_, listing): &(String, Listing)| {
        format!("{}<pre><code>{}</code></pre>\n", place(listing, sources), rust(&listing.code))
    };
    format!(
        "<details class=\"code used\"><summary>where {} {} from</summary>\n{}</details>\n",
        names.join(", "),
        if names.len() == 1 { "comes" } else { "come" },
        items.iter().map(listing).collect::<String>()
    )
}

/// File and line, as a link where the file can be reached from the page.
fn place(listing: &Listing, sources: Option<&str>) -> String {
    let (path, line) = (escape(&listing.path), listing.line);
    match sources {
        Some(root) => format!("<a class=\"place\" href=\"{}{path}\">{path}:{line}</a>", escape(root)),
        None => format!("<span class=\"place\">{path}:{line}</span>"),
    }
}

/// Rust as HTML: each token that has a colour is a span with a class of one letter.
fn rust(code: &str) -> String {
    let tokens = tokens(code);
    let html = tokens.iter().enumerate().map(|(i, token)| {
        let text = escape_code(token.text);
        match class(token, tokens.get(i + 1)) {
            Some(class) => format!("<span class=\"{class}\">{text}</span>"),
            None => text,
        }
    });
    html.collect()
}

/// [`escape`] makes control characters visible, which line ends and tabs in code are not.
fn escape_code(text: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join("\n")
}

fn class(token: &Token<'_>, next: Option<&Token<'_>>) -> Option<&'static str> {
    const KEYWORDS: [&str; 36] = [
        "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "false", "fn",
        "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self",
        "static", "struct", "super", "trait", "true", "type", "use", "where", "while",
    ];
    match token.kind {
        Kind::Comment => Some("c"),
        Kind::Text => Some("t"),
        Kind::Number => Some("d"),
        Kind::Lifetime => Some("k"),
        Kind::Ident if KEYWORDS.contains(&token.text) => Some("k"),
        Kind::Ident if token.text.starts_with(char::is_uppercase) => Some("y"),
        Kind::Ident if next.is_some_and(|next| matches!(next.text, "(" | "!")) => Some("f"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_coloured_and_escaped() {
        let html = rust("let x: Vec<u8> = f(\"<b>\", 1.5); // why & how");
        assert_eq!(
            html,
            "<span class=\"k\">let</span> x: <span class=\"y\">Vec</span>&lt;u8&gt; = <span class=\"f\">f</span>(\
             <span class=\"t\">&quot;&lt;b&gt;&quot;</span>, <span class=\"d\">1.5</span>); \
             <span class=\"c\">// why &amp; how</span>"
        );
    }
}
