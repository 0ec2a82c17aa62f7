//! HTML from plain words: everything is escaped, and prose has a tiny markup.

use crate::text::visible;

/// Text that is safe inside an element and inside a quoted attribute, with control characters made visible.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

/// Prose to HTML: a blank line parts paragraphs, lines that begin with `- ` are a list, `` `code` ``, `**bold**` and
/// `*emphasis*` are what they look like.
pub(crate) fn prose(text: &str) -> String {
    let mut html = String::new();
    for paragraph in text.replace("\r\n", "\n").split("\n\n").map(str::trim).filter(|p| !p.is_empty()) {
        let lines: Vec<&str> = paragraph.lines().map(str::trim).collect();
        let first_item = lines.iter().position(|line| line.starts_with("- ")).unwrap_or(lines.len());
        let (words, items) = lines.split_at(first_item);
        if !words.is_empty() {
            html.push_str(&format!("<p>{}</p>\n", inline(&words.join("\n"))));
        }
        if !items.is_empty() {
            let items = items.join("\n");
            let items = items.trim_start_matches("- ").split("\n- ").map(|item| format!("<li>{}</li>", inline(item)));
            html.push_str(&format!("<ul>{}</ul>\n", items.collect::<String>()));
        }
    }
    html
}

/// The markup inside a line. A mark that is never closed, or that has a space inside it as in `2 * 3`, is only itself.
pub(crate) fn inline(text: &str) -> String {
    let mut html = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*']) {
        html.push_str(&escape(&rest[..at]));
        rest = &rest[at..];
        let (mark, tag) = match rest {
            _ if rest.starts_with('`') => ("`", "code"),
            _ if rest.starts_with("**") => ("**", "strong"),
            _ => ("*", "em"),
        };
        let inner = rest[mark.len()..].find(mark).map(|end| &rest[mark.len()..mark.len() + end]);
        match inner.filter(|inner| !inner.is_empty() && (tag == "code" || inner.trim() == *inner)) {
            Some(inner) => {
                let body = if tag == "code" { escape(inner) } else { inline(inner) };
                html.push_str(&format!("<{tag}>{body}</{tag}>"));
                rest = &rest[2 * mark.len() + inner.len()..];
            }
            None => {
                html.push_str(mark);
                rest = &rest[mark.len()..];
            }
        }
    }
    html.push_str(&escape(rest));
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_text_becomes_markup_by_accident() {
        assert_eq!(escape(r#"<b a="1">&'"#), "&lt;b a=&quot;1&quot;&gt;&amp;&#39;");
        assert_eq!(inline("`<script>` and **a<b**"), "<code>&lt;script&gt;</code> and <strong>a&lt;b</strong>");
    }

    #[test]
    fn the_markup_is_what_it_looks_like() {
        assert_eq!(
            inline("`x * y * z` is *not* **very *hard* indeed**"),
            "<code>x * y * z</code> is <em>not</em> <strong>very <em>hard</em> indeed</strong>"
        );
        assert_eq!(inline("2 * 3 * 4, a `tick, **"), "2 * 3 * 4, a `tick, **");
        assert_eq!(inline("`` empty ** ** é*ü*"), "`` empty ** ** é<em>ü</em>");
    }

    #[test]
    fn blank_lines_part_paragraphs_and_dashes_make_lists() {
        assert_eq!(prose("one\ntwo\n\nthree"), "<p>one\ntwo</p>\n<p>three</p>\n");
        assert_eq!(prose("try:\n- a *b*\n- c\n  d"), "<p>try:</p>\n<ul><li>a <em>b</em></li><li>c\nd</li></ul>\n");
        assert_eq!(prose("  \n\n "), "");
    }
}
