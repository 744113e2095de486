//! Figures, as people read them.

use super::Text;

impl Text {
    /// `1,204`: digits in groups of three.
    pub fn number(self, n: u64) -> String {
        let digits = n.to_string();
        let mut grouped = String::with_capacity(digits.len().saturating_mul(2));
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        grouped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_threes() {
        let t = Text::default();
        for (n, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")]
        {
            assert_eq!(t.number(n), text);
        }
    }
}
