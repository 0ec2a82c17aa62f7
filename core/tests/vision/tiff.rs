//! TIFF as its specification (TIFF 6.0, Adobe 1992) has it, in files that are written here byte by byte.

use tallow::vision::{Image, Limits};

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const BITS: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const FILL_ORDER: u16 = 266;
const STRIP_OFFSETS: u16 = 273;
const ORIENTATION: u16 = 274;
const SAMPLES: u16 = 277;
const STRIP_BYTES: u16 = 279;
const PLANAR: u16 = 284;
const COLOURS: u16 = 320;
const EXTRA_SAMPLES: u16 = 338;
const SUBFILE: u16 = 254;
const SUB_IFDS: u16 = 330;
const DNG_VERSION: u16 = 50706;

/// Tags with their values, and the bytes of one strip (or, if planar, of equal strips).
struct Page(Vec<(u16, Vec<u32>)>, Vec<u8>);

impl Page {
    fn grey(width: u32, height: u32, bits: u32, data: Vec<u8>) -> Page {
        let tags = [(WIDTH, width), (HEIGHT, height), (BITS, bits), (COMPRESSION, 1), (PHOTOMETRIC, 1), (SAMPLES, 1)];
        Page(tags.map(|(tag, value)| (tag, vec![value])).into(), data)
    }

    fn with(mut self, tag: u16, values: &[u32]) -> Page {
        self.0.retain(|(t, _)| *t != tag);
        self.0.push((tag, values.to_vec()));
        self
    }
}

/// A file of these pages. Sizes, offsets and lists of files are 32-bit numbers, all else is 16-bit.
fn file(is_little: bool, pages: Vec<Page>) -> Vec<u8> {
    let short = |v: u16| if is_little { v.to_le_bytes() } else { v.to_be_bytes() };
    let long = |v: u32| if is_little { v.to_le_bytes() } else { v.to_be_bytes() };
    let mut out = if is_little { b"II*\0\0\0\0\0".to_vec() } else { b"MM\0*\0\0\0\0".to_vec() };
    let mut link = 4;
    for Page(mut tags, data) in pages {
        let is_planar = tags.iter().any(|(tag, values)| *tag == PLANAR && values[0] == 2);
        let samples = tags.iter().find(|(tag, _)| *tag == SAMPLES).unwrap().1[0];
        let strips = if is_planar { samples } else { 1 };
        let each = data.len() as u32 / strips;
        tags.push((STRIP_OFFSETS, (0..strips).map(|i| out.len() as u32 + i * each).collect()));
        tags.push((STRIP_BYTES, vec![each; strips as usize]));
        tags.sort();
        out.extend(data);
        let is_long = |tag: u16| [WIDTH, HEIGHT, STRIP_OFFSETS, STRIP_BYTES, SUBFILE, SUB_IFDS].contains(&tag);
        let mut entries = Vec::new();
        for (tag, values) in &tags {
            let values_of = |&v: &u32| if is_long(*tag) { long(v).to_vec() } else { short(v as u16).to_vec() };
            let mut bytes: Vec<u8> = values.iter().flat_map(values_of).collect();
            if bytes.len() > 4 {
                let at = out.len() as u32;
                out.extend(&bytes);
                bytes = long(at).to_vec();
            }
            bytes.resize(4, 0);
            entries.extend(short(*tag));
            entries.extend(short(if is_long(*tag) { 4 } else { 3 }));
            entries.extend(long(values.len() as u32));
            entries.extend(bytes);
        }
        let start = out.len() as u32;
        out[link..link + 4].copy_from_slice(&long(start));
        out.extend(short(tags.len() as u16));
        out.extend(entries);
        link = out.len();
        out.extend([0; 4]);
    }
    out
}

fn read(is_little: bool, page: Page) -> Vec<u8> {
    Image::decode(&file(is_little, vec![page]), Limits::default()).unwrap().into_bytes()
}

fn refused(page: Page) -> String {
    Image::decode(&file(true, vec![page]), Limits::default()).unwrap_err().to_string()
}

#[test]
fn samples_of_all_sizes_in_both_byte_orders_become_bytes() {
    // 16 bits are rounded: 0x8080 is 128 of 255, 0x807f + 128 is not yet 128 more.
    let levels: [u16; 4] = [0, 0xffff, 0x8080, 0x0101];
    for is_little in [true, false] {
        let data = levels.iter().flat_map(|v| if is_little { v.to_le_bytes() } else { v.to_be_bytes() }).collect();
        let grey = [0, 255, 128, 1].map(|v| [v; 3]).concat();
        assert_eq!(read(is_little, Page::grey(2, 2, 16, data)), grey);
    }
    // Rows end with whole bytes: three pixels of 4 bits are two bytes, ten of 1 bit too.
    assert_eq!(
        read(true, Page::grey(3, 2, 4, vec![0x0f, 0x80, 0x12, 0x30])),
        [0, 255, 136, 17, 34, 51].map(|v| [v; 3]).concat()
    );
    assert_eq!(read(true, Page::grey(2, 1, 2, vec![0b0110_0000])), [85, 170].map(|v| [v; 3]).concat());
    let ten = read(false, Page::grey(10, 1, 1, vec![0b1000_0001, 0b0100_0000]));
    assert_eq!(ten, [255, 0, 0, 0, 0, 0, 0, 255, 0, 255].map(|v| [v; 3]).concat());
    // WhiteIsZero.
    assert_eq!(read(true, Page::grey(2, 1, 8, vec![0, 200]).with(PHOTOMETRIC, &[0])), [255, 255, 255, 55, 55, 55]);
}

#[test]
fn colours_stand_pixel_by_pixel_in_planes_or_in_a_palette() {
    let rgb = |data: &[u8]| Page::grey(2, 1, 8, data.to_vec()).with(PHOTOMETRIC, &[2]).with(SAMPLES, &[3]);
    let rgb = |data: &[u8]| rgb(data).with(BITS, &[8, 8, 8]);
    let want = vec![1, 2, 3, 40, 50, 60];
    assert_eq!(read(true, rgb(&[1, 2, 3, 40, 50, 60])), want);
    assert_eq!(read(true, rgb(&[1, 40, 2, 50, 3, 60]).with(PLANAR, &[2])), want);
    // Four samples: of opacity that is kept apart, of opacity that the colours were multiplied with, of infrared.
    let four = |kind: u32| rgb(&[1, 2, 3, 51, 40, 50, 60, 255]).with(SAMPLES, &[4]).with(EXTRA_SAMPLES, &[kind]);
    let four = |kind| read(true, four(kind).with(BITS, &[8; 4]));
    assert_eq!((four(2), four(0)), (want.clone(), want.clone()));
    assert_eq!(four(1), [5, 10, 15, 40, 50, 60]);
    // A palette of 16 colours, all reds first; the second file has 8-bit values in it, against the specification.
    let colours: Vec<u32> = (0..48).map(|i| i * 257 * 5).collect();
    for is_little in [true, false] {
        let page = Page::grey(2, 1, 4, vec![0x1f]).with(PHOTOMETRIC, &[3]);
        assert_eq!(read(is_little, page.with(COLOURS, &colours)), [5, 85, 165, 75, 155, 235]);
        let bytes: Vec<u32> = (0..48).map(|i| i * 5).collect();
        let page = Page::grey(2, 1, 4, vec![0x1f]).with(PHOTOMETRIC, &[3]);
        assert_eq!(read(is_little, page.with(COLOURS, &bytes)), [5, 85, 165, 75, 155, 235]);
    }
}

#[test]
fn the_first_page_is_read_and_the_others_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let small = || Page::grey(1, 1, 8, vec![7]).with(SUBFILE, &[1]);
    let page = |level: u8| Page::grey(3, 1, 8, vec![level; 3]);
    let cases = [
        (vec![page(1), page(2), page(3)], 3),
        // A small version before, after and between pages is none.
        (vec![small(), page(1)], 1),
        (vec![page(1), small(), page(2)], 2),
    ];
    for (pages, n) in cases {
        let path = dir.path().join("pages.jpg"); // the content counts, not the name
        std::fs::write(&path, file(true, pages)).unwrap();
        assert_eq!(Image::open(&path).unwrap().bytes(), [1; 9]);
        assert_eq!((Image::size_of_file(&path).unwrap(), Image::pages_of_file(&path).unwrap()), ((3, 1), n));
    }
    assert_eq!(Image::pages_of_file(crate::fixtures().join("pictures/two_pages.tif")).unwrap(), 2);
    assert_eq!(Image::pages_of_file(crate::fixtures().join("pictures/420.jpg")).unwrap(), 1);
    // Orientation 6: what the file has at the left is on top.
    let turned = file(true, vec![Page::grey(2, 1, 8, vec![10, 20]).with(ORIENTATION, &[6])]);
    let turned = Image::decode(&turned, Limits::default()).unwrap();
    assert_eq!((turned.width(), turned.height(), turned.pixel(0, 0)), (1, 2, [10; 3]));
}

#[test]
fn what_cannot_be_read_is_refused_with_a_command() {
    let page = || Page::grey(2, 1, 8, vec![1, 2]);
    assert!(refused(page().with(DNG_VERSION, &[1, 4, 0, 0])).contains("camera RAW"));
    assert!(refused(page().with(SUBFILE, &[1]).with(SUB_IFDS, &[8])).contains("darktable-cli"));
    for (page, words) in [
        (page().with(COMPRESSION, &[50000]), "ZSTD"),
        (page().with(339, &[3]).with(BITS, &[32]), "32 bits of signed or floating-point numbers"),
        (page().with(PHOTOMETRIC, &[8]).with(SAMPLES, &[3]), "CIELab"),
        (page().with(BITS, &[12]), "12 bits"),
    ] {
        let message = refused(page);
        assert!(message.contains(words) && message.contains("`magick photo.tif photo.png`"), "{message}");
    }
    // Greys of which one would be the picture: together, in planes, of 16 bits, and two that are not told apart.
    let samples = |n: u32, bits: u32| page().with(SAMPLES, &[n]).with(BITS, &vec![bits; n as usize]);
    for (page, n) in [
        (samples(3, 8), 3),
        (samples(3, 8).with(PLANAR, &[2]).with(EXTRA_SAMPLES, &[0, 0]), 3),
        (samples(4, 16).with(EXTRA_SAMPLES, &[0, 0, 0]), 4),
        (samples(3, 8).with(PHOTOMETRIC, &[0]), 3),
        (samples(2, 8), 2),
        (samples(2, 16).with(EXTRA_SAMPLES, &[0]), 2),
        (samples(3, 8).with(PHOTOMETRIC, &[3]).with(COLOURS, &[0; 768]), 3),
    ] {
        let message = refused(page);
        let options = if n == 2 { "-b 1 photo.tif" } else { "-b 1 -b 2 -b 3 -co PHOTOMETRIC=RGB photo.tif" };
        assert!(message.contains(&format!("{n} samples for each pixel")) && message.contains("bands"), "{message}");
        assert!(message.contains(&format!("`gdal_translate {options}")), "{message}");
    }
    // Opacity beside a grey is none.
    for kind in [1, 2] {
        let page = Page::grey(1, 1, 16, vec![100, 100, 255, 255]).with(SAMPLES, &[2]).with(BITS, &[16; 2]);
        assert_eq!(read(true, page.with(EXTRA_SAMPLES, &[kind])), [100; 3]);
    }
    // A palette of fewer colours than there are numbers.
    assert!(refused(page().with(PHOTOMETRIC, &[3]).with(COLOURS, &[0; 30])).contains("palette is too short"));
}

#[test]
fn a_bomb_is_refused_before_memory_is_taken_and_a_cut_file_never_panics() {
    let message = refused(Page::grey(60_000, 60_000, 8, vec![0; 10]));
    assert!(message.contains("too large: 60000 by 60000"), "{message}");
    // A JPEG in a small picture that says to be large: its height and width follow the frame's marker.
    let mut bytes = std::fs::read(crate::fixtures().join("pictures/rgb_jpeg.tif")).unwrap();
    let frame = bytes.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    bytes[frame + 5..frame + 9].copy_from_slice(&[0x3f, 0xff, 0x3f, 0xff]);
    let message = Image::decode(&bytes, Limits::default()).unwrap_err().to_string();
    assert!(message.contains("a JPEG in it is larger than its place"), "{message}");
    for name in ["rgb_tiff_lzw.tif", "rgb_jpeg.tif", "palette.tif", "group4.tif", "two_pages.tif"] {
        let bytes = std::fs::read(crate::fixtures().join("pictures").join(name)).unwrap();
        for length in 0..bytes.len() {
            if let Err(error) = Image::decode(&bytes[..length], Limits::default()) {
                assert!(!error.to_string().contains("did not expect"), "{name} of {length} bytes: {error}");
            }
        }
    }
}

#[test]
fn bits_in_reverse_order_are_turned_where_pillow_refuses_too() {
    let turned = |page: Page| page.with(FILL_ORDER, &[2]);
    let colours: Vec<u32> = (0..48).map(|i| i * 257 * 5).collect();
    let palette = || Page::grey(2, 1, 4, vec![0xf8]).with(PHOTOMETRIC, &[3]).with(COLOURS, &colours);
    for is_little in [true, false] {
        assert_eq!(read(is_little, turned(palette())), [5, 85, 165, 75, 155, 235]);
        // Planes, and 16 bits, whose two bytes are turned each.
        let planes = Page::grey(2, 1, 8, vec![1, 2, 4, 8, 16, 32]).with(SAMPLES, &[3]).with(BITS, &[8; 3]);
        let planes = planes.with(PHOTOMETRIC, &[2]).with(PLANAR, &[2]);
        assert_eq!(read(is_little, turned(planes)), [128, 32, 8, 64, 16, 4]);
        assert_eq!(read(is_little, turned(Page::grey(1, 1, 16, vec![0x03, 0x03]))), [0xc0; 3]);
    }
    // The first page alone has its bits in reverse order, and then the second alone.
    let page = || Page::grey(3, 1, 8, vec![3; 3]);
    for (pages, want) in [(vec![turned(page()), page()], 0xc0), (vec![page(), turned(page())], 3)] {
        assert_eq!(Image::decode(&file(true, pages), Limits::default()).unwrap().bytes(), [want; 9]);
    }
    // A JPEG's have one order, whatever the tag says.
    let jpeg = std::fs::read(crate::fixtures().join("pictures/grey.jpg")).unwrap();
    let (width, height) = Image::size_of_bytes(&jpeg).unwrap();
    let page = || Page::grey(width as u32, height as u32, 8, jpeg.clone()).with(COMPRESSION, &[7]);
    assert_eq!(read(true, turned(page())), read(true, page()));
    // The copy of the file counts as memory.
    let page = Page::grey(3, 1, 8, vec![3; 3]);
    let (bytes, small) = (file(true, vec![turned(page)]), Limits { max_bytes: 100, ..Limits::default() });
    assert!(Image::decode(&bytes, small).unwrap_err().to_string().contains("too large"));
}

#[test]
fn pages_in_a_circle_are_read_and_counted_once() {
    let dir = tempfile::tempdir().unwrap();
    let small = || Page::grey(1, 1, 8, vec![7]).with(SUBFILE, &[1]);
    let page = |level: u8| Page::grey(3, 1, 8, vec![level; 3]);
    for (pages, n) in [
        (vec![page(1)], 1),
        (vec![page(1), page(2), page(3)], 3),
        (vec![small(), page(1)], 1),
        (vec![small(), page(1), page(2), small()], 2),
    ] {
        for is_little in [true, false] {
            let mut bytes =
                file(is_little, pages.iter().map(|Page(tags, data)| Page(tags.clone(), data.clone())).collect());
            // The last link, which ends the file, leads to the first directory.
            let end = bytes.len() - 4;
            bytes.copy_within(4..8, end);
            let path = dir.path().join("circle.tif");
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(Image::open(&path).unwrap().bytes(), [1; 9]);
            assert_eq!((Image::size_of_file(&path).unwrap(), Image::pages_of_file(&path).unwrap()), ((3, 1), n));
        }
    }
    std::fs::write(dir.path().join("head.tif"), b"II*\0\x08\0\0\0\x09").unwrap();
    let error = Image::pages_of_file(dir.path().join("head.tif")).unwrap_err().to_string();
    assert!(error.contains("it has no page"), "{error}");
}
