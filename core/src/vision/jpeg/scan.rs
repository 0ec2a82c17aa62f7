//! The scans of a JPEG: coefficients, block by block (ITU-T T.81, annexes F and G).

use super::bits::{Bits, Code, Fault};
use super::header::{ScanHeader, Segments, ZIGZAG};
use super::planes::Component;
use super::words::{cut, damaged};

/// How a block is read.
#[derive(Clone, Copy)]
enum Reader<'a> {
    /// All coefficients, with the codes of the first one and of the others.
    Whole(&'a Code, &'a Code),
    /// The first coefficient without its lowest bits.
    First(&'a Code, u8),
    /// A further bit of the first coefficient.
    FirstBit(u8),
    /// Some of the others without their lowest bits.
    Others(&'a Code, usize, usize, u8),
    /// A further bit of some of the others.
    OthersBit(&'a Code, usize, usize, u8),
}

/// What is known from the blocks before.
#[derive(Default)]
struct Memory {
    /// The first coefficient, by component.
    first: [i32; 4],
    /// How many blocks follow without a further coefficient.
    without: u32,
}

/// Reads a scan, and hands each row of units to `row_is_done` with its number.
pub(super) fn read(
    bytes: &[u8],
    segments: &mut Segments,
    scan: &ScanHeader,
    components: &mut [Component],
    is_progressive: bool,
    mut row_is_done: impl FnMut(&mut Component, usize),
) -> Result<(), String> {
    let readers = readers(segments, scan, is_progressive)?;
    let alone = scan.components.len() == 1;
    let head = &components[scan.components[0].0];
    let (across, down) = if alone { (head.own_across, head.own_down) } else { (head.units_across, head.units_down) };
    let mut bits = Bits::new(bytes, segments.at);
    let mut memory = Memory::default();
    let mut units = 0;
    for y in 0..down {
        for x in 0..across {
            if segments.restart > 0 && units > 0 && units % segments.restart == 0 {
                bits.restart().map_err(in_words)?;
                memory = Memory::default();
            }
            units += 1;
            for (&(place, _, _), &reader) in scan.components.iter().zip(&readers) {
                let component = &mut components[place];
                if alone {
                    bits.block(reader, component.block(x, y), &mut memory, place).map_err(in_words)?;
                    continue;
                }
                for v in 0..component.down {
                    for h in 0..component.across {
                        let block = component.block(x * component.across + h, y * component.down + v);
                        bits.block(reader, block, &mut memory, place).map_err(in_words)?;
                    }
                }
            }
        }
        for &(place, _, _) in &scan.components {
            let component = &mut components[place];
            let rows = if alone { y..y + 1 } else { y * component.down..(y + 1) * component.down };
            for row in rows {
                row_is_done(component, row);
            }
        }
    }
    segments.at = bits.at;
    Ok(())
}

fn in_words(fault: Fault) -> String {
    match fault {
        Fault::Cut => cut("the data of the JPEG end before the picture does"),
        Fault::Damaged(what) => damaged(what),
    }
}

fn readers<'a>(segments: &'a Segments, scan: &ScanHeader, is_progressive: bool) -> Result<Vec<Reader<'a>>, String> {
    let &ScanHeader { first, last, before, below, .. } = scan;
    let code = |kind: usize, number: usize| segments.codes[kind][number].as_ref();
    let reader = |&(_, firsts, others): &(usize, usize, usize)| match (is_progressive, first, before) {
        (false, _, _) => Some(Reader::Whole(code(0, firsts)?, code(1, others)?)),
        (true, 0, 0) => Some(Reader::First(code(0, firsts)?, below)),
        (true, 0, _) => Some(Reader::FirstBit(below)),
        (true, _, 0) => Some(Reader::Others(code(1, others)?, first, last, below)),
        (true, _, _) => Some(Reader::OthersBit(code(1, others)?, first, last, below)),
    };
    let alone = scan.components.len() == 1;
    let is_right = match (is_progressive, first) {
        (false, _) => true,
        (true, 0) => last == 0 && below <= 13,
        (true, _) => alone && (first..64).contains(&last) && below <= 13,
    };
    if !is_right || (is_progressive && before > 0 && before != below + 1) {
        return Err(damaged("a scan of coefficients that no encoder makes"));
    }
    scan.components.iter().map(reader).collect::<Option<_>>().ok_or_else(|| damaged("a scan without its codes"))
}

impl Bits<'_> {
    #[inline]
    fn block(
        &mut self,
        reader: Reader,
        block: &mut [i16; 64],
        memory: &mut Memory,
        component: usize,
    ) -> Result<(), Fault> {
        match reader {
            Reader::Whole(firsts, others) => {
                block[0] = self.first(firsts, &mut memory.first[component])? as i16;
                self.others(others, block)
            }
            Reader::First(code, below) => {
                block[0] = (self.first(code, &mut memory.first[component])? << below) as i16;
                Ok(())
            }
            Reader::FirstBit(below) => {
                block[0] |= (self.take(1)? << below) as i16;
                Ok(())
            }
            Reader::Others(code, first, last, below) => {
                self.others_begin(code, block, first..=last, below, &mut memory.without)
            }
            Reader::OthersBit(code, first, last, below) => {
                self.others_bit(code, block, first..=last, below, &mut memory.without)
            }
        }
    }

    /// The first coefficient, which is told by its difference from the one before.
    #[inline]
    fn first(&mut self, code: &Code, before: &mut i32) -> Result<i32, Fault> {
        let size = self.symbol(code)?;
        if size > 15 {
            return Err(Fault::Damaged("a difference of more than 15 bits"));
        }
        *before = before.wrapping_add(self.signed(size.into())?);
        Ok(*before)
    }

    #[inline]
    fn others(&mut self, code: &Code, block: &mut [i16; 64]) -> Result<(), Fault> {
        let mut k = 1;
        while k < 64 {
            let symbol = self.symbol(code)?;
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 {
                if run < 15 {
                    break;
                }
                k += 16;
                continue;
            }
            k += run;
            let value = self.signed(size)?;
            *place(block, k)? = value as i16;
            k += 1;
        }
        Ok(())
    }

    fn others_begin(
        &mut self,
        code: &Code,
        block: &mut [i16; 64],
        range: std::ops::RangeInclusive<usize>,
        below: u8,
        without: &mut u32,
    ) -> Result<(), Fault> {
        if *without > 0 {
            *without -= 1;
            return Ok(());
        }
        let (mut k, last) = range.into_inner();
        while k <= last {
            let symbol = self.symbol(code)?;
            let (run, size) = (symbol >> 4, u32::from(symbol & 15));
            if size == 0 {
                if run < 15 {
                    *without = (1 << run) - 1 + self.take(run.into())?;
                    break;
                }
                k += 16;
                continue;
            }
            k += usize::from(run);
            let value = self.signed(size)? << below;
            *place(block, k)? = value as i16;
            k += 1;
        }
        Ok(())
    }

    fn others_bit(
        &mut self,
        code: &Code,
        block: &mut [i16; 64],
        range: std::ops::RangeInclusive<usize>,
        below: u8,
        without: &mut u32,
    ) -> Result<(), Fault> {
        let (mut k, last) = range.into_inner();
        let bit = 1i16 << below;
        while *without == 0 && k <= last {
            let symbol = self.symbol(code)?;
            let (mut run, size) = (symbol >> 4, symbol & 15);
            let mut new = 0;
            if size > 1 {
                return Err(Fault::Damaged("a new coefficient of more than one bit"));
            } else if size == 1 {
                new = if self.take(1)? == 1 { bit } else { -bit };
            } else if run < 15 {
                *without = (1 << run) + self.take(run.into())?;
                break;
            }
            // Zeros are counted; the others get their bit.
            while k <= last {
                let value = &mut block[usize::from(ZIGZAG[k])];
                if *value != 0 {
                    self.refine(value, bit)?;
                } else if run == 0 {
                    break;
                } else {
                    run -= 1;
                }
                k += 1;
            }
            if new != 0 {
                *place(block, k)? = new;
            }
            k += 1;
        }
        if *without > 0 {
            for &place in ZIGZAG.get(k..=last).into_iter().flatten() {
                let value = &mut block[usize::from(place)];
                if *value != 0 {
                    self.refine(value, bit)?;
                }
            }
            *without -= 1;
        }
        Ok(())
    }

    #[inline]
    fn refine(&mut self, value: &mut i16, bit: i16) -> Result<(), Fault> {
        if self.take(1)? == 1 && *value & bit == 0 {
            *value = value.wrapping_add(if *value > 0 { bit } else { -bit });
        }
        Ok(())
    }
}

/// The coefficient that is written as number `k`.
#[inline]
fn place(block: &mut [i16; 64], k: usize) -> Result<&mut i16, Fault> {
    let place = ZIGZAG.get(k).ok_or(Fault::Damaged("more than 64 coefficients in a block"))?;
    Ok(&mut block[usize::from(*place)])
}
