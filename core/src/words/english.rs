//! English words: the tokens of spaCy's blank English pipeline.

use super::affixes::{infixes, prefix, suffix};
use super::characters::is_space;
use super::special::SPECIAL;
use super::url::is_url;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Splits an English text into words and marks as spaCy 3.8's `blank("en")` does: `don't` becomes `do` and `n't`,
/// `well-known` three tokens; `Mr.`, `:-)` and `www.fast.ai` stay whole. A space between two tokens is dropped, any
/// other white space is a token of its own.
///
/// ```
/// let tokens = tallow::words::english_tokens("It's well-known (don't ask).");
/// assert_eq!(tokens, ["It", "'s", "well", "-", "known", "(", "do", "n't", "ask", ")", "."]);
/// ```
pub fn english_tokens(text: &str) -> Vec<&str> {
    let mut tokens = split(text, &EXCEPTIONS.pieces);
    EXCEPTIONS.restore(text, &mut tokens);
    tokens.into_iter().map(|(start, end)| &text[start..end]).collect()
}

/// Where a token begins and ends in its text.
type Span = (usize, usize);

/// Words that are split in another way than the rules say, or not at all: the lengths of their pieces.
type Pieces = HashMap<String, Vec<usize>>;

/// No exception has more bytes.
const LONGEST: usize = 40;

fn split(text: &str, exceptions: &Pieces) -> Vec<Span> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let is_blank = is_space(first);
        let length = text[start..].find(|c| is_space(c) != is_blank).unwrap_or(text.len() - start);
        let end = start + length;
        if is_blank {
            // One space belongs to the token before it.
            let start = start + usize::from(start > 0 && first == ' ');
            if start < end {
                tokens.push((start, end));
            }
        } else {
            split_word(text, (start, end), exceptions, &mut tokens);
        }
        start = end;
    }
    tokens
}

/// Splits what stands between white space: marks off its ends, until it is an exception or nothing more comes off, and
/// then inside.
fn split_word(text: &str, (mut start, mut end): Span, exceptions: &Pieces, tokens: &mut Vec<Span>) {
    let is_exception = |start: usize, end: usize| end - start <= LONGEST && exceptions.contains_key(&text[start..end]);
    let mut endings = Vec::new();
    while start < end && !is_exception(start, end) {
        let front = prefix(&text[start..end]);
        if front > 0 && is_exception(start + front, end) {
            tokens.push((start, start + front));
            start += front;
            break;
        }
        let back = suffix(&text[start + front..end]);
        if back > 0 && is_exception(start, end - back) {
            endings.push((end - back, end));
            end -= back;
            break;
        }
        if front + back == 0 {
            break;
        }
        if front > 0 {
            tokens.push((start, start + front));
        }
        if back > 0 {
            endings.push((end - back, end));
        }
        (start, end) = (start + front, end - back);
    }
    let word = &text[start..end];
    if let Some(pieces) = exceptions.get(word) {
        push_pieces(start, pieces, tokens);
    } else if is_url(word) {
        tokens.push((start, end));
    } else {
        let mut from = start;
        // One at the very beginning splits nothing.
        for infix in infixes(word).into_iter().filter(|infix| infix.start > 0) {
            let (infix_start, infix_end) = (start + infix.start, start + infix.end);
            if infix_start > from {
                tokens.push((from, infix_start));
            }
            tokens.push((infix_start, infix_end));
            from = infix_end;
        }
        if from < end {
            tokens.push((from, end));
        }
    }
    tokens.extend(endings.into_iter().rev());
}

fn push_pieces(start: usize, pieces: &[usize], tokens: &mut Vec<Span>) {
    let mut at = start;
    for length in pieces {
        tokens.push((at, at + length));
        at += length;
    }
}

/// spaCy's table of exceptions.
struct Exceptions {
    pieces: Pieces,
    /// Those that the rules take apart, such as `:-)`, by the first token that the rules make of them.
    taken_apart: HashMap<String, Vec<TakenApart>>,
}

struct TakenApart {
    /// The tokens that the rules make of it.
    tokens: Vec<String>,
    exception: String,
}

static EXCEPTIONS: LazyLock<Exceptions> = LazyLock::new(|| {
    // The file has one in a line, its pieces with blanks between them.
    let lines = include_str!("exceptions.txt").lines().chain(SPECIAL);
    let pieces: Pieces =
        lines.map(|line| (line.replace(' ', ""), line.split(' ').map(str::len).collect::<Vec<usize>>())).collect();
    let mut taken_apart: HashMap<String, Vec<TakenApart>> = HashMap::new();
    let none = Pieces::new();
    for exception in pieces.keys() {
        if prefix(exception) > 0 || suffix(exception) > 0 || !infixes(exception).is_empty() {
            let spans = split(exception, &none);
            let tokens: Vec<String> = spans.into_iter().map(|(start, end)| exception[start..end].to_string()).collect();
            let part = TakenApart { tokens, exception: exception.clone() };
            taken_apart.entry(part.tokens[0].clone()).or_default().push(part);
        }
    }
    Exceptions { pieces, taken_apart }
});

impl Exceptions {
    /// Puts exceptions together again that have been taken apart since something else was attached to them: the longest
    /// first, of equally long ones the first.
    fn restore(&self, text: &str, tokens: &mut Vec<Span>) {
        let mut found: Vec<(usize, usize, &str)> = Vec::new();
        for (i, &(start, end)) in tokens.iter().enumerate() {
            for part in self.taken_apart.get(&text[start..end]).into_iter().flatten() {
                let n = part.tokens.len();
                let same = |(span, token): (&Span, &String)| text[span.0..span.1] == **token;
                if i + n <= tokens.len() && tokens[i..i + n].iter().zip(&part.tokens).all(same) {
                    found.push((n, i, &part.exception));
                }
            }
        }
        found.sort_by_key(|&(n, i, _)| (std::cmp::Reverse(n), i));
        let mut is_used = vec![false; if found.is_empty() { 0 } else { tokens.len() }];
        let mut restored: HashMap<usize, (usize, &[usize])> = HashMap::new();
        for (n, i, exception) in found {
            if is_used[i..i + n].contains(&true) {
                continue;
            }
            is_used[i..i + n].fill(true);
            // Only if no white space is between them.
            if &text[tokens[i].0..tokens[i + n - 1].1] == exception {
                restored.insert(i, (n, &self.pieces[exception]));
            }
        }
        if restored.is_empty() {
            return;
        }
        let (mut out, mut i) = (Vec::with_capacity(tokens.len()), 0);
        while i < tokens.len() {
            match restored.get(&i) {
                Some(&(n, pieces)) => {
                    push_pieces(tokens[i].0, pieces, &mut out);
                    i += n;
                }
                None => {
                    out.push(tokens[i]);
                    i += 1;
                }
            }
        }
        *tokens = out;
    }
}
