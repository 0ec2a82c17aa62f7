//! How a convolution moves over an image.

/// How a convolution's windows move: everything but the weights. Pairs are (vertical, horizontal).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvParams {
    /// Pixels from one window to the next.
    pub stride: [usize; 2],
    /// Zeros [above, below] and [to the left, to the right].
    pub padding: [[usize; 2]; 2],
    /// Pixels from one tap of the kernel to the next; 1 is an ordinary kernel.
    pub dilation: [usize; 2],
    /// Number of groups, as PyTorch's `groups`.
    pub groups: usize,
}

impl ConvParams {
    /// The usual convolution: one stride, one padding for all sides, no dilation, one group.
    pub fn new(stride: usize, padding: usize) -> ConvParams {
        ConvParams { stride: [stride; 2], padding: [[padding; 2]; 2], dilation: [1; 2], groups: 1 }
    }
}
