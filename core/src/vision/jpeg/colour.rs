//! RGB of a JPEG's components, as libjpeg (`jdcolor.c`) and, for four of them, Pillow compute it.

/// What the components of a JPEG are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colours {
    Grey,
    Rgb,
    YCbCr,
    Cmyk,
    Ycck,
}

impl Colours {
    /// By what libjpeg goes by: the number of components and their names, a JFIF header, and the transform that an
    /// Adobe header tells. `None` for another number of components.
    pub(super) fn of(names: &[u8], jfif: bool, adobe: Option<u8>) -> Option<Colours> {
        Some(match (names, adobe) {
            ([_], _) => Colours::Grey,
            ([_, _, _], _) if jfif => Colours::YCbCr,
            ([_, _, _], Some(0)) | ([b'R', b'G', b'B'], None) => Colours::Rgb,
            ([_, _, _], _) => Colours::YCbCr,
            ([_, _, _, _], None | Some(0)) => Colours::Cmyk,
            ([_, _, _, _], _) => Colours::Ycck,
            _ => return None,
        })
    }

    /// Writes a row of RGB from the rows of the components.
    #[inline(always)]
    pub(super) fn row(self, components: &[Vec<u8>], out: &mut [u8]) {
        match (self, components) {
            (Colours::Grey, [grey]) => {
                for (rgb, &grey) in out.chunks_exact_mut(3).zip(grey) {
                    rgb.fill(grey);
                }
            }
            (Colours::Rgb, [r, g, b]) => {
                for (rgb, ((&r, &g), &b)) in out.chunks_exact_mut(3).zip(r.iter().zip(g).zip(b)) {
                    rgb.copy_from_slice(&[r, g, b]);
                }
            }
            (Colours::YCbCr, [y, cb, cr]) => rgb_of_ycc(y, cb, cr, out),
            // Adobe's programs write them inverted, and Pillow takes all for Adobe's.
            (Colours::Cmyk, [c, m, y, k]) => {
                for (i, rgb) in out.chunks_exact_mut(3).enumerate() {
                    rgb.copy_from_slice(&without_black([255 - c[i], 255 - m[i], 255 - y[i]], k[i]));
                }
            }
            (Colours::Ycck, [y, cb, cr, k]) => {
                rgb_of_ycc(y, cb, cr, out);
                for (rgb, &k) in out.chunks_exact_mut(3).zip(k) {
                    rgb.copy_from_slice(&without_black([rgb[0], rgb[1], rgb[2]], k));
                }
            }
            _ => {}
        }
    }
}

/// Pillow's RGB of cyan, magenta and yellow, where `light` is what black leaves.
fn without_black(cmy: [u8; 3], light: u8) -> [u8; 3] {
    cmy.map(|ink| {
        let product = u32::from(ink) * u32::from(light) + 128;
        light.saturating_sub((((product >> 8) + product) >> 8) as u8)
    })
}

/// How many pixels are computed at once: their reds, greens and blues stay in the nearest cache.
const RUN: usize = 256;

/// ITU-R BT.601 in 16 bits behind the point.
#[inline(always)]
fn rgb_of_ycc(y: &[u8], cb: &[u8], cr: &[u8], out: &mut [u8]) {
    const HALF: i32 = 1 << 15;
    let limited = |value: i32| value.clamp(0, 255) as u8;
    let (mut red, mut green, mut blue) = ([0; RUN], [0; RUN], [0; RUN]);
    // Three plain loops and one that only interleaves: as one loop they would go pixel by pixel.
    for (((out, y), cb), cr) in out.chunks_mut(3 * RUN).zip(y.chunks(RUN)).zip(cb.chunks(RUN)).zip(cr.chunks(RUN)) {
        let (out, _) = out.as_chunks_mut::<3>();
        for (red, (&y, &cr)) in red.iter_mut().zip(y.iter().zip(cr)) {
            *red = limited(i32::from(y) + ((91881 * (i32::from(cr) - 128) + HALF) >> 16)); // 1.40200
        }
        for (green, ((&y, &cb), &cr)) in green.iter_mut().zip(y.iter().zip(cb).zip(cr)) {
            let (cb, cr) = (i32::from(cb) - 128, i32::from(cr) - 128);
            *green = limited(i32::from(y) + ((-22554 * cb - 46802 * cr + HALF) >> 16)); // .34414, .71414
        }
        for (blue, (&y, &cb)) in blue.iter_mut().zip(y.iter().zip(cb)) {
            *blue = limited(i32::from(y) + ((116130 * (i32::from(cb) - 128) + HALF) >> 16)); // 1.77200
        }
        for (rgb, ((&red, &green), &blue)) in out.iter_mut().zip(red.iter().zip(&green).zip(&blue)) {
            *rgb = [red, green, blue];
        }
    }
}
