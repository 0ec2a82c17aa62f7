//! JPEG files, decoded to the same pixels as libjpeg's, to the last bit: sequential and progressive ones with
//! Huffman's codes, which are all that cameras and the web have.
//!
//! The decoders of the registry differ from libjpeg, and so from Pillow and torchvision, in the colours of narrow
//! pictures and at edges, and fill what is missing from a file with anything and say nothing.

mod bits;
mod colour;
mod header;
mod idct;
mod planes;
mod scan;
mod upsample;
mod words;

use colour::Colours;
use header::{Part, Segments};
use planes::Component;
use words::{cut, damaged, unsupported};

/// A picture and what its file tells of it.
pub(super) struct Decoded<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) rgb: Vec<u8>,
    pub(super) exif: Option<&'a [u8]>,
    pub(super) xmp: Option<&'a [u8]>,
}

/// A file of more scans is refused: each of a few bytes can cost the time of a whole picture.
const MAX_SCANS: usize = 100;

/// Decodes a JPEG. `allow` is asked before memory is taken, with width, height and the bytes that it takes, and what
/// it returns is kept until the end.
///
/// # Errors
/// What is wrong with the file, in words that can follow its name.
pub(super) fn decode<T>(
    bytes: &[u8],
    allow: impl FnOnce(u32, u32, u64) -> Result<T, String>,
) -> Result<Decoded<'_>, String> {
    let mut segments = Segments::new(bytes);
    let (mut exif, mut xmp) = (None, None);
    let frame = loop {
        match segments.next()? {
            Part::Frame(frame) => break frame,
            Part::Exif(bytes) => exif = exif.or(Some(bytes)),
            Part::Xmp(bytes) => xmp = xmp.or(Some(bytes)),
            Part::Scan(_) | Part::End => return Err(damaged("a picture without a size")),
            Part::Other => {}
        }
    };
    let _kept = allow(frame.width as u32, frame.height as u32, planes::memory(&frame))?;
    let mut components = Component::all(&frame)?;
    let mut n_scans = 0;
    loop {
        match segments.next()? {
            Part::End => break,
            Part::Frame(_) => return Err(unsupported("it holds more than one picture in one frame")),
            Part::Exif(bytes) => exif = exif.or(Some(bytes)),
            Part::Xmp(bytes) => xmp = xmp.or(Some(bytes)),
            Part::Other => {}
            Part::Scan(scan) => {
                n_scans += 1;
                if n_scans > MAX_SCANS {
                    return Err(damaged("more than 100 scans"));
                }
                for &(place, _, _) in &scan.components {
                    let component = &mut components[place];
                    if !frame.is_progressive && component.is_whole() {
                        return Err(damaged("a second scan of a component"));
                    }
                    if component.quantization.is_none() {
                        component.quantization = segments.quantization[component.table];
                    }
                    if component.quantization.is_none() {
                        return Err(damaged("a scan without its quantization"));
                    }
                    let (read, missing) =
                        if frame.is_progressive { (scan.first..=scan.last, scan.below) } else { (0..=63, 0) };
                    component.note(read, missing);
                }
                scan::read(bytes, &mut segments, &scan, &mut components, frame.is_progressive, |component, row| {
                    if !frame.is_progressive {
                        component.transform(row);
                    }
                })?;
            }
        }
    }
    if !components.iter().all(Component::is_whole) {
        return Err(cut("the last scans of the JPEG are missing"));
    }
    if frame.is_progressive {
        for component in &mut components {
            (0..component.units_down * component.down).for_each(|row| component.transform(row));
        }
    }
    let names: Vec<u8> = frame.components.iter().map(|component| component.name).collect();
    let Some(colours) = Colours::of(&names, segments.jfif, segments.adobe) else {
        return Err(unsupported(&format!("it has {} components", names.len())));
    };
    let rgb = planes::picture(frame.width, frame.height, &components, colours);
    Ok(Decoded { width: frame.width, height: frame.height, rgb, exif, xmp })
}

/// Width and height as the first frame's header tells them.
///
/// # Errors
/// As [`decode`].
pub(super) fn size(bytes: &[u8]) -> Result<(usize, usize), String> {
    let mut segments = Segments::new(bytes);
    loop {
        match segments.next()? {
            Part::Frame(frame) => return Ok((frame.width, frame.height)),
            Part::Scan(_) | Part::End => return Err(damaged("a picture without a size")),
            _ => {}
        }
    }
}
