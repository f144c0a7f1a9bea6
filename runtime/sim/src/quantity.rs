//! Resource quantities: `500m`, `2Gi`, `1e3`; read, compared and written as the API server writes them.
//!
//! Not known here: what is measured.

/// An amount in billionths, with the notation in which it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quantity {
    nanos: i128,
    notation: Notation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notation {
    Decimal,
    Binary,
    Exponent,
}

const NANO: i128 = 1_000_000_000;
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

impl Quantity {
    /// Reads a quantity; none where it is not one, or larger than any machine.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let sign = if text.starts_with('-') { -1 } else { 1 };
        let digits = unsigned.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(digits);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty())
            || fraction.contains('.')
            || whole.len() > 19
            || fraction.len() > 19
        {
            return None;
        }
        let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
        let places = i32::try_from(fraction.len()).ok()?;
        if let Some((_, power)) = BINARY.iter().find(|(name, _)| *name == suffix) {
            let nanos = scaled(mantissa.checked_mul(1 << power)?, 9 - places)?;
            return Some(Self { nanos: sign * nanos, notation: Notation::Binary });
        }
        let (power, notation) = match DECIMAL.iter().find(|(name, _)| *name == suffix) {
            Some((_, power)) => (*power, Notation::Decimal),
            None => (suffix.strip_prefix(['e', 'E'])?.parse().ok()?, Notation::Exponent),
        };
        let nanos = scaled(mantissa, 9_i32.checked_sub(places)?.checked_add(power)?)?;
        Some(Self { nanos: sign * nanos, notation })
    }

    /// In thousandths, rounded up.
    pub(crate) fn millis(self) -> i128 {
        ceiling(self.nanos, 1_000_000)
    }

    /// The same, rounded up to thousandths.
    pub(crate) fn rounded(self) -> Self {
        Self { nanos: self.millis().saturating_mul(1_000_000), ..self }
    }

    /// As the API server writes it.
    pub(crate) fn canonical(self) -> String {
        if self.nanos == 0 {
            return "0".to_owned();
        }
        let whole = self.nanos / NANO;
        if self.notation == Notation::Binary && self.nanos % NANO == 0 && whole.abs() >= 1024 {
            let fits = BINARY.iter().rev().find(|(_, power)| whole % (1_i128 << power) == 0);
            return fits.map_or_else(|| whole.to_string(), |(name, power)| format!("{}{name}", whole >> power));
        }
        let fits = DECIMAL.iter().rev().find(|(_, power)| self.nanos % ten_to(power + 9) == 0);
        let (name, power) = fits.copied().unwrap_or(("n", -9));
        let mantissa = self.nanos / ten_to(power + 9);
        match (self.notation, power) {
            (Notation::Exponent, 0) | (Notation::Decimal | Notation::Binary, _) => format!("{mantissa}{name}"),
            (Notation::Exponent, power) => format!("{mantissa}e{power}"),
        }
    }
}

fn ten_to(power: i32) -> i128 {
    10_i128.pow(power.unsigned_abs().min(38))
}

/// `value` times ten to the power, rounded up where something is lost; none where it gets too large.
fn scaled(value: i128, power: i32) -> Option<i128> {
    if power < -38 {
        return Some(i128::from(value > 0));
    }
    if power < 0 {
        return Some(ceiling(value, ten_to(power)));
    }
    if value == 0 {
        return Some(0);
    }
    if power > 38 { None } else { value.checked_mul(ten_to(power)) }
}

fn ceiling(value: i128, by: i128) -> i128 {
    value.div_euclid(by) + i128::from(value.rem_euclid(by) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        Quantity::parse(text).unwrap().canonical()
    }

    #[test]
    fn quantities_are_written_as_the_server_writes_them() {
        let cases = [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("2048Mi", "2Gi"),
            ("1500Mi", "1500Mi"),
            ("1e3", "1e3"),
            ("100", "100"),
            ("1000", "1k"),
            ("0", "0"),
            ("0.5Gi", "512Mi"),
            ("1023Ki", "1023Ki"),
            ("-1", "-1"),
            ("1.5Ki", "1536"),
        ];
        for (given, wanted) in cases {
            assert_eq!(canonical(given), wanted, "{given}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused_and_never_panics() {
        for wrong in ["", "a", "1x", "1.2.3", ".", "-", "1e", "1e999999999999", "99999999999999999999999", "1Zi", "é"]
        {
            assert_eq!(Quantity::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Quantity::parse("1e-60").unwrap().millis(), 1);
    }
}
