//! Limits on the size of images.

/// The largest image that is decoded, so that a small file cannot fill the memory (a "decompression bomb").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest number of pixels, width times height.
    pub max_pixels: u64,
    /// The most memory that decoding may allocate, in bytes.
    pub max_bytes: u64,
}

impl Default for Limits {
    /// 178,956,970 pixels, which is Pillow's limit too, and 1 GiB.
    fn default() -> Limits {
        Limits { max_pixels: 178_956_970, max_bytes: 1 << 30 }
    }
}

impl Limits {
    /// Refuses a picture of this size, whose decoded samples take so many bytes.
    pub(super) fn check(&self, width: u32, height: u32, bytes: u64) -> Result<(), String> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels <= self.max_pixels && bytes <= self.max_bytes && pixels.saturating_mul(3) <= self.max_bytes {
            return Ok(());
        }
        Err(format!(
            "is too large: {width} by {height} pixels are {pixels}, and {} pixels in {} MB are allowed; make it \
             smaller, or raise the limits if you trust it",
            self.max_pixels,
            self.max_bytes >> 20
        ))
    }
}

/// Refuses a size that no picture may have.
pub(super) fn check_size(width: usize, height: usize) -> Result<(), String> {
    if width == 0 || height == 0 || width.saturating_mul(height) > 1 << 28 {
        return Err("a picture has at least 1 by 1 and at most 268,435,456 pixels".into());
    }
    Ok(())
}
