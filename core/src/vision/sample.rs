//! Looking up a picture at points between its pixels: torch's `affine_grid` and `grid_sample` with `align_corners`.

use super::pad::PadMode;
use super::{ChannelPlanes, Image, Mask};

/// Where the pixels of a result come from, in coordinates in which the picture reaches from -1 to 1 both ways.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coordinates {
    /// Two rows of `[x, y, 1]`.
    pub(super) affine: [[f32; 3]; 2],
    /// A perspective after it: `x = (p0 x + p1 y + p2) / (p6 x + p7 y + 1)`, `y` with p3 to p5.
    pub(super) warp: Option<[f32; 8]>,
}

impl Coordinates {
    pub(super) const IDENTITY: Coordinates = Coordinates { affine: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], warp: None };

    #[inline]
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        let [[a, b, c], [d, e, f]] = self.affine;
        let (u, v) = (a * x + b * y + c, d * x + e * y + f);
        match self.warp {
            None => (u, v),
            Some([a, b, c, d, e, f, g, h]) => {
                let w = g * u + h * v + 1.0;
                ((a * u + b * v + c) / w, (d * u + e * v + f) / w)
            }
        }
    }

    /// The largest difference between any two coordinates of a grid; straight lines stay straight, so its corners have
    /// it.
    fn extent(&self) -> f32 {
        let corners = [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)].map(|(x, y)| self.at(x, y));
        let all = corners.iter().flat_map(|&(x, y)| [x, y]);
        let (low, high) = all.fold((f32::INFINITY, f32::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
        high - low
    }
}

/// What can be looked up: a picture, as values between 0 and 1, or planes.
pub(super) trait Source {
    fn size(&self) -> (usize, usize);
    fn at(&self, x: usize, y: usize) -> [f32; 3];

    /// A pixel and its right neighbour.
    fn pair(&self, x: usize, y: usize) -> [[f32; 3]; 2] {
        [self.at(x, y), self.at(x + 1, y)]
    }

    /// What values are multiplied by.
    const SCALE: f32;
}

impl Source for Image {
    const SCALE: f32 = 1.0 / 255.0;

    fn size(&self) -> (usize, usize) {
        (self.width(), self.height())
    }

    fn at(&self, x: usize, y: usize) -> [f32; 3] {
        let at = (y * self.width() + x) * 3;
        let pixel = &self.bytes()[at..at + 3];
        [f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2])]
    }

    fn pair(&self, x: usize, y: usize) -> [[f32; 3]; 2] {
        let at = (y * self.width() + x) * 3;
        let both = &self.bytes()[at..at + 6];
        let value = |i: usize| f32::from(both[i]);
        [[value(0), value(1), value(2)], [value(3), value(4), value(5)]]
    }
}

impl Source for ChannelPlanes {
    const SCALE: f32 = 1.0;

    fn size(&self) -> (usize, usize) {
        (self.width(), self.height())
    }

    fn at(&self, x: usize, y: usize) -> [f32; 3] {
        let (n, at) = (self.width() * self.height(), y * self.width() + x);
        [self.values()[at], self.values()[n + at], self.values()[2 * n + at]]
    }
}

/// Planes of `width` by `height` whose pixels are looked up bilinearly, as fast.ai does it: a source more than
/// twice as large as is asked for is first made smaller by averaging.
pub(super) fn sample(
    source: &impl Source,
    coordinates: &Coordinates,
    width: usize,
    height: usize,
    pad: PadMode,
) -> ChannelPlanes {
    let (w, h) = source.size();
    let shrink = (h as f32 / height as f32).min(w as f32 / width as f32) / 2.0;
    if shrink > 1.0 && shrink > 2.0 / coordinates.extent() {
        let smaller = |size: usize| ((size as f32 / shrink) as usize).max(1);
        return bilinear(&average(source, smaller(w), smaller(h)), coordinates, width, height, pad);
    }
    bilinear(source, coordinates, width, height, pad)
}

fn bilinear<S: Source>(
    source: &S,
    coordinates: &Coordinates,
    width: usize,
    height: usize,
    pad: PadMode,
) -> ChannelPlanes {
    let (w, h) = source.size();
    let n = width * height;
    let mut values = vec![0.0; 3 * n];
    let (red, rest) = values.split_at_mut(n);
    let (green, blue) = rest.split_at_mut(n);
    for_each_point(coordinates, (w, h), (width, height), |at, x, y| {
        let [r, g, b] = look_up(source, x, y, w, h, pad);
        (red[at], green[at], blue[at]) = (r * S::SCALE, g * S::SCALE, b * S::SCALE);
    });
    ChannelPlanes::from_parts(width, height, values)
}

/// A mask of `width` by `height` of the nearest pixels, a point midway being nearer to the even one.
pub(super) fn sample_mask(mask: &Mask, coordinates: &Coordinates, width: usize, height: usize, pad: PadMode) -> Mask {
    let (w, h) = (mask.width(), mask.height());
    let mut places = vec![None; width * height];
    for_each_point(coordinates, (w, h), (width, height), |at, x, y| {
        let (x, y) = padded(x, y, w, h, pad);
        let (x, y) = (x.round_ties_even(), y.round_ties_even());
        let is_there = x >= 0.0 && y >= 0.0 && x < w as f32 && y < h as f32;
        places[at] = is_there.then_some((x as usize, y as usize));
    });
    mask.gather(width, height, |x, y| places[y * width + x])
}

/// Calls `f` with the number of each pixel of a result of `size`, and with the point of a source of `from` that it
/// comes from, in pixels.
#[inline]
fn for_each_point(
    coordinates: &Coordinates,
    from: (usize, usize),
    (width, height): (usize, usize),
    mut f: impl FnMut(usize, f32, f32),
) {
    let (half_w, half_h) = ((from.0 - 1) as f32 / 2.0, (from.1 - 1) as f32 / 2.0);
    let grid = |i: usize, n: usize| if n > 1 { 2.0 * i as f32 / (n - 1) as f32 - 1.0 } else { 0.0 };
    let columns: Vec<f32> = (0..width).map(|x| grid(x, width)).collect();
    for y in 0..height {
        let row_y = grid(y, height);
        for (x, &column_x) in columns.iter().enumerate() {
            let (u, v) = coordinates.at(column_x, row_y);
            f(y * width + x, (u + 1.0) * half_w, (v + 1.0) * half_h);
        }
    }
}

/// The point that is seen at a point.
#[inline]
fn padded(x: f32, y: f32, w: usize, h: usize, pad: PadMode) -> (f32, f32) {
    match pad {
        PadMode::Zeros => (x, y),
        PadMode::Border => (x.clamp(0.0, (w - 1) as f32), y.clamp(0.0, (h - 1) as f32)),
        PadMode::Reflection => (reflected(x, w), reflected(y, h)),
    }
}

/// The value at a point in pixels, the first pixel having its middle at 0.
#[inline]
fn look_up(source: &impl Source, x: f32, y: f32, w: usize, h: usize, pad: PadMode) -> [f32; 3] {
    let (x, y) = padded(x, y, w, h, pad);
    // Cutting a number that is not negative is `floor`, which older processors have no instruction for.
    let (x0, y0) = (x as i32, y as i32);
    let inside = x >= 0.0 && y >= 0.0 && x0 < w as i32 - 1 && y0 < h as i32 - 1;
    let (left, top) = if inside { (x0 as f32, y0 as f32) } else { (x.floor(), y.floor()) };
    let (dx, dy) = (x - left, y - top);
    let corners = if inside {
        let ([a, b], [c, d]) = (source.pair(x0 as usize, y0 as usize), source.pair(x0 as usize, y0 as usize + 1));
        [a, b, c, d]
    } else {
        // On the last row or column, or outside: what is not there counts as black.
        let there = |x: f32, y: f32| {
            let is_there = x >= 0.0 && y >= 0.0 && x < w as f32 && y < h as f32;
            if is_there { source.at(x as usize, y as usize) } else { [0.0; 3] }
        };
        [there(left, top), there(left + 1.0, top), there(left, top + 1.0), there(left + 1.0, top + 1.0)]
    };
    let [a, b, c, d] = corners;
    let (p, q, r, s) = ((1.0 - dx) * (1.0 - dy), dx * (1.0 - dy), (1.0 - dx) * dy, dx * dy);
    let mix = |channel: usize| p * a[channel] + q * b[channel] + r * c[channel] + s * d[channel];
    [mix(0), mix(1), mix(2)]
}

/// A coordinate brought between the middles of the first and the last pixel by mirrors that stand there.
fn reflected(x: f32, size: usize) -> f32 {
    let span = (size - 1) as f32;
    if (0.0..=span).contains(&x) {
        return x;
    }
    if span == 0.0 || !x.is_finite() {
        return 0.0;
    }
    let x = x.abs() % (2.0 * span);
    if x > span { 2.0 * span - x } else { x }
}

/// Averages over blocks. torch's `adaptive_avg_pool2d`, which is `interpolate` in mode "area".
fn average<S: Source>(source: &S, width: usize, height: usize) -> ChannelPlanes {
    let (w, h) = source.size();
    let block = |i: usize, all: usize, n: usize| (i * all / n)..((i + 1) * all).div_ceil(n);
    let n = width * height;
    let mut values = vec![0.0; 3 * n];
    for y in 0..height {
        let rows = block(y, h, height);
        for x in 0..width {
            let columns = block(x, w, width);
            let mut sum = [0.0f32; 3];
            for from_y in rows.clone() {
                for from_x in columns.clone() {
                    let pixel = source.at(from_x, from_y);
                    (0..3).for_each(|channel| sum[channel] += pixel[channel]);
                }
            }
            let scale = S::SCALE / (rows.len() * columns.len()) as f32;
            (0..3).for_each(|channel| values[channel * n + y * width + x] = sum[channel] * scale);
        }
    }
    ChannelPlanes::from_parts(width, height, values)
}
