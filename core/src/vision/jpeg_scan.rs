//! Whether the data of a JPEG go on to the end of the picture. A file that was cut short and got an end marker looks
//! whole, and decoders fill the rest with one colour.

/// Walks through the entropy-coded data of a sequential JPEG (ITU-T T.81, annex F) without computing a pixel, and says
/// whether there are data for all blocks. Of other JPEGs (progressive ones), and of ones that are odd in another way,
/// it says so too: they are for the decoder to judge.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    Scans { bytes, at: 0, frame: Frame::default(), tables: Default::default(), restart: 0 }.walk() != Some(false)
}

#[derive(Default)]
struct Frame {
    width: usize,
    height: usize,
    /// The number of each component, and how many blocks of it an interleaved unit has across and down.
    components: Vec<(u8, usize, usize)>,
}

/// A code of symbols by the lengths of their words: for each length the first word, how many there are, and where their
/// symbols begin.
#[derive(Clone, Default)]
struct Code {
    lengths: [(u32, u32, usize); 16],
    symbols: Vec<u8>,
    /// For the next eight bits the symbol of a word that they begin with, and its length; 0 where it is longer.
    short: Vec<(u8, u32)>,
}

impl Code {
    fn new(lengths: [(u32, u32, usize); 16], symbols: Vec<u8>) -> Code {
        let mut short = vec![(0, 0); 256];
        for (bits, entry) in short.iter_mut().enumerate() {
            let found = (1..=8).zip(&lengths).find_map(|(length, &(first, count, from))| {
                let place = (bits as u32 >> (8 - length)).checked_sub(first).filter(|&place| place < count)?;
                Some((*symbols.get(from + place as usize)?, length))
            });
            *entry = found.unwrap_or_default();
        }
        Code { lengths, symbols, short }
    }
}

struct Scans<'a> {
    bytes: &'a [u8],
    at: usize,
    frame: Frame,
    /// Those of the first and of the other coefficients, by number.
    tables: [[Option<Code>; 4]; 2],
    restart: usize,
}

impl Scans<'_> {
    /// Whether all scans have their data; none where that cannot be told.
    fn walk(&mut self) -> Option<bool> {
        loop {
            let marker = self.marker()?;
            match marker {
                0xd8 | 0x01 | 0xd0..=0xd7 => continue,
                0xd9 => return Some(true),
                _ => {}
            }
            let length = usize::from(self.word(self.at)?);
            let segment = self.bytes.get(self.at + 2..self.at + length)?.to_vec();
            self.at += length;
            match marker {
                0xc0 | 0xc1 => self.frame = frame(&segment)?,
                0xc2..=0xcf if marker != 0xc4 => return None,
                0xc4 => self.add_tables(&segment)?,
                0xdd => self.restart = usize::from(u16::from_be_bytes(*segment.first_chunk()?)),
                0xda if !self.scan(&segment)? => return Some(false),
                _ => {}
            }
        }
    }

    fn word(&self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes(*self.bytes.get(at..)?.first_chunk()?))
    }

    /// The next marker at or after this place, behind which it then is.
    fn marker(&mut self) -> Option<u8> {
        let found =
            self.bytes.get(self.at..)?.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))?;
        self.at += found + 2;
        self.bytes.get(self.at - 1).copied()
    }

    fn add_tables(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&head, rest)) = segment.split_first() {
            let counts: &[u8; 16] = rest.first_chunk()?;
            let n: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let symbols = rest.get(16..16 + n)?.to_vec();
            let (mut word, mut from, mut lengths) = (0u32, 0, [(0, 0, 0); 16]);
            for (length, &count) in lengths.iter_mut().zip(counts) {
                *length = (word, u32::from(count), from);
                word = (word + u32::from(count)) << 1;
                from += usize::from(count);
            }
            *self.tables.get_mut(usize::from(head >> 4))?.get_mut(usize::from(head & 15))? =
                Some(Code::new(lengths, symbols));
            segment = rest.get(16 + n..)?;
        }
        Some(())
    }

    /// Whether a scan has the data of all its blocks.
    fn scan(&mut self, segment: &[u8]) -> Option<bool> {
        let (&n, rest) = segment.split_first()?;
        let Frame { width, height, components } = &self.frame;
        let most = |of: fn(&(u8, usize, usize)) -> usize| components.iter().map(of).max();
        let (across, down) = (most(|c| c.1)?, most(|c| c.2)?);
        let mut blocks: Vec<(&Code, &Code)> = Vec::new();
        let mut units = width.div_ceil(8 * across) * height.div_ceil(8 * down);
        for pair in rest.chunks_exact(2).take(usize::from(n)) {
            let component = components.iter().find(|component| component.0 == pair[0])?;
            let code = |kind: usize, number: u8| self.tables[kind].get(usize::from(number))?.as_ref();
            let codes = (code(0, pair[1] >> 4)?, code(1, pair[1] & 15)?);
            if n == 1 {
                // A component by itself has only the blocks that it needs.
                let side = |length: usize, of: usize, all: usize| (length * of).div_ceil(all).div_ceil(8);
                units = side(*width, component.1, across) * side(*height, component.2, down);
                blocks.push(codes);
            } else {
                blocks.extend(std::iter::repeat_n(codes, component.1 * component.2));
            }
        }
        let mut bits = Bits { bytes: self.bytes, at: self.at, held: 0, left: 0 };
        for unit in 0..units {
            if self.restart > 0 && unit > 0 && unit % self.restart == 0 && !bits.restart() {
                return Some(false);
            }
            for (first, others) in &blocks {
                if bits.block(first, others).is_none() {
                    return Some(false);
                }
            }
        }
        self.at = bits.at;
        Some(true)
    }
}

fn frame(segment: &[u8]) -> Option<Frame> {
    let &[_, h1, h0, w1, w0, n] = segment.first_chunk()?;
    let component = |c: &[u8]| (c[0], usize::from(c[1] >> 4), usize::from(c[1] & 15));
    let components: Vec<_> = segment[6..].chunks_exact(3).take(n.into()).map(component).collect();
    let (width, height) = (u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into());
    let is_usual = components.iter().all(|&(_, across, down)| (1..=4).contains(&across) && (1..=4).contains(&down));
    (is_usual && !components.is_empty() && height > 0).then_some(Frame { width, height, components })
}

/// The bits of entropy-coded data, to the next marker.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Bits that were read, of which the last `left` are still to come.
    held: u64,
    left: u32,
}

impl Bits<'_> {
    /// Reads on until there is no room, or to the next marker.
    fn fill(&mut self) {
        while self.left <= 56 {
            let Some(&byte) = self.bytes.get(self.at) else { return };
            if byte == 0xff {
                // A 0 behind it makes it a byte like any other.
                if self.bytes.get(self.at + 1) != Some(&0) {
                    return;
                }
                self.at += 1;
            }
            self.at += 1;
            self.held = self.held << 8 | u64::from(byte);
            self.left += 8;
        }
    }

    /// The next bits, as a number.
    fn take(&mut self, n: u32) -> Option<u32> {
        if self.left < n {
            self.fill();
        }
        self.left = self.left.checked_sub(n)?;
        Some((self.held >> self.left) as u32 & ((1 << n) - 1))
    }

    fn symbol(&mut self, code: &Code) -> Option<u8> {
        if self.left < 16 {
            self.fill();
        }
        if self.left >= 8 {
            let (symbol, length) = code.short[(self.held >> (self.left - 8)) as usize & 255];
            if length > 0 {
                self.left -= length;
                return Some(symbol);
            }
        }
        let mut word = 0;
        for &(first, count, from) in &code.lengths {
            word = word << 1 | self.take(1)?;
            if word >= first && word - first < count {
                return code.symbols.get(from + (word - first) as usize).copied();
            }
        }
        None
    }

    /// Goes through the 64 coefficients of a block.
    fn block(&mut self, first: &Code, others: &Code) -> Option<()> {
        let size = self.symbol(first)?;
        self.take(u32::from(size & 15))?;
        let mut place = 1;
        while place < 64 {
            let symbol = self.symbol(others)?;
            let (run, size) = (symbol >> 4, symbol & 15);
            if size == 0 && run < 15 {
                break;
            }
            self.take(u32::from(size))?;
            place += usize::from(run) + 1;
        }
        Some(())
    }

    /// Goes behind a restart marker, if there is one.
    fn restart(&mut self) -> bool {
        self.left = 0;
        while self.bytes.get(self.at) == Some(&0xff) && self.bytes.get(self.at + 1) == Some(&0xff) {
            self.at += 1;
        }
        let is_one = self.bytes.get(self.at) == Some(&0xff)
            && self.bytes.get(self.at + 1).is_some_and(|marker| (0xd0..=0xd7).contains(marker));
        self.at += if is_one { 2 } else { 0 };
        is_one
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder};

    fn jpeg(width: u32, height: u32, kind: ExtendedColorType) -> Vec<u8> {
        let n = if kind == ExtendedColorType::L8 { 1 } else { 3 };
        let values: Vec<u8> = (0..width * height * n).map(|i| (i * i % 251) as u8).collect();
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 80).write_image(&values, width, height, kind).unwrap();
        bytes
    }

    #[test]
    fn wherever_the_data_are_cut_it_is_seen() {
        for (width, height) in [(8, 8), (33, 17), (64, 40)] {
            for kind in [ExtendedColorType::Rgb8, ExtendedColorType::L8] {
                let whole = jpeg(width, height, kind);
                assert!(is_whole(&whole), "{width} x {height}");
                let scan = whole.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap() + 14;
                for cut in scan..whole.len() - 3 {
                    let short = [&whole[..cut], &[0xff, 0xd9]].concat();
                    // A byte 0xff before the end marker would be another marker.
                    let is_cut = !is_whole(&short) || whole[cut - 1] == 0xff;
                    assert!(is_cut, "{width} x {height} {kind:?}, {cut} of {}", whole.len());
                }
            }
        }
    }
}
