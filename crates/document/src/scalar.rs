//! What a plain scalar means: the core schema of YAML 1.2 (section 10.3.2).

use serde_json::Number;

/// The meaning of a plain scalar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Number(Number),
    Text,
    /// A number that neither JSON nor 64 bits can hold.
    Unrepresentable,
}

/// Resolves the plain (unquoted) scalar `text`.
pub(crate) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Scalar::Unrepresentable,
        _ if is_infinity(text) => Scalar::Unrepresentable,
        _ => number(text),
    }
}

fn is_infinity(text: &str) -> bool {
    matches!(unsigned(text), ".inf" | ".Inf" | ".INF")
}

fn number(text: &str) -> Scalar {
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    let digits = unsigned(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return integer(text);
    }
    if is_float(digits) { float(text) } else { Scalar::Text }
}

fn radix(digits: &str, radix: u32) -> Scalar {
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Scalar::Text;
    }
    match u64::from_str_radix(digits, radix) {
        Ok(number) => Scalar::Number(number.into()),
        Err(_) => Scalar::Unrepresentable,
    }
}

fn integer(text: &str) -> Scalar {
    let text = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = text.parse::<u64>() {
        return Scalar::Number(number.into());
    }
    match text.parse::<i64>() {
        Ok(number) => Scalar::Number(number.into()),
        Err(_) => Scalar::Unrepresentable,
    }
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(unsigned_text: &str) -> bool {
    let (mantissa, exponent) = match unsigned_text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(unsigned(exponent))),
        None => (unsigned_text, None),
    };
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let good_mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    good_mantissa && exponent.is_none_or(|digits| !digits.is_empty() && all_digits(digits))
}

fn float(text: &str) -> Scalar {
    let text = text.strip_prefix('+').unwrap_or(text);
    match text.parse::<f64>().ok().and_then(Number::from_f64) {
        Some(number) => Scalar::Number(number),
        None => Scalar::Unrepresentable,
    }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

#[cfg(test)]
mod tests;
