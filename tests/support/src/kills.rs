//! Moments at which tests kill processes.

/// Numbers from 0 to 1, the same each time.
pub fn random() -> impl FnMut() -> f64 {
    let mut state = 20_261_129u64;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    }
}

/// How many kills a test makes: as many as `TALLOW_KILLS` asks for, or `few`.
pub fn wanted(few: usize) -> usize {
    std::env::var("TALLOW_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(few)
}
