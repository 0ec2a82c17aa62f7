//! Whether a JPEG is all there. Decoders fill what is missing with grey and say nothing; a network would learn the
//! grey.

/// Whether the stream of markers that a JPEG is (ITU-T T.81, annex B) goes on to its end marker.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    const START: u8 = 0xd8;
    const END: u8 = 0xd9;
    const SCAN: u8 = 0xda;
    let mut at = 0;
    loop {
        let Some(marker) = next_marker(bytes, &mut at) else { return false };
        match marker {
            END => return true,
            START | 0x01 | 0xd0..=0xd7 => {}
            _ => {
                // All other markers begin a segment that tells its own length.
                let Some(length) = bytes.get(at..at + 2) else { return false };
                at += usize::from(u16::from_be_bytes([length[0], length[1]]));
                if marker == SCAN && !skip_entropy_coded(bytes, &mut at) {
                    return false;
                }
            }
        }
    }
}

/// Width and height as the first frame's header tells them.
pub(super) fn frame_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 0;
    while let Some(marker) = next_marker(bytes, &mut at) {
        match marker {
            0xd8 | 0x01 | 0xd0..=0xd7 => {}
            // SOF0 to SOF15, without the tables and the reserved code that stand among them.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let &[_, _, _, h1, h0, w1, w0] = bytes.get(at..)?.first_chunk()?;
                return Some((u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into()));
            }
            _ => at += usize::from(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?)),
        }
    }
    None
}

/// The code of the next marker at or after `at`, which moves behind it.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    while *at + 1 < bytes.len() {
        if bytes[*at] == 0xff && !matches!(bytes[*at + 1], 0x00 | 0xff) {
            *at += 2;
            return Some(bytes[*at - 1]);
        }
        *at += 1;
    }
    None
}

/// Moves `at` over entropy-coded data, in which 0xff is followed by 0 or by a restart marker, to the next other marker.
fn skip_entropy_coded(bytes: &[u8], at: &mut usize) -> bool {
    while *at + 1 < bytes.len() {
        if bytes[*at] == 0xff && !matches!(bytes[*at + 1], 0x00 | 0xd0..=0xd7 | 0xff) {
            return true;
        }
        *at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_picture_counts_and_not_that_of_a_thumbnail_inside() {
        let thumbnail = [0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9];
        let scan = [0xff, 0xda, 0, 2, 1, 2, 0xff, 0x00, 3, 0xff, 0xd3, 4];
        let mut file = vec![0xff, 0xd8];
        file.extend(thumbnail);
        file.extend(scan);
        assert!(!is_complete(&file));
        file.extend([0xff, 0xd9]);
        assert!(is_complete(&file));
        file.extend(*b"what a camera adds");
        assert!(is_complete(&file));
        for length in 0..file.len() - 18 {
            assert!(!is_complete(&file[..length]), "{length}");
        }
    }
}
