//! Image formats: those that can be read, and how to convert the others.
#![warn(clippy::indexing_slicing)]

use std::path::Path;

/// The formats that can be read, by the extensions that their files usually have.
pub const EXTENSIONS: [&str; 10] = ["bmp", "gif", "jfif", "jpeg", "jpg", "png", "webp", "jpe", "tif", "tiff"];

/// An image format.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The common name: `JPEG`, `HEIC`, `camera RAW`.
    pub name: &'static str,
    /// The extensions of its files, in small letters.
    pub extensions: &'static [&'static str],
    /// For a format that cannot be read, the command that converts it to one that can.
    pub remedy: Option<&'static str>,
}

/// An image format that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherKind {
    /// The common name: `HEIC`, `camera RAW`.
    pub name: &'static str,
    /// The fix, with a command: "convert it, for example by `heif-convert photo.heic photo.jpg`".
    pub remedy: &'static str,
}

const fn read(name: &'static str, extensions: &'static [&'static str]) -> Kind {
    Kind { name, extensions, remedy: None }
}

const fn other(name: &'static str, extensions: &'static [&'static str], remedy: &'static str) -> Kind {
    Kind { name, extensions, remedy: Some(remedy) }
}

const JPEG: Kind = read("JPEG", &["jpg", "jpeg", "jpe", "jfif"]);
const PNG: Kind = read("PNG", &["png"]);
const WEBP: Kind = read("WebP", &["webp"]);
const GIF: Kind = read("GIF", &["gif"]);
const BMP: Kind = read("BMP", &["bmp"]);
const TIFF: Kind = read("TIFF", &["tif", "tiff"]);
const HEIC: Kind =
    other("HEIC", &["heic", "heif", "hif"], "convert it, for example by `heif-convert photo.heic photo.jpg`");
const AVIF: Kind = other("AVIF", &["avif"], "convert it, for example by `avifdec photo.avif photo.png`");
const JPEG_XL: Kind = other("JPEG XL", &["jxl"], "convert it, for example by `djxl photo.jxl photo.png`");
const JPEG_2000: Kind = other(
    "JPEG 2000",
    &["jp2", "j2k", "j2c", "jpf", "jpx", "jpm"],
    "convert it, for example by `opj_decompress -i photo.jp2 -o photo.png`",
);
pub(super) const CAMERA_RAW: Kind = other(
    "camera RAW",
    &["dng", "nef", "cr2", "cr3", "arw", "orf", "rw2", "raf", "pef", "srw", "x3f", "nrw", "3fr", "iiq", "raw"],
    "develop it, for example by `darktable-cli photo.nef photo.jpg`",
);
const PSD: Kind = other("Photoshop", &["psd", "psb"], "convert it, for example by `magick 'photo.psd[0]' photo.png`");
const XCF: Kind = other("GIMP", &["xcf"], "convert it, for example by `xcf2png photo.xcf -o photo.png`");
const SVG: Kind = other("SVG", &["svg", "svgz"], "draw it, for example by `rsvg-convert photo.svg -o photo.png`");
const PDF: Kind = other("PDF", &["pdf"], "draw its pages, for example by `pdftoppm -png photo.pdf photo`");
const DICOM: Kind = other("DICOM", &["dcm", "dicom"], "convert it, for example by `dcm2img photo.dcm photo.png`");
const ICON: Kind =
    other("icon", &["ico", "cur", "icns"], "convert it, for example by `magick 'photo.ico[0]' photo.png`");
const OPEN_EXR: Kind = other("OpenEXR", &["exr"], "convert it, for example by `magick photo.exr photo.png`");
const RADIANCE: Kind = other("Radiance HDR", &["hdr"], "convert it, for example by `magick photo.hdr photo.png`");
const PNM: Kind =
    other("netpbm", &["ppm", "pgm", "pbm", "pnm", "pam"], "convert it, for example by `magick photo.ppm photo.png`");
const TARGA: Kind = other("Targa", &["tga"], "convert it, for example by `magick photo.tga photo.png`");
const QOI: Kind = other("QOI", &["qoi"], "convert it, for example by `magick photo.qoi photo.png`");
const DDS: Kind = other("DDS", &["dds"], "convert it, for example by `magick photo.dds photo.png`");
const VIDEO: Kind = other(
    "video",
    &["mp4", "mov", "m4v", "avi", "mkv", "webm", "3gp"],
    "take pictures out of it, for example by `ffmpeg -i video.mp4 -r 1 photo_%04d.jpg`",
);

/// All kinds that have a name here.
static KINDS: [&Kind; 24] = [
    &JPEG,
    &PNG,
    &WEBP,
    &GIF,
    &BMP,
    &TIFF,
    &HEIC,
    &AVIF,
    &JPEG_XL,
    &JPEG_2000,
    &CAMERA_RAW,
    &PSD,
    &XCF,
    &SVG,
    &PDF,
    &DICOM,
    &ICON,
    &OPEN_EXR,
    &RADIANCE,
    &PNM,
    &TARGA,
    &QOI,
    &DDS,
    &VIDEO,
];

impl Kind {
    /// The format of a file by its extension, in small or capital letters.
    pub fn of_path(path: impl AsRef<Path>) -> Option<&'static Kind> {
        let extension = path.as_ref().extension()?.to_string_lossy().to_lowercase();
        KINDS.into_iter().find(|kind| kind.extensions.contains(&extension.as_str()))
    }

    /// The format of a file by its first bytes; a kilobyte is enough.
    pub fn of_bytes(bytes: &[u8]) -> Option<&'static Kind> {
        let at = |start: usize, magic: &[u8]| bytes.get(start..start + magic.len()) == Some(magic);
        // More telling beginnings come before shorter ones, and cameras' before TIFF's, of which they are made.
        let kind = match () {
            () if at(0, b"\xff\xd8\xff") => &JPEG,
            () if at(0, b"\x89PNG\r\n\x1a\n") => &PNG,
            () if at(0, b"RIFF") && at(8, b"WEBP") => &WEBP,
            () if at(0, b"RIFF") && at(8, b"AVI ") => &VIDEO,
            () if at(0, b"GIF87a") || at(0, b"GIF89a") => &GIF,
            () if at(0, b"II*\0") && at(8, b"CR") => &CAMERA_RAW,
            () if [b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb"].iter().any(|magic| at(0, *magic)) => &CAMERA_RAW,
            () if at(0, b"FUJIFILMCCD-RAW") => &CAMERA_RAW,
            () if [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|magic| at(0, *magic)) => &TIFF,
            () if at(4, b"ftyp") => return Some(of_brands(bytes)),
            () if at(0, b"\xff\x0a") || at(0, b"\0\0\0\x0cJXL \r\n\x87\n") => &JPEG_XL,
            () if at(0, b"\xff\x4f\xff\x51") || at(0, b"\0\0\0\x0cjP  \r\n\x87\n") => &JPEG_2000,
            () if at(0, b"8BPS") => &PSD,
            () if at(0, b"gimp xcf") => &XCF,
            () if at(0, b"%PDF-") => &PDF,
            () if at(128, b"DICM") => &DICOM,
            () if at(0, b"\0\0\x01\0") || at(0, b"icns") => &ICON,
            () if at(0, b"\x76\x2f\x31\x01") => &OPEN_EXR,
            () if at(0, b"#?RADIANCE") || at(0, b"#?RGBE") => &RADIANCE,
            () if at(0, b"qoif") => &QOI,
            () if at(0, b"DDS ") => &DDS,
            () if at(0, b"\x1a\x45\xdf\xa3") => &VIDEO,
            () if is_pnm(bytes) => &PNM,
            () if is_svg(bytes) => &SVG,
            () if at(0, b"BM") && is_bmp(bytes) => &BMP,
            () => return None,
        };
        Some(kind)
    }

    /// The names of the formats that can be read: `JPEG, PNG, WebP, GIF, BMP and TIFF`.
    pub fn readable() -> String {
        let names: Vec<&str> = KINDS.iter().filter(|kind| kind.remedy.is_none()).map(|kind| kind.name).collect();
        let (last, first) = names.split_last().unwrap_or((&"", &[]));
        format!("{} and {last}", first.join(", "))
    }

    /// The kind as one that cannot be read.
    pub(super) fn other(&self) -> Option<OtherKind> {
        self.remedy.map(|remedy| OtherKind { name: self.name, remedy })
    }
}

impl std::fmt::Display for OtherKind {
    /// In words that can follow the file's name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "is of the kind {}, which cannot be read; {}", self.name, self.remedy)
    }
}

/// The format of an image file by its extension, if it is one that cannot be read.
///
/// ```
/// let kind = tallow::vision::other_kind("holiday/IMG_0042.HEIC").unwrap();
/// assert_eq!(kind.name, "HEIC");
/// assert!(kind.remedy.contains("heif-convert"));
/// assert!(tallow::vision::other_kind("a.jpg").is_none() && tallow::vision::other_kind("notes.txt").is_none());
/// ```
pub fn other_kind(path: impl AsRef<Path>) -> Option<OtherKind> {
    Kind::of_path(path)?.other()
}

/// The format of an image file by its first bytes, if it is one that cannot be read.
pub fn other_kind_of_bytes(bytes: &[u8]) -> Option<OtherKind> {
    Kind::of_bytes(bytes)?.other()
}

/// The kind of a file of boxes (ISO 14496-12) by its brands: the major one, then the compatible ones.
fn of_brands(bytes: &[u8]) -> &'static Kind {
    let length = bytes.first_chunk().map_or(0, |length| u32::from_be_bytes(*length) as usize);
    let brands: Vec<&[u8]> = bytes
        .get(8..length.clamp(8, bytes.len().max(8)))
        .unwrap_or_default()
        .chunks_exact(4)
        .enumerate()
        .filter(|(i, _)| *i != 1)
        .map(|(_, b)| b)
        .collect();
    let has = |names: &[&[u8]]| brands.iter().any(|brand| names.contains(brand));
    match () {
        () if has(&[b"avif", b"avis"]) => &AVIF,
        () if has(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]) => &HEIC,
        () if has(&[b"crx "]) => &CAMERA_RAW,
        () => &VIDEO,
    }
}

/// Whether the text begins as a drawing does, perhaps after a declaration and comments.
fn is_svg(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(bytes.get(..1024).unwrap_or(bytes));
    let head = head.trim_start_matches('\u{feff}').trim_start();
    head.starts_with("<svg") || ((head.starts_with("<?xml") || head.starts_with("<!--")) && head.contains("<svg"))
}

/// Whether a letter, a number and white space begin, and then a number, a comment, or a word of the newest kind.
fn is_pnm(bytes: &[u8]) -> bool {
    match bytes {
        [b'P', b'1'..=b'6', white, next, ..] => white.is_ascii_whitespace() && (next.is_ascii_digit() || *next == b'#'),
        _ => bytes.starts_with(b"P7\nWIDTH"),
    }
}

/// Whether the second header of a bitmap has one of the sizes that there are; two letters alone could begin a text.
fn is_bmp(bytes: &[u8]) -> bool {
    let size = bytes.get(14..18).and_then(|size| size.first_chunk()).map(|size| u32::from_le_bytes(*size));
    matches!(size, Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_extensions_are_those_of_the_kinds_that_can_be_read_and_belong_to_one_kind_each() {
        let readable = KINDS.iter().filter(|kind| kind.remedy.is_none()).flat_map(|kind| kind.extensions);
        assert_eq!(BTreeSet::from_iter(readable), BTreeSet::from_iter(&EXTENSIONS));
        let all: Vec<&&str> = KINDS.iter().flat_map(|kind| kind.extensions).collect();
        assert_eq!(all.len(), BTreeSet::from_iter(&all).len());
        assert_eq!(Kind::readable(), "JPEG, PNG, WebP, GIF, BMP and TIFF");
    }

    #[test]
    fn what_a_file_is_stands_in_its_first_bytes() {
        let cases: [(&[u8], &str); 14] = [
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "AVIF"),
            (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
            (b"\0\0\0\x14ftypcrx \0\0\0\x01crx ", "camera RAW"),
            (b"\0\0\0\x14ftypisom\0\0\x02\0mp41", "video"),
            (b"II*\0\x10\0\0\0CR\x02\0", "camera RAW"),
            (b"MM\0*\0\0\0\x08", "TIFF"),
            (b"\xff\x0a\xfa\x1f", "JPEG XL"),
            (b"\xff\x4f\xff\x51\0", "JPEG 2000"),
            (b"8BPS\0\x01", "Photoshop"),
            (b"<?xml version=\"1.0\"?>\n<svg xmlns=", "SVG"),
            (b"P6\n2 2\n255\n", "netpbm"),
            (b"\xff\xd8\xff\xe0", "JPEG"),
            (b"%PDF-1.7", "PDF"),
        ];
        for (bytes, name) in cases {
            assert_eq!(Kind::of_bytes(bytes).map(|kind| kind.name), Some(name), "{bytes:02x?}");
        }
        for bytes in [&b"BMW is a car, and no picture"[..], b"<html><svg></svg></html>", b"", b"P7 is not a picture"] {
            assert_eq!(Kind::of_bytes(bytes), None);
        }
    }

    #[test]
    fn every_kind_that_cannot_be_read_has_a_command() {
        for kind in KINDS.iter().filter_map(|kind| kind.other()) {
            assert!(kind.remedy.matches('`').count() == 2, "{kind:?}");
        }
    }
}
