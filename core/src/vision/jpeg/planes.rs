//! The components of a JPEG: their coefficients, their samples, and the picture that these make.

use super::colour::Colours;
use super::header::{ComponentHeader, Frame};
use super::idct;
use super::upsample::Upsampling;
use super::words::unsupported;
use pulp::{Arch, NullaryFnOnce};

/// Brightness, a colour, or black.
pub(super) struct Component {
    pub(super) across: usize,
    pub(super) down: usize,
    /// How many blocks it has where it stands alone in a scan, and how many units where it does not.
    pub(super) own_across: usize,
    pub(super) own_down: usize,
    pub(super) units_across: usize,
    pub(super) units_down: usize,
    /// The number of its quantization table, and the table that it had when its first scan came.
    pub(super) table: usize,
    pub(super) quantization: Option<[u16; 64]>,
    upsampling: Upsampling,
    /// Samples across and down.
    width: usize,
    height: usize,
    /// How many rows of blocks `coefficients` has: all, or those of a unit.
    rows: usize,
    coefficients: Vec<[i16; 64]>,
    samples: Vec<u8>,
    /// How many bits of each coefficient have not been read; 255 for all of them.
    missing: [u8; 64],
}

impl Component {
    /// The components of a frame.
    ///
    /// # Errors
    /// Where the sizes of components are in no whole ratio.
    pub(super) fn all(frame: &Frame) -> Result<Vec<Component>, String> {
        let most = Sampling::of(frame);
        frame.components.iter().map(|header| Component::new(frame, header, most)).collect()
    }

    fn new(frame: &Frame, header: &ComponentHeader, most: Sampling) -> Result<Component, String> {
        let &ComponentHeader { across, down, table, .. } = header;
        if !most.across.is_multiple_of(across) || !most.down.is_multiple_of(down) {
            return Err(unsupported("sizes of its components that are in no whole ratio"));
        }
        let (width, height) = ((frame.width * across).div_ceil(most.across), (frame.height * down).div_ceil(most.down));
        let (units_across, units_down) = (frame.width.div_ceil(8 * most.across), frame.height.div_ceil(8 * most.down));
        let rows = if frame.is_progressive { units_down * down } else { down };
        let blocks = units_across * across;
        Ok(Component {
            across,
            down,
            own_across: width.div_ceil(8),
            own_down: height.div_ceil(8),
            units_across,
            units_down,
            table,
            quantization: None,
            upsampling: Upsampling::new(most.across / across, most.down / down, width),
            width,
            height,
            rows,
            coefficients: vec![[0; 64]; rows * blocks],
            samples: vec![0; units_down * down * 8 * blocks * 8],
            missing: [255; 64],
        })
    }

    /// The coefficients of a block.
    #[inline]
    pub(super) fn block(&mut self, x: usize, y: usize) -> &mut [i16; 64] {
        let blocks = self.units_across * self.across;
        &mut self.coefficients[y % self.rows * blocks + x]
    }

    /// Notes that of coefficients all bits were read but so many.
    pub(super) fn note(&mut self, coefficients: std::ops::RangeInclusive<usize>, missing: u8) {
        if let Some(notes) = self.missing.get_mut(coefficients) {
            notes.fill(missing);
        }
    }

    /// Whether all bits of all coefficients were read.
    pub(super) fn is_whole(&self) -> bool {
        self.missing == [0; 64]
    }

    /// Makes samples of a row of blocks, whose coefficients become zeros.
    pub(super) fn transform(&mut self, row: usize) {
        let Some(quantization) = self.quantization else { return };
        let blocks = self.units_across * self.across;
        let from = row % self.rows * blocks;
        let coefficients = &mut self.coefficients[from..from + blocks];
        let samples = &mut self.samples[row * 64 * blocks..(row + 1) * 64 * blocks];
        Arch::new().dispatch(Transform { coefficients, quantization: &quantization, samples });
    }

    fn row(&self, y: usize) -> &[u8] {
        let stride = self.units_across * self.across * 8;
        &self.samples[y * stride..y * stride + self.width]
    }
}

/// The most samples across and down.
#[derive(Clone, Copy)]
struct Sampling {
    across: usize,
    down: usize,
}

impl Sampling {
    fn of(frame: &Frame) -> Sampling {
        let most = |side: fn(&ComponentHeader) -> usize| frame.components.iter().map(side).max().unwrap_or(1);
        Sampling { across: most(|c| c.across), down: most(|c| c.down) }
    }
}

/// The memory that decoding takes, in bytes.
pub(super) fn memory(frame: &Frame) -> u64 {
    let most = Sampling::of(frame);
    let units = (frame.width.div_ceil(8 * most.across) * frame.height.div_ceil(8 * most.down)) as u64;
    let blocks: u64 = frame.components.iter().map(|c| (c.across * c.down) as u64 * units).sum();
    let samples = blocks * 64;
    let coefficients = if frame.is_progressive { 2 * samples } else { 0 };
    samples + coefficients + 3 * (frame.width * frame.height) as u64
}

/// The picture of all components, in RGB.
pub(super) fn picture(width: usize, height: usize, components: &[Component], colours: Colours) -> Vec<u8> {
    let mut rgb = vec![0; width * height * 3];
    Arch::new().dispatch(Picture { width, components, colours, rgb: &mut rgb });
    rgb
}

// Loops that are handed to `dispatch` as structs, since closures are not compiled for the processor's registers.

struct Transform<'a> {
    coefficients: &'a mut [[i16; 64]],
    quantization: &'a [u16; 64],
    samples: &'a mut [u8],
}

impl NullaryFnOnce for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let stride = self.coefficients.len() * 8;
        for (x, block) in self.coefficients.iter_mut().enumerate() {
            let samples = &mut self.samples[8 * x..];
            if idct::is_flat(block) {
                let sample = idct::flat(block[0], self.quantization[0]);
                for row in samples.chunks_mut(stride) {
                    row[..8].fill(sample);
                }
            } else {
                idct::inverse(block, self.quantization, samples, stride);
            }
            *block = [0; 64];
        }
    }
}

struct Picture<'a> {
    width: usize,
    components: &'a [Component],
    colours: Colours,
    rgb: &'a mut [u8],
}

impl NullaryFnOnce for Picture<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let mut rows = vec![vec![0; self.width]; self.components.len()];
        for (y, out) in self.rgb.chunks_exact_mut(3 * self.width).enumerate() {
            for (row, component) in rows.iter_mut().zip(self.components) {
                component.upsampling.row(y, component.height, |y| component.row(y), row);
            }
            self.colours.row(&rows, out);
        }
    }
}
