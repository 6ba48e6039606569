//! Whole numbers as texts, of any length.

/// Longest text that an exponent may be written out to. Anything longer is not a quantity.
const MAX_DIGITS: usize = 400;

/// The digits of a whole JSON number, without fraction and exponent; `None` if it is not whole. A number written as an
/// integer comes back unchanged.
pub(super) fn whole(number: &str) -> Option<String> {
    let (sign, unsigned) = number.strip_prefix('-').map_or(("", number), |unsigned| ("-", unsigned));
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (before, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if exponent == 0 && fraction.is_empty() {
        return Some([sign, before].concat());
    }
    let digits = [before, fraction].concat();
    let point = i64::try_from(before.len()).ok()?.checked_add(exponent)?;
    let all_zero = digits.bytes().all(|digit| digit == b'0');
    if all_zero {
        return Some("0".to_owned());
    }
    let point = usize::try_from(point).ok().filter(|point| *point <= MAX_DIGITS.max(digits.len()))?;
    let (whole, rest) = digits.split_at(point.min(digits.len()));
    if rest.bytes().any(|digit| digit != b'0') {
        return None;
    }
    let whole = format!("{whole:0<point$}");
    Some([sign, whole.trim_start_matches('0')].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_whole_number_is_recognised_in_every_notation() {
        for (number, digits) in [
            ("1", "1"),
            ("-0", "-0"),
            ("1.0", "1"),
            ("-7.000", "-7"),
            ("0.0", "0"),
            ("-0.0e5", "0"),
            ("1e3", "1000"),
            ("1.5E+1", "15"),
            ("0.25e2", "25"),
            ("1200e-2", "12"),
            ("123456789012345678901234567890.0", "123456789012345678901234567890"),
        ] {
            assert_eq!(whole(number).as_deref(), Some(digits), "{number}");
        }
    }

    #[test]
    fn fractions_and_numbers_too_long_to_write_out_are_none() {
        for number in ["1.9", "0.1", "1e-1", "15e-1", "1.05e1", "1e401", "1e99999999999999999999", "5e-324"] {
            assert_eq!(whole(number), None, "{number}");
        }
    }

    proptest! {
        #[test]
        fn all_digits_are_kept(digits in "-?[1-9][0-9]{0,60}", zeros in "0{1,9}", shift in 0usize..30) {
            let fraction = format!("{digits}.{zeros}");
            prop_assert_eq!(whole(&fraction), Some(digits.clone()));
            let scaled = format!("{digits}{}e-{shift}", "0".repeat(shift));
            prop_assert_eq!(whole(&scaled), Some(digits.clone()));
            let grown = format!("{digits}e{shift}");
            prop_assert_eq!(whole(&grown), Some(format!("{digits}{}", "0".repeat(shift))));
        }

        #[test]
        fn a_fraction_is_never_whole(digits in "-?[1-9][0-9]{0,30}", fraction in "[0-9]{0,20}[1-9]") {
            let number = format!("{digits}.{fraction}");
            prop_assert_eq!(whole(&number), None);
        }
    }
}
