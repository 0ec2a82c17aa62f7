//! Inputs made of others.

use tallow::rng::Rng;

/// Numbers at which programs break, in both byte orders and as text.
const NUMBERS: [u64; 12] =
    [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, u64::MAX];
const WORDS: [&str; 18] = [
    "-1",
    "1e999",
    "NaN",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "..",
    "/",
    "\\",
    "\0",
    "\u{202e}",
    "99999999999999999999",
    "0.1",
    "\r\n",
    ",",
    "\u{feff}",
];

/// One of `seeds`, changed in up to four places; `tokens` are words of the format.
pub fn mutate(seeds: &[Vec<u8>], tokens: &[&[u8]], rng: &mut Rng) -> Vec<u8> {
    let Some(seed) = seeds.get(rng.below(seeds.len().max(1))) else { return Vec::new() };
    let mut input = seed.clone();
    for _ in 0..=rng.below(4) {
        change(&mut input, seeds, tokens, rng);
    }
    input.truncate(1 << 20);
    input
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], tokens: &[&[u8]], rng: &mut Rng) {
    let at = rng.below(input.len() + 1);
    match rng.below(11) {
        0 => input.truncate(at),
        1 => replace(input, at, 1, &[rng.below(256) as u8]),
        2 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << rng.below(8);
            }
        }
        3 => {
            // A number in place of one.
            let (number, size) = (NUMBERS[rng.below(NUMBERS.len())], [1, 2, 4, 8][rng.below(4)]);
            let bytes =
                if rng.below(2) == 0 { number.to_le_bytes() } else { (number << (64 - 8 * size)).to_be_bytes() };
            replace(input, at, size, &bytes[..size]);
        }
        4 => {
            let end = at + rng.below(input.len() - at + 1).min(64);
            input.drain(at..end);
        }
        5 => {
            // A part of it once more.
            let from = rng.below(input.len() + 1);
            let part = input[from..(from + rng.below(64)).min(input.len())].to_vec();
            replace(input, at, 0, &part);
        }
        6 => {
            // The end of another one.
            let other = &seeds[rng.below(seeds.len())];
            input.truncate(at);
            input.extend(&other[rng.below(other.len() + 1)..]);
        }
        7 if !tokens.is_empty() => replace(input, at, rng.below(5), tokens[rng.below(tokens.len())]),
        8 => replace(input, at, rng.below(5), WORDS[rng.below(WORDS.len())].as_bytes()),
        9 => another_number(input, at, rng),
        _ => {
            for byte in input.iter_mut().skip(at).take(1 + rng.below(8)) {
                *byte = rng.below(256) as u8;
            }
        }
    }
}

/// Puts `new` in the place of `old` bytes.
fn replace(input: &mut Vec<u8>, at: usize, old: usize, new: &[u8]) {
    let end = (at + old).min(input.len());
    input.splice(at..end, new.iter().copied());
}

/// Puts another number in the place of the first that is written in digits behind `at`.
fn another_number(input: &mut Vec<u8>, at: usize, rng: &mut Rng) {
    let Some(begin) = input[at..].iter().position(u8::is_ascii_digit).map(|i| at + i) else { return };
    let digits = input[begin..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = NUMBERS[rng.below(NUMBERS.len())].to_string();
    replace(input, begin, digits, number.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_the_same_for_a_stream_and_differ_from_their_seeds() {
        let seeds = [b"{\"a\": 12, \"b\": [1, 2]}".to_vec(), b"0123456789".to_vec()];
        let make = |i| mutate(&seeds, &[b"\"c\":"], &mut Rng::new(7).substream(i));
        let inputs: Vec<_> = (0..2000).map(make).collect();
        assert!((0..2000).map(make).eq(inputs.iter().cloned()));
        assert!(inputs.iter().filter(|input| seeds.contains(input)).count() < 200);
        assert!(inputs.iter().any(Vec::is_empty) && inputs.iter().any(|input| input.len() > 30));
    }
}
