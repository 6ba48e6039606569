//! Numbers of any size from their digits, as Python's `int()` and `float()` make them.

use std::fmt::Write as _;

use super::super::node::Value;

/// Python refuses to parse more digits, and so do we.
const MOST_DIGITS: usize = 4300;

/// The whole number that these digits mean in this base, or nothing if they are not digits.
pub(super) fn integer(digits: &str, base: u32, negative: bool) -> Option<Value> {
    if digits.is_empty() || digits.len() > MOST_DIGITS || !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    if let Ok(value) = i128::from_str_radix(digits, base) {
        return Some(whole(if negative { -value } else { value }));
    }
    let mut large = Large::default();
    for digit in digits.chars().filter_map(|digit| digit.to_digit(base)) {
        large.push(base, digit);
    }
    Some(large.value(negative))
}

/// The whole number of base 60 digits, separated by colons: `1:30` is ninety.
pub(super) fn base_60(text: &str, negative: bool) -> Option<Value> {
    let mut large = Large::default();
    for (index, part) in text.split(':').enumerate() {
        if part.is_empty() || text.len() > MOST_DIGITS || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        if index == 0 {
            part.bytes().for_each(|digit| large.push(10, (digit - b'0').into()));
        } else {
            large.push(60, part.parse().ok()?);
        }
    }
    Some(large.value(negative))
}

/// A number with or without a point, as Python's `float()` reads it without surrounding blanks.
pub(super) fn float(text: &str) -> Option<f64> {
    // Rust accepts the same as Python, including `inf`, `infinity` and `nan` in any case.
    text.parse().ok()
}

fn whole(value: i128) -> Value {
    i64::try_from(value).map_or_else(|_| Value::BigInteger(value.to_string().into()), Value::Integer)
}

/// A number in base 10^9, the smallest part first.
#[derive(Default)]
struct Large(Vec<u64>);

impl Large {
    const BASE: u64 = 1_000_000_000;

    /// Times `base`, plus `digit`.
    fn push(&mut self, base: u32, digit: u32) {
        let mut carry = u64::from(digit);
        for part in &mut self.0 {
            let value = *part * u64::from(base) + carry;
            *part = value % Self::BASE;
            carry = value / Self::BASE;
        }
        if carry > 0 {
            self.0.push(carry);
        }
    }

    fn value(&self, negative: bool) -> Value {
        let mut text = String::new();
        for (index, part) in self.0.iter().rev().enumerate() {
            let digits = if index == 0 { 0 } else { 9 };
            let _ = write!(text, "{part:0digits$}");
        }
        let sign = if negative { "-" } else { "" };
        let text = format!("{sign}{}", if text.is_empty() { "0" } else { &text });
        text.parse().map_or_else(|_| Value::BigInteger(text.into()), Value::Integer)
    }
}
