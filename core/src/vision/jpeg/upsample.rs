//! Chroma at the size of the picture, as libjpeg makes it (`jdsample.c`): a triangle filter for halves, which weighs
//! the nearer sample by three quarters, and copies for other shares.

/// How the samples of a component become those of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upsampling {
    /// A sample a pixel.
    None,
    /// Half as many across, filtered.
    Across,
    /// Half as many down, filtered.
    Down,
    /// Half as many both ways, filtered.
    Both,
    /// So many copies across and down.
    Copies(usize, usize),
}

impl Upsampling {
    /// For so many pixels a sample across and down, where a row has `width` samples.
    pub(super) fn new(across: usize, down: usize, width: usize) -> Upsampling {
        match (across, down) {
            (1, 1) => Upsampling::None,
            // libjpeg's filter needs three samples.
            (2, 1) if width > 2 => Upsampling::Across,
            (2, 2) if width > 2 => Upsampling::Both,
            (1, 2) => Upsampling::Down,
            _ => Upsampling::Copies(across, down),
        }
    }

    /// Writes row `y` of the picture; `row` gives the component's samples, of `height` rows.
    #[inline(always)]
    pub(super) fn row<'a>(self, y: usize, height: usize, row: impl Fn(usize) -> &'a [u8], out: &mut [u8]) {
        // The row of which this one is a half, and the nearest row on its other side.
        let near = y / 2;
        let far = if y.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(height - 1) };
        match self {
            Upsampling::None => out.copy_from_slice(&row(y)[..out.len()]),
            Upsampling::Across => across(row(y), out),
            Upsampling::Down => {
                let bias = if y.is_multiple_of(2) { 1 } else { 2 };
                for (out, (&near, &far)) in out.iter_mut().zip(row(near).iter().zip(row(far))) {
                    *out = ((u16::from(near) * 3 + u16::from(far) + bias) >> 2) as u8;
                }
            }
            Upsampling::Both => both(row(near), row(far), out),
            Upsampling::Copies(across, down) => {
                for (out, &sample) in out.chunks_mut(across).zip(row(y / down)) {
                    out.fill(sample);
                }
            }
        }
    }
}

#[inline(always)]
fn across(samples: &[u8], out: &mut [u8]) {
    let last = samples.len() - 1;
    let weighed = |near: u8, far: u8, bias: u16| ((u16::from(near) * 3 + u16::from(far) + bias) >> 2) as u8;
    out[0] = samples[0];
    // Pairs of pixels between two samples: 1 and 2, 3 and 4, and so on.
    for (pair, (&left, &right)) in out[1..].as_chunks_mut::<2>().0.iter_mut().zip(samples.iter().zip(&samples[1..])) {
        *pair = [weighed(left, right, 2), weighed(right, left, 1)];
    }
    if let Some(end) = out.get_mut(2 * last + 1) {
        *end = samples[last];
    }
}

#[inline(always)]
fn both(near: &[u8], far: &[u8], out: &mut [u8]) {
    let last = near.len() - 1;
    let sum = |i: usize| u16::from(near[i]) * 3 + u16::from(far[i]);
    out[0] = ((sum(0) * 4 + 8) >> 4) as u8;
    let pairs = out[1..].as_chunks_mut::<2>().0.iter_mut();
    let lefts = near.iter().zip(far);
    for (pair, ((&near, &far), (&next_near, &next_far))) in pairs.zip(lefts.zip(near[1..].iter().zip(&far[1..]))) {
        let (left, right) = (u16::from(near) * 3 + u16::from(far), u16::from(next_near) * 3 + u16::from(next_far));
        *pair = [((left * 3 + right + 7) >> 4) as u8, ((right * 3 + left + 8) >> 4) as u8];
    }
    if let Some(end) = out.get_mut(2 * last + 1) {
        *end = ((sum(last) * 4 + 7) >> 4) as u8;
    }
}
