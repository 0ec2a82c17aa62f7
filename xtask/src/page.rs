//! The overview page: one card for each chapter. It needs no network and no script.

use serde_json::Value;

use crate::results::{Comparison, Verdicts};
use crate::run_all::{Run, Status};

/// More figures than this make a card unreadable; the chapter's report has them all.
const MOST_METRICS: usize = 6;

pub(crate) fn page(runs: &[Run]) -> String {
    let ok = runs.iter().filter(|run| run.status == Status::Ok).count();
    let seconds: f64 = runs.iter().map(|run| run.seconds).sum();
    let quick = if runs.iter().any(|run| run.results.as_ref().is_some_and(|results| results.quick)) {
        ", quick runs on small data: their figures are not the chapters' best"
    } else {
        ""
    };
    let cards: String = runs.iter().map(card).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Tallow: results</title>\n\
         <style>{STYLE}</style>\n<header><h1>Tallow</h1>\n\
         <p>{ok} of {} chapters ran well, in {}{quick}</p></header>\n<main>\n{cards}</main>\n</html>\n",
        runs.len(),
        duration(seconds)
    )
}

fn card(run: &Run) -> String {
    let (class, status) = match &run.status {
        Status::Ok => ("ok", "ok".to_string()),
        Status::TargetMissed => ("missed", "target missed".to_string()),
        Status::Failed(why) => ("failed", format!("failed: {why}")),
    };
    let results = run.results.clone().unwrap_or_default();
    let title = if results.title.is_empty() { &run.chapter } else { &results.title };
    let mut body = String::new();
    if !results.data.is_empty() {
        body += &format!("<p class=\"data\">{}</p>\n", escape(&results.data.join("; ")));
    }
    body += &verdicts(&results.verdicts());
    let metrics: String = results
        .metrics
        .iter()
        .filter_map(|(name, value)| Some((name, number(value)?)))
        .take(MOST_METRICS)
        .map(|(name, value)| format!("<dt>{}</dt><dd>{value}</dd>", escape(&name.replace('_', " "))))
        .collect();
    if !metrics.is_empty() {
        body += &format!("<dl>{metrics}</dl>\n");
    }
    body += &figures(&results.comparisons);
    body += &match run.report {
        true => format!("<p><a href=\"{}/report.html\">Read the report</a></p>\n", escape(&run.chapter)),
        false => "<p class=\"data\">It left no report.</p>\n".to_string(),
    };
    format!(
        "<section>\n<h2>{}</h2>\n<p><span class=\"badge {class}\">{}</span> <code>{}</code> {}</p>\n{body}</section>\n",
        escape(title),
        escape(&status),
        escape(&run.chapter),
        duration(run.seconds)
    )
}

/// A bar of the verdicts and the counts in words, so that colour is not the only bearer.
fn verdicts(count: &Verdicts) -> String {
    if count.total() == 0 {
        return String::new();
    }
    let part = |n: usize, class: &str| match n {
        0 => String::new(),
        n => format!("<i class=\"{class}\" style=\"flex:{n}\"></i>"),
    };
    let bar = [
        part(count.better, "better"),
        part(count.as_good, "good"),
        part(count.worse, "worse"),
        part(count.other, "other"),
    ];
    let words = format!("{} printed figures: {count}", count.total());
    format!("<div class=\"bar\">{}</div>\n<p class=\"data\">{words}</p>\n", bar.concat())
}

/// Every printed figure beside ours, folded.
fn figures(comparisons: &[Comparison]) -> String {
    if comparisons.is_empty() {
        return String::new();
    }
    let row = |c: &Comparison| {
        let cell = |text: &str| format!("<td>{}</td>", escape(text));
        let what = format!("<td title=\"{}\">{}</td>", escape(&c.note), escape(&c.what));
        format!("<tr>{what}{}</tr>\n", [&c.printed, &c.shown, &c.verdict].map(|text| cell(text)).concat())
    };
    let rows: String = comparisons.iter().map(row).collect();
    format!(
        "<details><summary>Printed and measured</summary>\n<table>\n<tr><th>what</th><th>printed</th><th>measured</th>\
         <th>verdict</th></tr>\n{rows}</table></details>\n"
    )
}

/// Numbers as a reader wants them: four digits that matter. Other values are not for a card.
fn number(value: &Value) -> Option<String> {
    let number = value.as_f64()?;
    if value.is_i64() || value.is_u64() {
        return Some(value.to_string());
    }
    let whole = number.abs().log10().floor().max(0.0) as usize;
    Some(format!("{number:.0$}", 4usize.saturating_sub(whole)))
}

/// `0.8 s`, `12 s`, `3 min 20 s`.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        ..10.0 => format!("{seconds:.1} s"),
        10.0..60.0 => format!("{seconds:.0} s"),
        _ => {
            let whole = seconds.round() as u64;
            format!("{} min {} s", whole / 60, whole % 60)
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #22201c; --dim: #6b665e; --paper: #faf8f4; --card: #fff; --line: #e4dfd6;
  --better: #1a7f5a; --good: #6fb58f; --worse: #c4532d; --other: #b9b3a8; --link: #1f5f99; }
@media (prefers-color-scheme: dark) { :root { --ink: #ece8e1; --dim: #a39d93; --paper: #191816; --card: #23211e;
  --line: #3a3732; --better: #3fb488; --good: #2f7d5e; --worse: #e0764f; --other: #6d675f; --link: #7fb6e6; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1.25rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 2rem; letter-spacing: -.02em; } header p, .data { color: var(--dim); }
main { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem 1.5rem; }
h2 { margin: 0 0 .5rem; font-size: 1.2rem; } p { margin: .5rem 0; } .data { font-size: .9rem; }
.badge { border-radius: 1rem; padding: .1rem .6rem; font-size: .85rem; color: #fff; background: var(--worse); }
.badge.ok { background: var(--better); } .badge.missed { background: #96690a; }
.bar { display: flex; gap: 2px; height: .6rem; border-radius: .3rem; overflow: hidden; margin-top: 1rem; }
.better { background: var(--better); } .good { background: var(--good); } .worse { background: var(--worse); }
.other { background: var(--other); }
dl { display: grid; grid-template-columns: 1fr auto; gap: .15rem 1rem; margin: 1rem 0; font-size: .95rem; }
dt { color: var(--dim); } dd { margin: 0; font-variant-numeric: tabular-nums; text-align: right; }
a { color: var(--link); }
details { max-height: 26rem; overflow: auto; } summary { cursor: pointer; color: var(--link); }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .1rem .6rem .1rem 0; border-bottom: 1px solid var(--line); }
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_for_readers() {
        let shown = |text: &str| number(&serde_json::from_str(text).unwrap());
        assert_eq!(shown("0.9168333").unwrap(), "0.9168");
        assert_eq!(shown("12396").unwrap(), "12396");
        assert_eq!(shown("123.456789").unwrap(), "123.46");
        assert_eq!(shown("0.0").unwrap(), "0.0000");
        assert_eq!(shown("\"text\""), None);
        assert_eq!([duration(0.84), duration(12.3), duration(200.0)], ["0.8 s", "12 s", "3 min 20 s"]);
    }

    #[test]
    fn what_comes_from_a_chapter_is_escaped() {
        let run = Run {
            chapter: "ch01_a".into(),
            status: Status::Failed("<b>".into()),
            seconds: 1.0,
            results: serde_json::from_str(
                r#"{"title": "<script>", "data": ["a & b"],
                "comparisons": [{"what": "x < y", "printed": "0.95", "shown": "0.96", "verdict": "better"}]}"#,
            )
            .unwrap(),
            report: false,
        };
        let page = page(&[run]);
        assert!(page.contains("<h2>&lt;script&gt;</h2>") && page.contains("failed: &lt;b&gt;"), "{page}");
        assert!(page.contains("x &lt; y</td><td>0.95</td><td>0.96</td><td>better</td>"), "{page}");
        assert!(page.contains("a &amp; b") && page.contains("0 of 1 chapters ran well"), "{page}");
    }
}
