//! Markdown files of the repository to HTML.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// A heading and the name by which links reach it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heading {
    pub(crate) id: String,
    pub(crate) title: String,
}

/// The first heading; `otherwise` if there is none.
pub(crate) fn title(text: &str, otherwise: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix("# "));
    line.unwrap_or(otherwise).replace('`', "")
}

/// HTML, and the headings. `resolve` says where each link and each picture is in the site.
///
/// The files are the repository's own, so that HTML in them is HTML.
pub(crate) fn render(
    text: &str,
    resolve: &mut dyn FnMut(&str) -> anyhow::Result<String>,
) -> anyhow::Result<(String, Vec<Heading>)> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut events: Vec<Event<'_>> = Parser::new_ext(text, options).collect();
    let mut headings: Vec<Heading> = Vec::new();
    for at in 0..events.len() {
        match &mut events[at] {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                *dest_url = CowStr::from(resolve(dest_url)?);
            }
            Event::Start(Tag::Heading { .. }) => {
                let inside = events[at..].iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
                let title: String = inside
                    .filter_map(|event| match event {
                        Event::Text(text) | Event::Code(text) => Some(&**text),
                        _ => None,
                    })
                    .collect();
                let id = id(&title, &headings);
                if let Event::Start(Tag::Heading { id: of_heading, .. }) = &mut events[at] {
                    *of_heading = Some(CowStr::from(id.clone()));
                }
                headings.push(Heading { id, title });
            }
            _ => {}
        }
    }
    let mut page = String::new();
    html::push_html(&mut page, events.into_iter());
    // A wide table moves by itself and not the page.
    let page = page.replace("<table>", "<div class=\"wide\"><table>").replace("</table>", "</table></div>");
    Ok((page, headings))
}

/// GitHub's rule: small letters, spaces to hyphens, other marks left out, and a number where it is taken.
fn id(title: &str, taken: &[Heading]) -> String {
    let kept = title.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
    let plain = kept.replace(' ', "-");
    let free = |id: &String| taken.iter().all(|heading| heading.id != *id);
    let mut numbered = (1..).map(|n| format!("{plain}-{n}"));
    Some(plain.clone()).filter(free).or_else(|| numbered.find(free)).unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_names_and_links_are_resolved() {
        let text = "# Run `it`\n\n[a](b.md) ![c](d.png)\n\n## Masks, tables: 2\n\n## Masks, tables: 2\n";
        let mut seen = Vec::new();
        let mut resolve = |link: &str| {
            seen.push(link.to_string());
            Ok(format!("x/{link}"))
        };
        let (html, headings) = render(text, &mut resolve).unwrap();
        assert_eq!(seen, ["b.md", "d.png"]);
        let ids: Vec<&str> = headings.iter().map(|heading| heading.id.as_str()).collect();
        assert_eq!(ids, ["run-it", "masks-tables-2", "masks-tables-2-1"]);
        assert_eq!(headings[0].title, "Run it");
        assert!(html.contains("<h1 id=\"run-it\">Run <code>it</code></h1>"), "{html}");
        assert!(html.contains("<a href=\"x/b.md\">a</a> <img src=\"x/d.png\" alt=\"c\" />"), "{html}");
        assert_eq!((title(text, "-"), title("no", "file")), ("Run it".into(), "file".into()));
    }
}
