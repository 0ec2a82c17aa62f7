//! Brightness and contrast.

/// fast.ai's `Brightness` and then `Contrast`: on the scale of logits, where 0 is black at minus infinity and no change
/// can leave the range, values are shifted by `logit(brightness)` and multiplied by `contrast`. 0.5 and 1 change
/// nothing.
pub(super) fn light(values: &mut [f32], brightness: f32, contrast: f32) {
    let shift = (brightness / (1.0 - brightness)).ln();
    for v in values {
        // sigmoid((logit(v) + shift) * contrast), with logit(v) = -ln(1 / v - 1).
        let x = v.clamp(1e-7, 1.0 - 1e-7);
        *v = 1.0 / (1.0 + exp((ln(1.0 / x - 1.0) - shift) * contrast));
    }
}

/// The logarithm of a positive normal number to within 1e-7 of it, in operations that the compiler can do on several
/// numbers at once.
fn ln(x: f32) -> f32 {
    // x = m 2^e with m between sqrt(1/2) and sqrt(2), where the series of artanh is short:
    // ln m = 2 (s + s^3/3 + s^5/5 + ...), s = (m - 1) / (m + 1).
    const SQRT_HALF_BITS: i32 = 0x3f35_04f3;
    let bits = x.to_bits() as i32;
    let e = (bits - SQRT_HALF_BITS) >> 23;
    let m = f32::from_bits((bits - (e << 23)) as u32);
    let s = (m - 1.0) / (m + 1.0);
    let q = s * s;
    let series = 1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0))));
    2.0 * s * series + e as f32 * std::f32::consts::LN_2
}

/// The exponential of a number between -80 and 80 to within 2e-7 of it.
fn exp(x: f32) -> f32 {
    // e^x = 2^k e^r with r between -ln(2)/2 and ln(2)/2. Adding and taking away 1.5 * 2^23 rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-80.0, 80.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let k = rounded - ROUND;
    // ln(2) in two parts, of which the first times k is exact.
    let r = x - k * 0.693_359_4 + k * 2.121_944_4e-4;
    let series = 1.0 + r * (1.0 + r * (1.0 / 2.0 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r / 720.0)))));
    // The last bits of `rounded` are k; moved up, with the bias of 127, they are the exponent of 2^k.
    series * f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithm_and_exponential_are_those_of_f64() {
        for i in 0..20_000 {
            let x = 1e-7f32 * 1e14f32.powf(i as f32 / 20_000.0);
            let want = f64::from(x).ln();
            assert!((f64::from(ln(x)) - want).abs() <= 2e-7 * want.abs().max(1.0), "ln {x}: {} {want}", ln(x));
            let x = -40.0 + i as f32 / 250.0;
            let want = f64::from(x).exp();
            assert!((f64::from(exp(x)) / want - 1.0).abs() < 3e-7, "exp {x}: {} {want}", exp(x));
        }
    }

    #[test]
    fn neutral_light_changes_nothing_and_black_stays_black() {
        let mut values: Vec<f32> = (0..=255).map(|v| v as f32 / 255.0).collect();
        let before = values.clone();
        light(&mut values, 0.5, 1.0);
        assert!(values.iter().zip(&before).all(|(a, b)| (a - b).abs() < 1e-6));
        light(&mut values, 0.6, 1.25);
        assert!(values[0] < 1e-5 && values[255] > 1.0 - 1e-5 && values[128] > before[128]);
    }
}
