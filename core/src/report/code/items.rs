//! The items of a source file and the statements of its functions, told by their tokens: enough for code that rustfmt
//! has laid out, and no parser.

use super::tokens::{Kind, Token};
use std::ops::Range;

/// A function, a type, an `impl` block or a constant. Lines count from 0, and `last` is the item's own.
#[derive(Debug)]
pub(super) struct Item {
    /// Its name; that of the type for an `impl` block.
    pub(super) name: String,
    /// The first line, with documentation and attributes.
    pub(super) first: usize,
    pub(super) last: usize,
    /// The statements of a function.
    pub(super) statements: Vec<Statement>,
    pub(super) is_function: bool,
}

/// A statement of a function's body, with the comments before it.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) first: usize,
    pub(super) last: usize,
    /// The lines that a reader is to see: without those that report to the run.
    pub(super) shown: Vec<usize>,
    /// The names in those lines.
    pub(super) names: Vec<String>,
}

/// What reports to a run, and is not the subject of a chapter.
const REPORTS: [&str; 22] = [
    "section",
    "text",
    "say",
    "figure",
    "table",
    "class_table",
    "note",
    "data",
    "check",
    "check_with_note",
    "compare",
    "compare_with_note",
    "compare_series",
    "add",
    "metric",
    "target",
    "detail",
    "settings",
    "file",
    "artifact",
    "history",
    "explorer",
];

/// Variables that only serve reports.
const REPORTED: [&str; 2] = ["caption", "printed"];

/// The items of a file.
pub(super) fn items(tokens: &[Token<'_>]) -> Vec<Item> {
    let mut items = Vec::new();
    let mut at = 0;
    while let Some(start) = (at..tokens.len()).find(|&i| begins_item(&tokens[i])) {
        let (keyword, end) = (keyword(tokens, start), end_of_item(tokens, start));
        at = end;
        let Some(keyword) = keyword.filter(|&i| i < end) else { continue };
        let Some(name) = name(&tokens[keyword..end]) else { continue };
        let is_function = tokens[keyword].text == "fn";
        let body = (keyword..end).find(|&i| tokens[i].text == "{").filter(|_| is_function);
        let statements = body.map_or_else(Vec::new, |open| statements(tokens, open + 1..end - 1));
        let (first, last) = (tokens[start].line, tokens[end - 1].last_line());
        items.push(Item { name, first, last, statements, is_function });
    }
    items
}

/// Documentation belongs to the item after it, other comments to none.
fn begins_item(token: &Token<'_>) -> bool {
    token.is_code() || (token.text.starts_with("///") && !token.text.starts_with("////"))
}

/// The word that says what kind of item begins at `start`.
fn keyword(tokens: &[Token<'_>], start: usize) -> Option<usize> {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(start) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            Kind::Ident if depth == 0 && !matches!(token.text, "pub" | "async" | "unsafe") => {
                let is_qualifier = token.text == "const" && next_code(tokens, i + 1).is_some_and(|t| t.text == "fn");
                if !is_qualifier {
                    return Some(i);
                }
            }
            _ => (),
        }
    }
    None
}

/// The token after the last one of the item that begins at `start`.
fn end_of_item(tokens: &[Token<'_>], start: usize) -> usize {
    let ends_with_brace = |keyword: usize| !matches!(tokens[keyword].text, "const" | "static" | "use" | "type" | "let");
    let braces = keyword(tokens, start).is_some_and(ends_with_brace);
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(start) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth -= 1;
                if depth == 0 && token.text == "}" && braces {
                    return i + 1;
                }
            }
            Kind::Semicolon if depth == 0 => return i + 1,
            _ => (),
        }
    }
    tokens.len()
}

/// The name of an item, whose first token is its keyword.
fn name(tokens: &[Token<'_>]) -> Option<String> {
    let named = match tokens[0].text {
        "fn" | "struct" | "enum" | "trait" | "const" | "static" | "type" => next_code(tokens, 1),
        "impl" => {
            let mut angles = 0;
            let head = tokens.iter().take_while(|t| t.text != "{" && t.text != "where");
            let outside = head.filter(|token| {
                angles += i32::from(token.text == "<") - i32::from(token.text == ">");
                angles == 0 && token.kind == Kind::Ident
            });
            outside.last()
        }
        _ => None,
    };
    named.filter(|token| token.kind == Kind::Ident).map(|token| token.text.to_string())
}

fn next_code<'t, 's>(tokens: &'t [Token<'s>], from: usize) -> Option<&'t Token<'s>> {
    tokens.iter().skip(from).find(|token| token.is_code())
}

/// The statements of a block, which is all between its braces.
fn statements(tokens: &[Token<'_>], block: Range<usize>) -> Vec<Statement> {
    parts(tokens, block).into_iter().map(|part| statement(tokens, part)).collect()
}

/// The statements of a block as ranges of tokens, each with the comments before it and the one on its last line.
fn parts(tokens: &[Token<'_>], block: Range<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (None, 0);
    let mut i = block.start;
    while i < block.end {
        let token = &tokens[i];
        if token.kind != Kind::Space {
            start.get_or_insert(i);
        }
        let mut ends = false;
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth -= 1;
                let begin = start.unwrap_or(i);
                ends = depth == 0 && token.text == "}" && ends_with_brace(tokens, begin, i + 1, block.end);
            }
            Kind::Semicolon => ends = depth == 0,
            _ => (),
        }
        i += 1;
        if ends {
            i = with_comment(tokens, i, block.end);
            parts.extend(start.take().map(|start| start..i));
        }
    }
    parts.extend(start.filter(|&s| tokens[s..block.end].iter().any(Token::is_code)).map(|start| start..block.end));
    parts
}

/// Whether a statement that begins at `begin` is over at the closing brace before `after`.
fn ends_with_brace(tokens: &[Token<'_>], begin: usize, after: usize, end: usize) -> bool {
    const BLOCKS: [&str; 9] = ["for", "while", "loop", "if", "match", "unsafe", "fn", "struct", "{"];
    let first = next_code(tokens, begin).map_or("", |token| token.text);
    let next = next_code(&tokens[..end], after).map_or("", |token| token.text);
    BLOCKS.contains(&first) && !["else", ".", "?"].contains(&next)
}

/// The place after a comment that stands on the line where a statement ended at `i`, or `i`.
fn with_comment(tokens: &[Token<'_>], i: usize, end: usize) -> usize {
    match &tokens[i..end] {
        [space, comment, ..] if comment.kind == Kind::Comment && !space.text.contains('\n') => i + 2,
        _ => i,
    }
}

fn statement(tokens: &[Token<'_>], part: Range<usize>) -> Statement {
    let (first, last) = (tokens[part.start].line, tokens[part.end - 1].last_line());
    let last = if tokens[part.end - 1].kind == Kind::Space { last_code_line(&tokens[part.clone()]) } else { last };
    let mut shown = Vec::new();
    if !is_report(&tokens[part.clone()]) && !is_result(&tokens[part.clone()]) {
        let hidden = reports_within(tokens, part.clone());
        shown = (first..=last).filter(|line| !hidden.iter().any(|lines| lines.contains(line))).collect();
        let left = |line: &usize| tokens[part.clone()].iter().any(|t| t.is_code() && t.line == *line);
        // A loop whose whole body reported.
        if !hidden.is_empty() && shown.iter().filter(|line| left(line)).count() <= 2 {
            shown.clear();
        }
    }
    let code: Vec<&Token<'_>> = tokens[part].iter().filter(|token| token.is_code()).collect();
    let seen = |i: &usize| shown.contains(&code[*i].line) && names_item(&code, *i);
    let names = (0..code.len()).filter(seen).map(|i| code[i].text.to_string()).collect();
    Statement { first, last, shown, names }
}

/// Whether token number `i` can be the name of an item: a type, or a function that is called or handed on. Fields,
/// methods and variables are not.
fn names_item(code: &[&Token<'_>], i: usize) -> bool {
    let next = code.get(i + 1).map_or("", |token| token.text);
    let previous = i.checked_sub(1).map_or("", |i| code[i].text);
    let is_type = code[i].text.starts_with(char::is_uppercase);
    code[i].kind == Kind::Ident && previous != "." && (is_type || matches!(next, "(" | "," | ")"))
}

fn last_code_line(tokens: &[Token<'_>]) -> usize {
    tokens.iter().filter(|token| token.kind != Kind::Space).map(Token::last_line).max().unwrap_or_default()
}

/// Whether a statement only reports to the run.
fn is_report(statement: &[Token<'_>]) -> bool {
    let words: Vec<&str> = statement.iter().filter(|token| token.is_code()).map(|token| token.text).collect();
    match words.as_slice() {
        ["s", ".", "run", ".", method, ..] | ["s", ".", method, ..] => REPORTS.contains(method),
        ["let", name, ..] => REPORTED.contains(name),
        _ => false,
    }
}

/// Whether a statement is what a section hands on at its end.
fn is_result(statement: &[Token<'_>]) -> bool {
    let mut code = statement.iter().filter(|token| token.is_code());
    code.next().is_some_and(|token| token.text == "Ok") && code.next_back().is_some_and(|token| token.text != ";")
}

/// The lines of the statements inside of blocks in this one that only report.
fn reports_within(tokens: &[Token<'_>], part: Range<usize>) -> Vec<std::ops::RangeInclusive<usize>> {
    let mut reports = Vec::new();
    for open in part.clone().filter(|&i| tokens[i].text == "{") {
        let Some(close) = closing(tokens, open).filter(|&close| close < part.end) else { continue };
        for inner in parts(tokens, open + 1..close) {
            let lines = tokens[inner.start].line..=last_code_line(&tokens[inner.clone()]);
            let alone = *lines.start() > tokens[open].line && *lines.end() < tokens[close].line;
            if alone && is_report(&tokens[inner]) {
                reports.push(lines);
            }
        }
    }
    reports
}

fn closing(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0;
    (open..tokens.len()).find(|&i| {
        depth += i32::from(tokens[i].kind == Kind::Open) - i32::from(tokens[i].kind == Kind::Close);
        depth == 0
    })
}
