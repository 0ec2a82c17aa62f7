//! What a PNG tells besides its pixels, and what is wrong with one in plain words.
#![warn(clippy::indexing_slicing)]

use super::orientation;
use flate2::read::ZlibDecoder;
use image::metadata::Orientation;
use png::DecodingError;
use std::borrow::Cow;
use std::io::Read;

/// The most bytes of a text that are unpacked, as in Pillow.
const MOST_TEXT: u64 = 1 << 20;

/// How the picture is to be turned, by EXIF data or else an XMP packet. They may stand after the pixels, where the
/// decoder does not look. EXIF data have a chunk of their own, and older programs, ImageMagick among them, write them
/// as a text in hexadecimal digits. Of several, the last counts, as in Pillow.
pub(super) fn orientation(bytes: &[u8]) -> Orientation {
    let exif = chunks(bytes).filter(|(kind, _)| *kind == b"eXIf").last().map(|(_, exif)| Cow::Borrowed(exif));
    let exif = exif.or_else(|| Some(in_digits(&text(bytes, b"Raw profile type exif")?)?.into()));
    orientation::of(exif.as_deref(), text(bytes, b"XML:com.adobe.xmp").as_deref())
}

/// The kinds of the chunks and their contents, up to the end of the picture or of the file.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk()?;
        let (kind, after) = after.split_first_chunk()?;
        let (contents, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = after.get(4..).unwrap_or_default(); // a checksum stands between
        (kind != b"IEND").then_some((kind, contents))
    })
}

/// The last text with this keyword.
fn text<'a>(bytes: &'a [u8], keyword: &[u8]) -> Option<Cow<'a, [u8]>> {
    let texts = chunks(bytes).filter(|(kind, _)| matches!(*kind, b"tEXt" | b"zTXt" | b"iTXt"));
    let texts = texts.filter_map(|(kind, contents)| Some((kind, contents.strip_prefix(keyword)?.strip_prefix(b"\0")?)));
    match texts.last()? {
        (b"tEXt", text) => Some(text.into()),
        (b"zTXt", [_method, packed @ ..]) => Some(unpacked(packed).into()),
        (b"iTXt", [is_packed, _method, rest @ ..]) => {
            // A language and the keyword in it come first.
            let text = rest.splitn(3, |&byte| byte == 0).nth(2)?;
            Some(if *is_packed == 0 { text.into() } else { unpacked(text).into() })
        }
        _ => None,
    }
}

/// What a compressed text holds, or its beginning if it is damaged or too long.
fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    // What was unpacked before an error stays in the text.
    let _ = ZlibDecoder::new(packed).take(MOST_TEXT).read_to_end(&mut text);
    text
}

/// The bytes whose hexadecimal digits follow after three lines: an empty one, a name and a number.
fn in_digits(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.split(|&byte| byte == b'\n').skip(3).flatten().filter(|digit| !digit.is_ascii_whitespace());
    let digits: Option<Vec<u8>> = digits.map(|&digit| Some(char::from(digit).to_digit(16)? as u8)).collect();
    Some(digits?.as_chunks().0.iter().map(|[high, low]| high << 4 | low).collect())
}

/// What the decoder found wrong with a PNG. Its own words show names of Rust's types.
pub(super) fn words(error: &DecodingError) -> String {
    let text = error.to_string();
    // The chunk it is about: `ChunkType { type: IDAT, critical: true, ... }`.
    let part = text.split_once("{ type: ").and_then(|(_, rest)| rest.split_once(',')).map(|(name, _)| name);
    let part = part.unwrap_or("without a name");
    let begins = |beginning: &str| text.starts_with(beginning);
    match () {
        () if begins("CRC error") => format!("the part {part} does not fit its checksum: some of it is not as it was"),
        () if begins("Corrupt deflate stream") => "its pixels cannot be unpacked".into(),
        () if begins("IDAT or fDAT chunk does not have") => "it has fewer pixels than it says".into(),
        () if begins("IDAT or fdAT chunk is missing") => "it has no pixels".into(),
        () if begins("Unrecognized critical chunk") => format!("the part {part} is of an unknown kind"),
        () if begins("Missing palette") => "its palette is missing".into(),
        () if begins("Invalid image dimensions") => "its width or its height is 0".into(),
        () if text.contains("before IHDR") => format!("the part {part} stands before its head"),
        () if text.contains("ChunkType") => format!("the part {part} is wrong or in a wrong place"),
        () => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG's parts, without checksums, which nothing here looks at.
    fn png(parts: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let part = |(kind, contents): &(&[u8; 4], &[u8])| {
            [&(contents.len() as u32).to_be_bytes(), *kind, *contents, &[0; 4]].concat()
        };
        [b"\x89PNG\r\n\x1a\n".to_vec(), parts.iter().flat_map(part).collect()].concat()
    }

    #[test]
    fn a_text_is_found_in_its_three_forms_and_what_is_cut_is_none() {
        let packed = b"x\x9cKLLL\x04\0\x03\xce\x01\x85"; // zlib's of b"aaaa"
        let wrapped = |before: &[u8], text: &[u8]| [before, text].concat();
        for file in [
            png(&[(b"tEXt", b"key\0aaaa")]),
            png(&[(b"IDAT", b"."), (b"zTXt", &wrapped(b"key\0\0", packed))]),
            png(&[(b"iTXt", b"key\0\0\0en\0Wort\0aaaa")]),
            png(&[(b"iTXt", &wrapped(b"key\0\x01\0\0\0", packed)), (b"tEXt", b"keys\0no")]),
        ] {
            assert_eq!(text(&file, b"key").as_deref(), Some(&b"aaaa"[..]));
            for length in 0..file.len() {
                let _ = text(&file[..length], b"key");
            }
        }
        for none in [png(&[(b"zTXt", b"key\0")]), png(&[(b"iTXt", b"key\0\0\0en\0")]), png(&[(b"IEND", b"")])] {
            assert_eq!(text(&[none, png(&[(b"tEXt", b"other\0a")])].concat(), b"key"), None);
        }
    }

    #[test]
    fn digits_are_bytes() {
        assert_eq!(in_digits(b"\nexif\n       3\n0aF\nf 10\n").unwrap(), [0x0a, 0xff, 0x10]);
        assert_eq!(in_digits(b"\nexif\n3\n0g"), None);
        assert_eq!(in_digits(b"\nexif").unwrap(), [0u8; 0]);
    }
}
