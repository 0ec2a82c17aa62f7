//! Sizes of files in words.

/// A size for a reader: `28.9 kB`, `9.9 MB`. Decimal units, as download pages and disks use them.
pub fn megabytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_unit_that_suits_them() {
        let words = [999, 28_881, 9_912_422, 1_234_000_000].map(megabytes);
        assert_eq!(words, ["999 bytes", "28.9 kB", "9.9 MB", "1.23 GB"]);
    }
}
