//! What a chapter's README has for those who have read the page: a table for readers who come from other libraries,
//! exercises, a glossary, a questionnaire.

use super::html::{document, inline};

/// A part of the appendix: its title and its HTML.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) title: String,
    pub(crate) html: String,
}

/// The parts of a README from the heading "Coming from ..." on. In the questionnaire each answer is folded beneath its
/// question, a paragraph such as `**1. Why?**`; a smaller heading ends an answer.
pub(crate) fn appendix(readme: &str) -> Vec<Part> {
    let sections = readme.split("\n## ").skip(1).skip_while(|section| !section.starts_with("Coming from"));
    let part = |section: &str| {
        let (title, text) = section.split_once('\n').unwrap_or((section, ""));
        let html = if title.trim() == "Questionnaire" { folded(text) } else { document(text) };
        Part { title: title.trim().to_string(), html }
    };
    sections.map(part).collect()
}

fn folded(text: &str) -> String {
    let mut html = String::new();
    let (mut question, mut answer) = (None, String::new());
    for paragraph in text.split("\n\n").map(|paragraph| paragraph.trim_matches('\n')) {
        match asked(paragraph) {
            Some(next) => {
                html.push_str(&answered(question.replace(next), &std::mem::take(&mut answer)));
            }
            None if paragraph.starts_with("###") => {
                html.push_str(&answered(question.take(), &std::mem::take(&mut answer)));
                answer.extend([paragraph, "\n\n"]);
            }
            None => answer.extend([paragraph, "\n\n"]),
        }
    }
    html + &answered(question, &answer)
}

/// The question, if a paragraph is one.
fn asked(paragraph: &str) -> Option<&str> {
    let question = paragraph.strip_prefix("**")?.strip_suffix("**")?;
    question.starts_with(|c: char| c.is_ascii_digit()).then_some(question)
}

/// A question with its answer; what stands before the first question is not an answer.
fn answered(question: Option<&str>, answer: &str) -> String {
    match question {
        None => document(answer),
        Some(question) => format!(
            "<details class=\"answer\"><summary>{}</summary>\n{}</details>\n",
            inline(question),
            document(answer)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_folded_beneath_their_questions() {
        let readme = "# Title\n\n## Run it\n\ntext\n\n## Coming from PyTorch\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n\
                      ## Questionnaire\n\nTry first.\n\n**1. What is\n`x`?**\n\n\
                      A *number*.\n\nTwo.\n\n**2. Why?**\n\nSo.\n\n### Research\n\nRead.\n";
        let parts = appendix(readme);
        let titles: Vec<&str> = parts.iter().map(|part| part.title.as_str()).collect();
        assert_eq!(titles, ["Coming from PyTorch", "Questionnaire"]);
        assert!(parts[0].html.contains("<td>2</td>"), "{}", parts[0].html);
        assert_eq!(
            parts[1].html,
            "<p>Try first.</p>\n\
             <details class=\"answer\"><summary>1. What is <code>x</code>?</summary>\n\
             <p>A <em>number</em>.</p>\n<p>Two.</p>\n</details>\n\
             <details class=\"answer\"><summary>2. Why?</summary>\n<p>So.</p>\n</details>\n\
             <h3>Research</h3>\n<p>Read.</p>\n"
        );
    }
}
