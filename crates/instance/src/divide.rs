//! Multiples, exact and in bounded time whatever the numbers: divides decimal digits, not floats.

use serde_json::Number;

/// A number as digits and a power of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decimal {
    digits: u64,
    power: i32,
}

/// A divisor.
#[derive(Debug, Clone)]
pub struct Divisor(Decimal);

impl Divisor {
    /// From a number greater than 0.
    #[must_use]
    pub fn of(number: &Number) -> Option<Self> {
        let decimal = Decimal::of(number)?;
        (decimal.digits != 0 && number.as_f64().is_some_and(|number| number > 0.0)).then_some(Self(decimal))
    }

    /// Whether a number is a multiple of it.
    #[must_use]
    pub fn divides(&self, number: &Number) -> bool {
        let Some(number) = Decimal::of(number) else { return false };
        let divisor = u128::from(self.0.digits);
        if number.digits == 0 {
            return true;
        }
        let shift = number.power.saturating_sub(self.0.power);
        let digits = u128::from(number.digits);
        if let Ok(places) = u32::try_from(shift) {
            // Both factors are below 2^64.
            return (digits * power_of_ten(places, divisor)).is_multiple_of(divisor);
        }
        // A number with fewer digits than the divisor needs zeros is not a multiple.
        let divisor = 10_u128.checked_pow(shift.unsigned_abs()).and_then(|ten| ten.checked_mul(divisor));
        divisor.is_some_and(|divisor| digits.is_multiple_of(divisor))
    }
}

/// The remainder of a power of ten.
fn power_of_ten(mut places: u32, divisor: u128) -> u128 {
    let (mut base, mut rest) = (10 % divisor, 1 % divisor);
    while places > 0 {
        if places % 2 == 1 {
            rest = rest * base % divisor;
        }
        base = base * base % divisor;
        places /= 2;
    }
    rest
}

impl Decimal {
    /// Without its sign.
    fn of(number: &Number) -> Option<Self> {
        if let Some(digits) = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs)) {
            return Some(Self { digits, power: 0 });
        }
        // The shortest digits that represent this float, as its author wrote them: `1.5e300`.
        let text = format!("{:e}", number.as_f64()?.abs());
        let (mantissa, power) = text.split_once('e')?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse().ok()?;
        let power: i32 = power.parse().ok()?;
        Some(Self { digits, power: power - i32::try_from(fraction.len()).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn divides(divisor: &serde_json::Value, number: &serde_json::Value) -> bool {
        Divisor::of(divisor.as_number().unwrap()).unwrap().divides(number.as_number().unwrap())
    }

    #[test]
    fn multiples_are_those_of_the_digits() {
        for (divisor, number) in [
            (json!(0.01), json!(1.5e300)),
            (json!(0.01), json!(19.99)),
            (json!(0.1), json!(0.3)),
            (json!(1e-300), json!(1e300)),
            (json!(7), json!(-9_223_372_036_854_775_807_i64)),
            (json!(5), json!(18_446_744_073_709_551_615_u64)),
            (json!(2.5), json!(5)),
            (json!(7), json!(0.0)),
            (json!(2), json!(1e308)),
        ] {
            assert!(divides(&divisor, &number), "{number} {divisor}");
        }
        for (divisor, number) in [
            (json!(0.01), json!(19.999)),
            (json!(3), json!(1e300)),
            (json!(2), json!(18_446_744_073_709_551_615_u64)),
            (json!(1e300), json!(1.5)),
            (json!(1), json!(1e-300)),
            (json!(7), json!(1.5)),
        ] {
            assert!(!divides(&divisor, &number), "{number} {divisor}");
        }
    }

    proptest! {
        #[test]
        fn multiples_agree_with_the_validator(
            divisor in 1_u32..2_000, places in 0_u32..4, number in -100_000_i64..100_000, more in 0_u32..5
        ) {
            let scaled = |number: f64, places: u32| json!(format!("{number}e-{places}").parse::<f64>().unwrap());
            let divisor = scaled(f64::from(divisor), places);
            let number = scaled(number as f64, more);
            let schema = json!({ "multipleOf": divisor });
            let validator = crate::compile(&crate::options(), &schema).unwrap();
            prop_assert_eq!(divides(&divisor, &number), validator.is_valid(crate::Part::Made(&number)));
        }
    }
}
