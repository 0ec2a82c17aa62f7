//! Texts with coloured words, for the page and the terminal.

use super::html::escape;
use crate::text::{visible, visible_line};

/// A text whose words are coloured by what they do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Passage {
    /// What the text is: where it comes from, and what is thought of it.
    pub heading: String,
    /// Its words in order, each with the space before it.
    pub words: Vec<PassageWord>,
    /// What the colours show, in a sentence: for readers who do not see them, and for the terminal.
    pub summary: String,
}

/// A word of a [`Passage`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PassageWord {
    /// The word, with the space before it.
    pub text: String,
    /// What it does, from -1 (against) to 1 (for); 0 has no colour.
    pub weight: f64,
    /// The same in words and numbers, which appear under a pointer.
    pub title: String,
}

/// A text of this many bytes does not stand on the page at its full height.
const TALL: usize = 1500;

/// Words that do less than this are not coloured.
const FAINTEST: f64 = 0.03;

impl Passage {
    /// The lines of the terminal.
    pub(super) fn lines(&self) -> Vec<String> {
        let text: String = self.words.iter().map(|word| word.text.as_str()).collect();
        let (heading, text) = (visible_line(&self.heading), visible(&beginning(&text)).into_owned());
        [heading.into_owned(), indented(&text), indented(&self.summary)]
            .into_iter()
            .filter(|line| !line.trim().is_empty())
            .collect()
    }

    pub(super) fn html(&self) -> String {
        let summary = match self.summary.as_str() {
            "" => String::new(),
            summary => format!("<p class=\"note\">{}</p>\n", escape(summary)),
        };
        // A long text scrolls in a window of its own.
        let tall =
            if self.words.iter().map(|word| word.text.len()).sum::<usize>() > TALL { " tabindex=\"0\"" } else { "" };
        format!(
            "<figure class=\"passage\">\n<figcaption>{}</figcaption>\n<blockquote{tall}>{}</blockquote>\n{summary}\
             </figure>\n",
            escape(&self.heading),
            self.words.iter().map(PassageWord::html).collect::<String>().trim_start()
        )
    }
}

impl PassageWord {
    fn html(&self) -> String {
        let word = self.text.trim_start();
        let space = &self.text[..self.text.len() - word.len()];
        let strength = if self.weight.is_finite() { self.weight.abs().min(1.0) } else { 0.0 };
        if strength < FAINTEST || word.is_empty() {
            return escape(&self.text);
        }
        let side = if self.weight > 0.0 { "for" } else { "against" };
        let (title, word) = (escape(&self.title), escape(word));
        format!("{space}<mark class=\"{side}\" style=\"--w:{strength:.2}\" title=\"{title}\">{word}</mark>")
    }
}

/// As much of a text as a terminal shows.
fn beginning(text: &str) -> String {
    const MOST: usize = 400;
    if text.chars().count() <= MOST { text.to_string() } else { text.chars().take(MOST).chain(['…']).collect() }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_coloured_and_said() {
        let word =
            |text: &str, weight: f64| PassageWord { text: text.into(), weight, title: format!("{weight} \"for\"") };
        let passage = Passage {
            heading: "line 3 <b>".into(),
            words: vec![word("A", 0.0), word(" <dull>", 0.5), word(" film", -2.0), word(".", f64::NAN)],
            summary: "for neg: dull 0.5".into(),
        };
        let html = passage.html();
        assert!(html.contains("line 3 &lt;b&gt;") && html.contains("<p class=\"note\">for neg"), "{html}");
        let blue = "<mark class=\"for\" style=\"--w:0.50\" title=\"0.5 &quot;for&quot;\">&lt;dull&gt;</mark>";
        let orange = "<mark class=\"against\" style=\"--w:1.00\" title=\"-2 &quot;for&quot;\">film</mark>";
        let text = format!("<blockquote>A {blue} {orange}.</blockquote>");
        assert!(html.contains(&text), "{html}");
        assert_eq!(passage.lines(), ["line 3 <b>", "  A <dull> film.", "  for neg: dull 0.5"]);
    }
}
