//! Statements over many rows: a fixed piece, the rows' values, always bound, a fixed piece.

use crate::{
    Value,
    sql::{Sql, assembled},
};

/// A statement with a list of rows, `… VALUES (?, ?), (?, ?) …`, under construction.
#[derive(Debug)]
pub(crate) struct Rows {
    text: String,
    values: Vec<Value>,
}

impl Rows {
    /// Begins with what stands before the first row.
    pub(crate) fn after(piece: &'static str) -> Self {
        Self { text: piece.to_owned(), values: Vec::new() }
    }

    /// The rows.
    #[must_use]
    pub(crate) fn each<const N: usize>(mut self, rows: impl IntoIterator<Item = [Value; N]>) -> Self {
        for row in rows {
            self.text.push_str(if self.values.is_empty() { "(" } else { ", (" });
            self.text.push_str(&marks(N));
            self.text.push(')');
            self.values.extend(row);
        }
        self
    }

    /// Ends with what stands behind the last row.
    pub(crate) fn then(mut self, piece: &'static str) -> Sql {
        self.text.push_str(piece);
        self.values.into_iter().fold(assembled(self.text), Sql::bind)
    }
}

/// `?, ?, …` for so many values.
pub(crate) fn marks(len: usize) -> String {
    vec!["?"; len].join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_bound_in_the_order_of_their_places() {
        let rows = [[Value::from(1_i64), Value::from("a")], [Value::from(2_i64), Value::from("b'; DROP")]];
        let shown = format!("{:?}", Rows::after("INSERT INTO t VALUES ").each(rows).then(" RETURNING 1"));
        assert!(shown.contains("INSERT INTO t VALUES (?, ?), (?, ?) RETURNING 1"), "{shown}");
        assert!(shown.contains("DROP") && shown.contains("Int(Some(2))"), "{shown}");
    }
}
