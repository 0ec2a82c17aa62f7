//! The segments of a JPEG around its scans (ITU-T T.81, annex B).

use super::bits::Code;
use super::words::{cut, damaged, unsupported};

/// The order in which the coefficients of a block are written.
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// What comes next in the file.
pub(super) enum Part<'a> {
    Frame(Frame),
    Scan(ScanHeader),
    Exif(&'a [u8]),
    Xmp(&'a [u8]),
    End,
    /// Tables, which are kept, or what is of no interest.
    Other,
}

/// The size of the picture and its components.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) is_progressive: bool,
    pub(super) components: Vec<ComponentHeader>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ComponentHeader {
    pub(super) name: u8,
    /// How many samples across and down for those of the other components.
    pub(super) across: usize,
    pub(super) down: usize,
    /// The number of its quantization table.
    pub(super) table: usize,
}

/// What a scan holds.
#[derive(Debug)]
pub(super) struct ScanHeader {
    /// Places in the frame, and the numbers of the codes for the first and the other coefficients.
    pub(super) components: Vec<(usize, usize, usize)>,
    /// The first and the last coefficient, and bits: how many were there before without the lowest, and how many
    /// are not there yet.
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) before: u8,
    pub(super) below: u8,
}

/// What the segments before a scan say.
pub(super) struct Segments<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) quantization: [Option<[u16; 64]>; 4],
    /// The codes of the first and of the other coefficients, by number.
    pub(super) codes: [[Option<Code>; 4]; 2],
    /// After how many units a restart marker comes; 0 for never.
    pub(super) restart: usize,
    pub(super) jfif: bool,
    /// The transform that an Adobe header tells.
    pub(super) adobe: Option<u8>,
    names: Vec<u8>,
}

impl<'a> Segments<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Segments<'a> {
        let (quantization, codes) = Default::default();
        Segments { bytes, at: 0, quantization, codes, restart: 0, jfif: false, adobe: None, names: Vec::new() }
    }

    /// Reads the next marker and its segment.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow "is".
    pub(super) fn next(&mut self) -> Result<Part<'a>, String> {
        let Some(marker) = next_marker(self.bytes, &mut self.at) else {
            return Err(cut("the JPEG has no end"));
        };
        match marker {
            0xd8 | 0x01 | 0xd0..=0xd7 => return Ok(Part::Other),
            0xd9 => return Ok(Part::End),
            _ => {}
        }
        let segment = self.segment().ok_or_else(|| cut("a segment of the JPEG is longer than the rest"))?;
        let part = match marker {
            0xc0..=0xc2 => frame(segment, marker == 0xc2)?.map(|frame| {
                self.names = frame.components.iter().map(|component| component.name).collect();
                Part::Frame(frame)
            }),
            0xc4 => self.add_codes(segment).map(|()| Part::Other),
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcf => return Err(other_process(marker)),
            0xda => self.scan(segment).map(Part::Scan),
            0xdb => self.add_quantization(segment).map(|()| Part::Other),
            0xdd => segment.first_chunk().map(|&two| {
                self.restart = usize::from(u16::from_be_bytes(two));
                Part::Other
            }),
            0xe0 if segment.starts_with(b"JFIF\0") => {
                self.jfif = true;
                Some(Part::Other)
            }
            0xe1 => Some(match segment.strip_prefix(b"Exif\0\0") {
                Some(exif) => Part::Exif(exif),
                None => segment.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0").map_or(Part::Other, Part::Xmp),
            }),
            0xee if segment.starts_with(b"Adobe") => {
                self.adobe = segment.get(11).copied();
                Some(Part::Other)
            }
            _ => Some(Part::Other),
        };
        part.ok_or_else(|| damaged(&format!("a wrong segment with the marker {marker:02x}")))
    }

    fn segment(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(u16::from_be_bytes(*self.bytes.get(self.at..)?.first_chunk()?));
        let segment = self.bytes.get(self.at + 2..self.at + length)?;
        self.at += length;
        Some(segment)
    }

    fn add_codes(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&head, rest)) = segment.split_first() {
            let counts: &[u8; 16] = rest.first_chunk()?;
            let n: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let code = Code::new(counts, rest.get(16..16 + n)?)?;
            *self.codes.get_mut(usize::from(head >> 4))?.get_mut(usize::from(head & 15))? = Some(code);
            segment = &rest[16 + n..];
        }
        Some(())
    }

    fn add_quantization(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&head, rest)) = segment.split_first() {
            let table = self.quantization.get_mut(usize::from(head & 15))?.insert([0; 64]);
            let size = match head >> 4 {
                0 => 1,
                1 => 2,
                _ => return None,
            };
            for (value, &place) in rest.get(..64 * size)?.chunks_exact(size).zip(&ZIGZAG) {
                table[usize::from(place)] = value.iter().fold(0, |sum, &byte| sum << 8 | u16::from(byte));
            }
            segment = &rest[64 * size..];
        }
        Some(())
    }

    fn scan(&self, segment: &[u8]) -> Option<ScanHeader> {
        let (&n, rest) = segment.split_first()?;
        let n = usize::from(n);
        let mut components = Vec::new();
        for pair in rest.get(..2 * n)?.chunks_exact(2) {
            let place = self.names.iter().position(|&name| name == pair[0])?;
            if components.iter().any(|&(other, _, _)| other == place) || pair[1] & 15 > 3 || pair[1] >> 4 > 3 {
                return None;
            }
            components.push((place, usize::from(pair[1] >> 4), usize::from(pair[1] & 15)));
        }
        let &[first, last, bits] = rest.get(2 * n..)?.first_chunk()?;
        let (first, last) = (usize::from(first), usize::from(last));
        (n > 0).then_some(ScanHeader { components, first, last, before: bits >> 4, below: bits & 15 })
    }
}

fn frame(segment: &[u8], is_progressive: bool) -> Result<Option<Frame>, String> {
    let Some(&[bits, h1, h0, w1, w0, n]) = segment.first_chunk() else { return Ok(None) };
    if bits != 8 {
        return Err(unsupported(&format!("{bits} bits a sample")));
    }
    let (width, height) = (u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into());
    if height == 0 {
        return Err(unsupported("the height comes after the picture"));
    }
    let component = |c: &[u8]| ComponentHeader {
        name: c[0],
        across: usize::from(c[1] >> 4),
        down: usize::from(c[1] & 15),
        table: usize::from(c[2]),
    };
    let components: Vec<_> = segment[6..].chunks_exact(3).take(n.into()).map(component).collect();
    let is_usual = |c: &ComponentHeader| (1..=4).contains(&c.across) && (1..=4).contains(&c.down) && c.table < 4;
    let right = width > 0 && components.len() == usize::from(n) && components.iter().all(is_usual);
    Ok(right.then_some(Frame { width, height, is_progressive, components }))
}

fn other_process(marker: u8) -> String {
    unsupported(match marker {
        0xc3 => "it is a lossless JPEG",
        0xc9 | 0xca => "it is coded arithmetically",
        _ => "it is coded by differences or by hierarchy",
    })
}

/// The code of the next marker at or after `at`, which moves behind it.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    let found = bytes.get(*at..)?.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xff))?;
    *at += found + 2;
    bytes.get(*at - 1).copied()
}
