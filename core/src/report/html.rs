//! HTML from plain words: everything is escaped, and prose is Markdown.

use crate::text::visible;
use pulldown_cmark::{Event as MarkdownEvent, Options, Parser, Tag, TagEnd};

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

/// Prose in Markdown to HTML. It may be indented as the code around it is. HTML in it is text.
pub(crate) fn prose(text: &str) -> String {
    markdown(&visible(&dedented(text)))
}

/// Markdown that is not indented, such as a README's. HTML in it is text.
pub(crate) fn document(text: &str) -> String {
    markdown(&visible(text))
}

/// Markdown inside of a line, such as a title, in which nothing begins a list or another block.
pub(crate) fn inline(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let html = markdown(&format!("{FIRST}{}", visible(&line)));
    html.trim_end().trim_start_matches("<p>").trim_start_matches(FIRST).trim_end_matches("</p>").to_string()
}

/// A word that makes a paragraph of whatever follows.
const FIRST: &str = "\u{2060}";

/// Markdown to HTML. Names of files and classes may be in it, so it reaches nothing outside of the page: HTML is text,
/// a picture is its description, and a link is one only if it leads to the web.
fn markdown(text: &str) -> String {
    let mut is_kept = Vec::new();
    let parser = Parser::new_ext(text, Options::ENABLE_TABLES);
    let safe = parser.filter_map(|event| match event {
        MarkdownEvent::Html(html) | MarkdownEvent::InlineHtml(html) => Some(MarkdownEvent::Text(html)),
        MarkdownEvent::Start(Tag::Image { .. }) | MarkdownEvent::End(TagEnd::Image) => None,
        MarkdownEvent::Start(Tag::Link { ref dest_url, .. }) => {
            is_kept.push(dest_url.starts_with("https://"));
            is_kept.last().is_some_and(|kept| *kept).then_some(event)
        }
        MarkdownEvent::End(TagEnd::Link) => is_kept.pop().unwrap_or(false).then_some(event),
        event => Some(event),
    });
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, safe);
    html
}

/// Text without the indentation that all of its lines share, the first one aside if it follows the quotation mark.
fn dedented(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let width = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let widths = text.lines().skip(1).filter(|line| !line.trim().is_empty()).map(width);
    let indent = widths.min().unwrap_or(0);
    let strip = |line: &str| String::from(line.get(indent.min(width(line))..).unwrap_or(line));
    let lines: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(i, line)| if i == 0 { line.trim_start().to_string() } else { strip(line) })
        .collect();
    lines.join("\n")
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
    fn text_reaches_nothing_outside_of_the_page() {
        assert_eq!(inline("![cat](http://a.b/c.png)"), "cat");
        assert_eq!(inline("[cat](javascript:alert(1)) <img src=x>"), "cat &lt;img src=x&gt;");
        assert_eq!(inline("[a](https://b.c)"), "<a href=\"https://b.c\">a</a>");
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
        assert_eq!(
            prose("try:\n- a *b*\n- c\n  d"),
            "<p>try:</p>\n<ul>\n<li>a <em>b</em></li>\n<li>c\nd</li>\n</ul>\n"
        );
        assert_eq!(prose("  \n\n "), "");
    }
}
