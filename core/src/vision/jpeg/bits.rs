//! Entropy-coded data: bits, and the words of Huffman's codes in them (ITU-T T.81, annexes C and F).

/// Why a scan could not be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The data end before the picture does.
    Cut,
    /// The data are not what an encoder writes.
    Damaged(&'static str),
}

/// How many bits are looked up at once. Longer words are rare.
const LOOKUP: u32 = 9;

/// A Huffman code.
#[derive(Clone)]
pub(super) struct Code {
    /// For the next [`LOOKUP`] bits, the symbol of the word that they begin with and its length; 0 where it is longer.
    short: Vec<(u8, u8)>,
    /// For each length the first word, how many there are, and where their symbols begin.
    lengths: [(u32, u32, usize); 16],
    symbols: Vec<u8>,
}

impl Code {
    /// The code that has so many words of each length, from 1 to 16, for these symbols; `None` if there cannot be so
    /// many.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Code> {
        let (mut word, mut from, mut lengths) = (0u32, 0, [(0, 0, 0); 16]);
        let mut short = vec![(0, 0); 1 << LOOKUP];
        for (length, (entry, &count)) in (1..=16u32).zip(lengths.iter_mut().zip(counts)) {
            let count = u32::from(count);
            *entry = (word, count, from);
            if word + count > 1 << length {
                return None;
            }
            let own = symbols.get(from..from + count as usize)?;
            if length <= LOOKUP {
                let spare = LOOKUP - length;
                let first = (word << spare) as usize;
                for (place, &symbol) in own.iter().enumerate() {
                    let begin = first + (place << spare);
                    short[begin..begin + (1 << spare)].fill((symbol, length as u8));
                }
            }
            word = (word + count) << 1;
            from += count as usize;
        }
        Some(Code { short, lengths, symbols: symbols.to_vec() })
    }
}

/// The bits of entropy-coded data, to the next marker.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The first byte that was not taken over.
    pub(super) at: usize,
    /// Bits that were taken over, of which the last `left` are still to be read.
    held: u64,
    left: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Bits<'a> {
        Bits { bytes, at, held: 0, left: 0 }
    }

    /// Takes bytes over until there is no room, or to the next marker.
    #[inline]
    fn fill(&mut self) {
        if let Some(eight) = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_be_bytes(*eight);
            // No byte of `word` is 0xff: no byte of its complement is 0.
            let complement = !word;
            let zeros = complement.wrapping_sub(0x0101_0101_0101_0101) & !complement & 0x8080_8080_8080_8080;
            if zeros == 0 {
                let n = (63 - self.left) / 8;
                if n > 0 {
                    self.held = self.held << (8 * n) | word >> (64 - 8 * n);
                    self.left += 8 * n;
                    self.at += n as usize;
                }
                return;
            }
        }
        self.fill_by_bytes();
    }

    fn fill_by_bytes(&mut self) {
        while self.left <= 55 {
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

    /// The next `n` bits, at most 16, as a number.
    #[inline]
    pub(super) fn take(&mut self, n: u32) -> Result<u32, Fault> {
        if self.left < n {
            self.fill();
            if self.left < n {
                self.fill_by_bytes();
            }
        }
        self.left = self.left.checked_sub(n).ok_or(Fault::Cut)?;
        Ok((self.held >> self.left) as u32 & ((1 << n) - 1))
    }

    /// The number that `n` further bits tell, half of all being negative (T.81, F.2.2.1).
    #[inline]
    pub(super) fn signed(&mut self, n: u32) -> Result<i32, Fault> {
        if n == 0 {
            return Ok(0);
        }
        let bits = self.take(n)? as i32;
        Ok(if bits < 1 << (n - 1) { bits - (1 << n) + 1 } else { bits })
    }

    /// The symbol of the next word.
    #[inline]
    pub(super) fn symbol(&mut self, code: &Code) -> Result<u8, Fault> {
        if self.left < 16 {
            self.fill();
        }
        let ahead = if self.left >= LOOKUP {
            self.held >> (self.left - LOOKUP)
        } else {
            self.fill_by_bytes();
            if self.left >= LOOKUP { self.held >> (self.left - LOOKUP) } else { self.held << (LOOKUP - self.left) }
        };
        let (symbol, length) = code.short[ahead as usize & ((1 << LOOKUP) - 1)];
        match self.left.checked_sub(u32::from(length)) {
            Some(left) if length > 0 => {
                self.left = left;
                Ok(symbol)
            }
            _ => self.long_symbol(code),
        }
    }

    fn long_symbol(&mut self, code: &Code) -> Result<u8, Fault> {
        let mut word = 0;
        for &(first, count, from) in &code.lengths {
            word = word << 1 | self.take(1)?;
            if word >= first && word - first < count {
                let symbol = code.symbols.get(from + (word - first) as usize);
                return symbol.copied().ok_or(Fault::Damaged("a code without symbols"));
            }
        }
        Err(Fault::Damaged("a word that its code does not have"))
    }

    /// Goes behind the restart marker that has to come now.
    pub(super) fn restart(&mut self) -> Result<(), Fault> {
        (self.held, self.left) = (0, 0);
        while self.bytes.get(self.at..self.at + 2) == Some(&[0xff, 0xff]) {
            self.at += 1;
        }
        match self.bytes.get(self.at..self.at + 2) {
            Some([0xff, 0xd0..=0xd7]) => self.at += 2,
            Some([0xff, 0xd9]) | None => return Err(Fault::Cut),
            _ => return Err(Fault::Damaged("no restart marker where there has to be one")),
        }
        Ok(())
    }
}
