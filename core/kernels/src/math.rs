//! Functions that the compiler can vectorise: straight-line arithmetic in `f32`, accurate to a few units in the last
//! place. The polynomials are those of Cephes (Moshier).

/// `eˣ`.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// Adding this moves the integer part of a number of moderate size into its last bits.
    const SHIFT: f32 = 12_582_912.0;
    // Beyond these the result is 0 or infinity anyway. NaN passes both comparisons.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4 * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    // 2ⁿ in two factors, since n goes from -150 to 128.
    let n = (shifted.to_bits() as i32).wrapping_sub(SHIFT.to_bits() as i32);
    let half = n >> 1;
    let power = |n: i32| f32::from_bits((n.wrapping_add(127) as u32) << 23);
    p * power(half) * power(n.wrapping_sub(half))
}

/// `1 / (1 + e⁻ˣ)`.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let z = x * x;
    let p = -5.704_988_7e-3 * z + 2.063_909e-2;
    let p = p * z - 5.373_971_6e-2;
    let p = p * z + 1.333_144_2e-1;
    let p = p * z - 3.333_328e-1;
    let small = p * z * x + x;
    let large = 1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0);
    if x.abs() < 0.625 { small } else { large.copysign(x) }
}

/// `1 - erf(x)`, accurate also where it is small.
#[inline(always)]
pub(super) fn erfc(x: f32) -> f32 {
    let (a, z) = (x.abs(), x * x);
    let p = 7.853_861_4e-5 * z - 8.010_193_6e-4;
    let p = p * z + 5.188_327_7e-3;
    let p = p * z - 2.685_381_2e-2;
    let p = p * z + 1.128_358_5e-1;
    let p = p * z - 3.761_262_6e-1;
    let p = p * z + std::f32::consts::FRAC_2_SQRT_PI;
    let small = 1.0 - p * x;
    let q = 1.0 / a;
    let y = q * q;
    let near = 2.326_82e-2 * y - 1.387_039_4e-1;
    let near = near * y + 3.687_424_7e-1;
    let near = near * y - 5.824_733e-1;
    let near = near * y + 6.210_004_6e-1;
    let near = near * y - 4.944_515_3e-1;
    let near = near * y + 3.404_88e-1;
    let near = near * y - 2.741_127e-1;
    let near = near * y + 5.638_259_4e-1;
    let far = -1.047_766_4e1 * y + 1.297_72e1;
    let far = far * y - 7.495_518_7;
    let far = far * y + 2.921_019;
    let far = far * y - 1.015_265_3;
    let far = far * y + 4.218_463_4e-1;
    let far = far * y - 2.820_767_4e-1;
    let far = far * y + 5.641_895e-1;
    let tail = exp(-z) * q * if a < 2.0 { near } else { far };
    let large = if x < 0.0 { 2.0 - tail } else { tail };
    if a < 1.0 { small } else { large }
}
