//! `report.html`: one page that needs nothing but itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::appendix::{Part, appendix};
use super::code::{self, Piece, Source};
use super::compare::Comparison;
use super::html::{escape, inline, prose};
use super::passage::Passage;
use super::record::{Block, Drawing, Entry};
use super::summary::{Count, Mood, Row, Target};
use super::table::Table;

/// A table with more rows than this does not stand on the page at its full height.
const TALL: usize = 15;

/// A figure wider than this, in CSS pixels, may stand out of the column of text.
const TEXT: u32 = 700;

/// A cell with more characters than this is broken into lines.
const LONG: usize = 36;

/// What stands on the page.
pub(crate) struct Page<'a> {
    pub(crate) chapter: &'a str,
    pub(crate) title: &'a str,
    pub(crate) quick: bool,
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) data: &'a [String],
    /// What the run comes to.
    pub(crate) conclusions: &'a [String],
    pub(crate) entries: &'a [Entry],
    pub(crate) sources: &'a [Source],
    /// The chapter's README.
    pub(crate) readme: &'a str,
    /// The way from the page to where the program was started.
    pub(crate) root: Option<String>,
    pub(crate) comparisons: &'a [Comparison],
    pub(crate) targets: &'a [Target],
    /// The run's files, by their names in its folder.
    pub(crate) files: &'a [String],
    pub(crate) config: Value,
}

impl Page<'_> {
    /// The page.
    pub(crate) fn html(&self) -> String {
        let title = escape(self.title);
        let chapter = escape(self.chapter);
        let style = include_str!("page.css");
        let config = self.configuration();
        let (header, contents, body) = (self.header(), self.contents(), self.body());
        let script = self.script();
        let (measured, targets, tables) = (self.measured(), self.reached(), self.tables());
        let appendix = self.appendix();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title} · {chapter}</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
             {header}{contents}<main>\n{body}{measured}{targets}{appendix}</main>\n\
             <footer>\n<h2 id=\"config\">Configuration</h2>\n<pre>{config}</pre>\n\
             <p>Written by <code>tallow {}</code>. The numbers are in {tables}, the figures in \
             <code>plots/</code>.</p>\n</footer>\n{script}</body>\n</html>\n",
            env!("CARGO_PKG_VERSION"),
        )
    }

    /// The configuration, without where on this machine the data are: a page is passed on.
    fn configuration(&self) -> String {
        let mut config = self.config.clone();
        if let Some(settings) = config.as_object_mut() {
            settings.remove("data_dir");
        }
        escape(&format!("{config:#}"))
    }

    /// What moves the page's explorers and switches the series of its plots, if it has any: no other page has a script.
    fn script(&self) -> String {
        let has = |what: fn(&Block) -> bool| self.entries.iter().filter_map(|entry| entry.block.as_ref()).any(what);
        let mut script = String::new();
        if has(|block| matches!(block, Block::Explorer { .. })) {
            script += include_str!("explorer.js");
        }
        if has(|block| matches!(block, Block::Figure { drawing: Drawing::Svg(svg), .. } if svg.contains("data-key"))) {
            script += include_str!("legend.js");
        }
        if script.is_empty() { script } else { format!("<script>\n{script}</script>\n") }
    }

    /// The files with numbers beside the page, as links.
    fn tables(&self) -> String {
        let tables = self.files.iter().map(String::as_str).filter(|name| name.ends_with(".csv"));
        let link = |name: &str| format!("<a href=\"{0}\"><code>{0}</code></a>", escape(name));
        let links: Vec<String> = std::iter::once("metrics.json").chain(tables).map(link).collect();
        links.join(", ")
    }

    fn header(&self) -> String {
        let facts = self
            .facts
            .iter()
            .map(|(name, value)| format!("<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value)));
        let data = self.data.iter().map(|data| format!("<li>{}</li>", inline(data))).collect::<String>();
        let data = if data.is_empty() { data } else { format!("<h2>Data</h2>\n<ul class=\"data\">{data}</ul>\n") };
        let quick = match self.quick {
            true => {
                "<p class=\"callout\">This was a <strong>quick run</strong>: it trains on little data for a short \
                     time, so what training measures is not comparable with the source.</p>\n"
            }
            false => "",
        };
        let count = match self.comparisons {
            [] => String::new(),
            all => format!("<p class=\"count\"><a href=\"#measured\">{}</a></p>\n", Count::of(all).words()),
        };
        let conclusions = self.conclusions.iter().map(|text| format!("<p class=\"conclusion\">{}</p>\n", inline(text)));
        let conclusions: String = conclusions.collect();
        format!(
            "<header>\n<p class=\"chapter\">{}</p>\n<h1>{}</h1>\n\
             <dl class=\"facts\">{}</dl>\n{conclusions}{data}{quick}{count}</header>\n",
            escape(self.chapter),
            inline(self.title),
            facts.collect::<String>(),
        )
    }

    fn contents(&self) -> String {
        let sections = self.entries.iter().filter_map(|entry| match &entry.block {
            Some(Block::Section(title)) => Some(title),
            _ => None,
        });
        let mut items: String = sections
            .enumerate()
            .map(|(i, title)| format!("<li><a href=\"#s{}\">{}</a></li>\n", i + 1, inline(title)))
            .collect();
        if !self.comparisons.is_empty() {
            items.push_str("<li><a href=\"#measured\">Printed and measured</a></li>\n");
        }
        for (i, part) in appendix(self.readme).iter().enumerate() {
            items.push_str(&format!("<li><a href=\"#a{}\">{}</a></li>\n", i + 1, inline(&part.title)));
        }
        if items.is_empty() {
            items
        } else {
            format!("<nav aria-label=\"Contents\">\n<h2>Contents</h2>\n<ol>\n{items}</ol>\n</nav>\n")
        }
    }

    /// What the chapter's README has for those who have read the page.
    fn appendix(&self) -> String {
        let part = |(i, part): (usize, Part)| {
            format!("<h2 id=\"a{}\">{}</h2>\n<div class=\"appendix\">{}</div>\n", i + 1, inline(&part.title), part.html)
        };
        appendix(self.readme).into_iter().enumerate().map(part).collect()
    }

    fn body(&self) -> String {
        let pieces = code::interleave(self.entries, self.sources);
        let (mut html, mut sections, mut said) = (String::new(), 0, Vec::new());
        for piece in &pieces {
            // Results that follow one another share a block.
            match piece {
                Piece::Block(Block::Said(lines)) => {
                    said.extend(lines.iter().map(String::as_str));
                    continue;
                }
                _ => html.push_str(&results(&mut said)),
            }
            html.push_str(&match piece {
                Piece::Block(block) => block_html(block, &mut sections),
                Piece::Code(listing) => code::cell(listing, self.root.as_deref()),
                Piece::Folded(items) => code::folded(items, self.root.as_deref()),
            });
        }
        html + &results(&mut said)
    }

    /// The printed-versus-measured table.
    fn measured(&self) -> String {
        if self.comparisons.is_empty() {
            return String::new();
        }
        let mut rows = String::new();
        let mut section = String::new();
        for row in self.comparisons.iter().map(Row::new) {
            if row.section != section {
                section.clone_from(&row.section);
                rows.push_str(&format!("<tr class=\"group\"><th colspan=\"4\">{}</th></tr>\n", inline(&section)));
            }
            rows.push_str(&comparison(&row));
        }
        format!(
            "<h2 id=\"measured\">Printed and measured</h2>\n\
             <p>Every figure that the source prints, beside the figure that this run measured: {}.</p>\n\
             <div class=\"wide\"><table class=\"measured\">\n<thead><tr><th>What</th><th class=\"n\">Printed</th>\
             <th class=\"n\">Measured</th><th>Verdict</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n",
            Count::of(self.comparisons).words(),
        )
    }

    fn reached(&self) -> String {
        if self.targets.is_empty() {
            return String::new();
        }
        let items = self.targets.iter().map(|target| {
            let (mood, mark) = if target.met() { ("good", "✓") } else { ("bad", "✗") };
            format!("<li><span class=\"verdict {mood}\">{mark}</span> {}</li>\n", escape(&target.words()))
        });
        format!("<h3>Targets</h3>\n<ul class=\"targets\">\n{}</ul>\n", items.collect::<String>())
    }
}

/// Lines of results, which are taken, in one block.
fn results(said: &mut Vec<&str>) -> String {
    if said.is_empty() {
        return String::new();
    }
    let lines = std::mem::take(said).join("\n");
    let lines: Vec<String> = lines.trim_matches('\n').lines().map(result).collect();
    format!("<pre>{}</pre>\n", lines.join("\n"))
}

/// A line of results. One whose columns are aligned by spaces is not to be broken.
fn result(line: &str) -> String {
    let text = escape(line);
    if line.trim().contains("   ") { format!("<span class=\"row\">{text}</span>") } else { text }
}

fn block_html(block: &Block, sections: &mut usize) -> String {
    match block {
        Block::Section(title) => {
            *sections += 1;
            format!("<h2 id=\"s{sections}\">{}</h2>\n", inline(title))
        }
        Block::Text(text) => prose(text),
        Block::Explorer { caption, html } => {
            format!("<figure>\n{html}<figcaption>{}</figcaption>\n</figure>\n", inline(caption))
        }
        Block::Said(lines) => results(&mut lines.iter().map(String::as_str).collect()),
        Block::Figure { name, caption, drawing, size } => figure(name, caption, drawing, *size),
        Block::Table(table) => text_table(table),
        Block::Passages(passages) => passages.iter().map(Passage::html).collect(),
        Block::Note(text) => format!("<p class=\"callout\">{}</p>\n", escape(text)),
    }
}

fn comparison(row: &Row) -> String {
    let (mood, mark) = match row.mood {
        Mood::Good => ("good", "✓"),
        Mood::Mixed => ("mixed", "≈"),
        Mood::Bad => ("bad", "✗"),
        Mood::Neutral => ("neutral", "–"),
    };
    let note = match row.note.as_str() {
        "" => String::new(),
        note => format!("<div class=\"note\">{}</div>", inline(note)),
    };
    let details = row.details.iter().map(|cells| {
        let [printed, shown, verdict] = cells.each_ref().map(|cell| escape(cell));
        format!("<tr><td class=\"n\">{printed}</td><td class=\"n\">{shown}</td><td>{verdict}</td></tr>")
    });
    let details = match row.details.len() {
        0 => String::new(),
        n => format!(
            "<tr class=\"all\"><td colspan=\"4\"><details><summary>all {n} figures</summary><table><thead><tr>\
             <th class=\"n\">Printed</th><th class=\"n\">Measured</th><th>Verdict</th></tr></thead>\
             <tbody>{}</tbody></table></details></td></tr>\n",
            details.collect::<String>()
        ),
    };
    format!(
        "<tr><td>{}{note}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
         <td><span class=\"verdict {mood}\">{mark} {}</span></td></tr>\n{details}",
        inline(&row.what),
        escape(&row.printed),
        escape(&row.shown),
        escape(&row.verdict),
    )
}

fn figure(name: &str, caption: &str, drawing: &Drawing, (width, height): (u32, u32)) -> String {
    let drawing = match drawing {
        // Only the drawing: a page has no place for an XML declaration.
        Drawing::Svg(svg) => String::from(svg.find("<svg").map_or("", |start| &svg[start..])),
        Drawing::Png(png) => format!(
            "<img src=\"data:image/png;base64,{}\" width=\"{width}\" height=\"{height}\" alt=\"{}\">",
            BASE64.encode(png),
            escape(caption)
        ),
    };
    let broad = if width > TEXT { format!(" class=\"broad\" style=\"--drawn:{width}\"") } else { String::new() };
    format!(
        "<figure id=\"fig-{}\"{broad}>\n<div class=\"frame\">{drawing}</div>\n<figcaption>{}</figcaption>\n</figure>\n",
        escape(name),
        inline(caption)
    )
}

fn text_table(table: &Table) -> String {
    let numeric = table.numeric();
    let class = |i: usize, cell: &str| match numeric.get(i) {
        Some(true) => " class=\"n\"",
        _ if cell.chars().count() > LONG => " class=\"long\"",
        _ => "",
    };
    let cells = |tag: &str, cells: &[String]| -> String {
        cells.iter().enumerate().map(|(i, cell)| format!("<{tag}{}>{}</{tag}>", class(i, cell), escape(cell))).collect()
    };
    let rows = table.rows.iter().map(|row| format!("<tr>{}</tr>\n", cells("td", row)));
    // A table of many epochs scrolls in a window of its own.
    let tall = if table.rows.len() > TALL { " tall\" tabindex=\"0" } else { "" };
    format!(
        "<div class=\"wide{tall}\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
        cells("th", &table.headers),
        rows.collect::<String>()
    )
}
