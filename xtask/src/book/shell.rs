//! What all pages of the site have around their text.

use serde_json::json;

use super::site::{Entry, Section};

pub(crate) const STYLE: &str = include_str!("book.css");

const SCRIPT: &str = include_str!("search.js");

/// A whole page at `here`: the list of pages with the search, and `body`.
pub(crate) fn page(title: &str, here: &str, body: &str, entries: &[Entry], has_api: bool) -> String {
    let up = way_up(here);
    let mut list = String::new();
    for group in ["", "Chapters", "Guides", "Project"] {
        let mut items: String = entries
            .iter()
            .filter(|entry| entry.group == group)
            .map(|entry| item(&up, entry, entry.place == here))
            .collect();
        if group == "Project" && has_api {
            items += &format!("<li><a href=\"{up}api/tallow/index.html\">API documentation</a></li>\n");
        }
        if !group.is_empty() && !items.is_empty() {
            list += &format!("<h2>{group}</h2>\n");
        }
        list += &format!("<ul>\n{items}</ul>\n");
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"{up}book.css\">\n\
         <nav data-up=\"{up}\">\n<details open><summary>Contents</summary>\n\
         <input type=\"search\" placeholder=\"Search section titles\" aria-label=\"Search section titles\" hidden>\n\
         <ul class=\"found\" hidden></ul>\n<div class=\"list\">\n{list}</div>\n</details>\n</nav>\n\
         <main>\n{body}</main>\n<script src=\"{up}search.js\"></script>\n</html>\n",
        title = escape(title),
    )
}

fn item(up: &str, entry: &Entry, current: bool) -> String {
    let mark = if current { " aria-current=\"page\"" } else { "" };
    format!("<li><a href=\"{up}{}\"{mark}>{}</a></li>\n", escape(&entry.place), escape(&entry.title))
}

/// From a page to the root of the site: `../` for each folder.
pub(crate) fn way_up(here: &str) -> String {
    "../".repeat(here.matches('/').count())
}

/// The search's script, with all sections in it: a page that is opened from a disk may not load a file of its own.
pub(crate) fn search(sections: &[Section]) -> anyhow::Result<String> {
    let rows: Vec<_> = sections.iter().map(|section| json!([section.title, section.page, section.place])).collect();
    Ok(format!("const SECTIONS = {};\n{SCRIPT}", serde_json::to_string(&rows)?))
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The words of a piece of HTML.
pub(crate) fn without_tags(html: &str) -> String {
    let pieces = html.split('<').enumerate();
    let text: String =
        pieces.map(|(i, piece)| if i == 0 { piece } else { piece.split_once('>').map_or("", |p| p.1) }).collect();
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    plain.iter().fold(text, |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_heading() {
        assert_eq!(without_tags("1. A <code>x &lt; y</code> &amp; more"), "1. A x < y & more");
        assert_eq!([way_up("index.html"), way_up("chapters/a/index.html")], ["", "../../"]);
    }
}
