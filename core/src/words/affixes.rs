//! What is split off a word's ends, and where it is split inside: the rules of spaCy's English tokenizer.

use super::characters::{is_icon, is_lower, is_upper};
use std::ops::Range;

const PUNCTUATION: &str = "…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪";

const QUOTES: &str = "'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉〈〉⟦⟧";

/// What may come before a number, and after it.
const CURRENCIES: [&str; 40] = [
    "US$", "C$", "A$", "$", "£", "€", "¥", "฿", "₽", "﷼", "₴", "₠", "₡", "₢", "₣", "₤", "₥", "₦", "₧", "₨", "₩", "₪",
    "₫", "₭", "₮", "₯", "₰", "₱", "₲", "₳", "₵", "₶", "₷", "₸", "₹", "₺", "₻", "₼", "₾", "₿",
];

/// What may come after a number. (`тбكم` is one unit in spaCy: two lists that ran into each other.)
const UNITS: &str = "km km² km³ m m² m³ dm dm² dm³ cm cm² cm³ mm mm² mm³ ha µm nm yd in ft kg g mg µg t lb oz m/s \
    km/h kmh mph hPa Pa mbar mb MB kb KB gb GB tb TB T G M K % км км² км³ м м² м³ дм дм² дм³ см см² \
    см³ мм мм² мм³ нм кг г мг м/с км/ч кПа Па мбар Кб КБ кб Мб МБ мб Гб ГБ гб Тб ТБ тбكم كم² كم³ م \
    م² م³ سم سم² سم³ مم مم² مم³ كم غرام جرام جم كغ ملغ كوب اكواب";

/// In the order in which they are tried.
const HYPHENS: [&str; 7] = ["-", "–", "—", "--", "---", "——", "~"];

/// The length in bytes of what is split off at the front; 0 if nothing is.
pub(super) fn prefix(word: &str) -> usize {
    let mut chars = word.chars();
    let Some(c) = chars.next() else { return 0 };
    if c.is_ascii_alphanumeric() && !"UCA".contains(c) {
        return 0;
    }
    let is_plus = c == '+' && !chars.next().is_some_and(|next| next.is_ascii_digit());
    if is_plus || "§%=—–".contains(c) || is_mark(c) || is_icon(c) {
        return c.len_utf8();
    }
    if word.starts_with("..") {
        return dots(word);
    }
    CURRENCIES.iter().find(|currency| word.starts_with(**currency)).map_or(0, |currency| currency.len())
}

/// The length in bytes of what is split off at the end: the longest ending of all that fit, 0 if none does.
pub(super) fn suffix(word: &str) -> usize {
    let mut back = word.chars().rev();
    let Some(c) = back.next() else { return 0 };
    let (before, third) = (back.next(), back.next());
    let before_is = |is: &dyn Fn(char) -> bool| before.is_some_and(is);
    let mut longest = if is_mark(c) || "—–".contains(c) || is_icon(c) { c.len_utf8() } else { 0 };
    if word.ends_with("……") {
        longest = "……".len();
    }
    if c == '.' {
        let n = word.len() - word.trim_end_matches('.').len();
        let ends_sentence = before_is(&|b| b.is_ascii_digit() || is_lower(b) || "|%²-+".contains(b) || is_mark(b));
        let ends_capitals = before_is(&is_upper) && third.is_some_and(is_upper);
        let ends_degrees = third == Some('°') && before_is(&|b| "FfCcKk".contains(b));
        if n >= 2 {
            longest = longest.max(n);
        }
        if ends_sentence || ends_capitals || ends_degrees {
            longest = longest.max(1);
        }
    }
    if let ('s' | 'S', Some(quote @ ('\'' | '’'))) = (c, before) {
        longest = longest.max(quote.len_utf8() + 1);
    }
    if c == '+' && before_is(&|b| b.is_ascii_digit()) {
        longest = longest.max(1);
    }
    // Units and currencies hold no digits, so one that follows a number is all that follows the last digit. None has
    // more than five characters.
    let digit = word.char_indices().rev().take(6).find(|(_, c)| c.is_ascii_digit());
    if let Some(unit) = digit.map(|(at, _)| &word[at + 1..]).filter(|unit| !unit.is_empty())
        && (UNITS.split(' ').any(|known| known == unit) || CURRENCIES.contains(&unit))
    {
        longest = longest.max(unit.len());
    }
    longest
}

/// Where a word is split inside: what stands there is a token of its own.
pub(super) fn infixes(word: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if word.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return found;
    }
    let mut before = None;
    let mut at = 0;
    while let Some(c) = word[at..].chars().next() {
        let length = infix(before, &word[at..], c);
        if length > 0 {
            found.push(at..at + length);
        }
        let end = at + length.max(c.len_utf8());
        before = word[at..end].chars().next_back();
        at = end;
    }
    found
}

/// The length in bytes of the infix that `rest`, whose first character is `c`, begins with.
fn infix(before: Option<char>, rest: &str, c: char) -> usize {
    if rest.starts_with("..") {
        return dots(rest);
    }
    if c == '…' || is_icon(c) {
        return c.len_utf8();
    }
    let (Some(before), Some(next)) = (before, rest[c.len_utf8()..].chars().next()) else { return 0 };
    let is_letter = char::is_alphabetic;
    let splits = match c {
        '+' | '-' | '*' | '^' if before.is_ascii_digit() && (next.is_ascii_digit() || next == '-') => true,
        '.' => (is_lower(before) || is_quote(before)) && (is_upper(next) || is_quote(next)),
        ',' => is_letter(before) && is_letter(next),
        _ => false,
    };
    if splits {
        return 1;
    }
    if !(is_letter(before) || before.is_ascii_digit()) {
        return 0;
    }
    let splits_letters = |hyphen: &&&str| rest.strip_prefix(**hyphen).is_some_and(|rest| rest.starts_with(is_letter));
    match HYPHENS.iter().find(splits_letters) {
        Some(hyphen) => hyphen.len(),
        None => usize::from(":<>=/".contains(c) && is_letter(next)),
    }
}

fn is_mark(c: char) -> bool {
    !c.is_ascii_alphanumeric() && (PUNCTUATION.contains(c) || QUOTES.contains(c))
}

fn is_quote(c: char) -> bool {
    QUOTES.contains(c)
}

/// How many dots a text begins with.
fn dots(text: &str) -> usize {
    text.len() - text.trim_start_matches('.').len()
}
