//! The declarations on rustdoc's pages.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

/// A line for each public item of a package, each of its methods and constants, and each trait that it has: the path,
/// `: `, and the declaration.
pub(super) fn items(pages: &Path) -> anyhow::Result<Vec<String>> {
    let all = read(&pages.join("all.html"))?;
    let (_, list) = all.split_once("class=\"all-items\"").context("all.html lists no items")?;
    let mut lines = Vec::new();
    for link in list.split("<a href=\"").skip(1) {
        let (file, rest) = link.split_once("\">").context("a link of all.html has no end")?;
        let Some((name, _)) = rest.split_once("</a>").filter(|_| file.ends_with(".html")) else { continue };
        lines.extend(of_page(&text(name), &read(&pages.join(file))?)?);
    }
    if lines.is_empty() {
        bail!("{} names no item; has rustdoc changed its pages?", pages.join("all.html").display());
    }
    lines.sort();
    lines.dedup();
    Ok(lines)
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The lines of one item.
fn of_page(name: &str, page: &str) -> anyhow::Result<Vec<String>> {
    let declaration = between(page, "item-decl\">", "</pre>").with_context(|| format!("{name} has no declaration"))?;
    let mut lines = vec![format!("{name}: {}", text(declaration))];
    let own = section(page, "implementations");
    for method in own.split("<h4 class=\"code-header\">").skip(1) {
        let header = text(method.split("</h4>").next().unwrap_or_default());
        // `pub const fn name`: the name is the first word after the last of these.
        let keyword = |word: &&str| ["fn", "const", "type"].contains(word);
        let mut words = header.split(['(', '<', ':', ' ', '=']).skip_while(|word| !keyword(word));
        let method = words.find(|word| !keyword(word)).unwrap_or_default();
        lines.push(format!("{name}.{method}: {header}"));
    }
    let traits = section(page, "trait-implementations");
    let headers = traits.split("<h3 class=\"code-header\">").skip(1);
    lines.extend(headers.map(|header| format!("{name}: {}", text(header.split("</h3>").next().unwrap_or_default()))));
    Ok(lines)
}

/// What stands under a heading, up to the next of its rank.
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    between(page, &format!("<h2 id=\"{id}\""), "<h2 id=\"")
        .unwrap_or_else(|| page.split_once(&format!("<h2 id=\"{id}\"")).map_or("", |(_, rest)| rest))
}

fn between<'a>(page: &'a str, before: &str, after: &str) -> Option<&'a str> {
    page.split_once(before)?.1.split_once(after).map(|(inside, _)| inside)
}

/// The text without tags, on one line. What opens and closes a long declaration is left out.
fn text(html: &str) -> String {
    let mut kept = String::new();
    let mut parts = html.split("<summary");
    kept += parts.next().unwrap_or_default();
    for part in parts {
        kept += part.split_once("</summary>").map_or("", |(_, rest)| rest);
    }
    let mut plain = String::new();
    for (number, part) in kept.split('<').enumerate() {
        plain += if number == 0 { part } else { part.split_once('>').map_or("", |(_, rest)| rest) };
    }
    for (entity, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("\u{a0}", " "),
        ("§", ""),
        ("&amp;", "&"),
    ] {
        plain = plain.replace(entity, character);
    }
    plain.split_whitespace().collect::<Vec<&str>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{of_page, text};

    #[test]
    fn a_page_gives_its_declaration_methods_and_traits() {
        let page = [
            "<pre class=\"rust item-decl\"><code>pub struct <b>Zoo</b> {\n",
            "    <details><summary>Show</summary>pub n: u8,</details>\n}</code></pre>",
            "<h2 id=\"implementations\">Implementations</h2><h3 class=\"code-header\">impl Zoo</h3>",
            "<h4 class=\"code-header\">pub const fn new(n: <a href=\"x\">u8</a>) -&gt; Zoo</h4>",
            "<h4 class=\"code-header\">pub fn feed&lt;T&gt;(&amp;self, t: T)</h4>",
            "<h2 id=\"trait-implementations\"><h3 class=\"code-header\">impl Clone for Zoo</h3>",
            "<h4 class=\"code-header\">fn clone(&amp;self)</h4>",
            "<h2 id=\"blanket-implementations\"><h3 class=\"code-header\">impl Any</h3>",
        ]
        .concat();
        let lines = [
            "zoo::Zoo: pub struct Zoo { pub n: u8, }",
            "zoo::Zoo.new: pub const fn new(n: u8) -> Zoo",
            "zoo::Zoo.feed: pub fn feed<T>(&self, t: T)",
            "zoo::Zoo: impl Clone for Zoo",
        ];
        assert_eq!(of_page("zoo::Zoo", &page).unwrap(), lines);
        assert_eq!(text("a&amp;lt;b"), "a&lt;b");
        assert!(of_page("zoo::Zoo", "another page").is_err());
    }
}
