//! Padding.

use super::Image;
use serde::{Deserialize, Serialize};

/// The values beyond an image's border. fast.ai's `PadMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PadMode {
    /// Black. torchvision's `constant`.
    Zeros,
    /// The nearest border pixel. torchvision's `edge`.
    Border,
    /// A reflection that does not repeat the border pixel. torchvision's `reflect`.
    #[default]
    Reflection,
}

impl std::fmt::Display for PadMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PadMode::Zeros => "zeros",
            PadMode::Border => "the border",
            PadMode::Reflection => "its reflection",
        })
    }
}

impl PadMode {
    /// The index within `0..n` that is seen at `i`, or nothing where all is black.
    pub(super) fn index(self, i: i64, n: usize) -> Option<usize> {
        if (0..n as i64).contains(&i) {
            return Some(i as usize);
        }
        match self {
            PadMode::Zeros => None,
            PadMode::Border => Some(i.clamp(0, n as i64 - 1) as usize),
            PadMode::Reflection if n == 1 => Some(0),
            PadMode::Reflection => {
                let period = 2 * (n as i64 - 1);
                let i = i.rem_euclid(period);
                Some(i.min(period - i) as usize)
            }
        }
    }
}

/// Pads an image by `[left, top, right, bottom]` pixels. torchvision's `pad`.
pub fn pad(picture: &Image, [left, top, right, bottom]: [usize; 4], mode: PadMode) -> Image {
    let (w, h) = (picture.width(), picture.height());
    let (out_w, out_h) = (w + left + right, h + top + bottom);
    let mut bytes = vec![0; out_w * out_h * 3];
    for (y, out) in bytes.chunks_exact_mut(out_w * 3).enumerate() {
        let Some(from) = mode.index(y as i64 - top as i64, h) else { continue };
        let row = picture.row(from);
        out[left * 3..(left + w) * 3].copy_from_slice(row);
        for x in (0..left).chain(left + w..out_w) {
            if let Some(from) = mode.index(x as i64 - left as i64, w) {
                out[x * 3..x * 3 + 3].copy_from_slice(&row[from * 3..from * 3 + 3]);
            }
        }
    }
    Image::from_parts(out_w, out_h, bytes)
}
