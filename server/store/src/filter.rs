//! Lists with filters: statements put together from fixed pieces, their values always bound.
//!
//! A noun's file keeps its columns and orders in an enum whose `&'static str` pieces end up here; user input can only
//! be a [`Value`].

use crate::{
    Value,
    sql::{Sql, assembled},
};

/// A `SELECT` under construction.
#[derive(Debug)]
pub struct Select {
    text: String,
    values: Vec<Value>,
    narrowed: bool,
}

impl Select {
    /// Begins with `SELECT … FROM …`, without `WHERE`.
    pub fn from(piece: &'static str) -> Self {
        Self { text: piece.to_owned(), values: Vec::new(), narrowed: false }
    }

    /// As [`Select::from`], with a table whose rows depend on values: each `?` in it is one of them.
    pub fn from_with<V: Into<Value>>(piece: &'static str, values: impl IntoIterator<Item = V>) -> Self {
        let mut select = Self { text: String::new(), values: Vec::new(), narrowed: false };
        select.fill(piece, values);
        select
    }

    /// Narrows by a condition; each `?` in it is one of `values`.
    #[must_use]
    pub fn and<V: Into<Value>>(
        mut self,
        condition: &'static str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.text.push_str(if self.narrowed { " AND (" } else { " WHERE (" });
        self.narrowed = true;
        self.fill(condition, values);
        self.text.push(')');
        self
    }

    fn fill<V: Into<Value>>(&mut self, text: &'static str, values: impl IntoIterator<Item = V>) {
        let mut values = values.into_iter();
        for piece in text.split_inclusive('?') {
            match piece.strip_suffix('?') {
                Some(before) => {
                    self.text.push_str(before);
                    self.place(values.next().map_or(Value::Text(None), Into::into));
                }
                None => self.text.push_str(piece),
            }
        }
    }

    /// Narrows by any one of these conditions, each `?` of which is one of its values; none at all means no row.
    #[must_use]
    pub fn and_any<V: Into<Value>>(
        self,
        conditions: impl IntoIterator<Item = (&'static str, Vec<V>)>,
    ) -> Self {
        let mut conditions = conditions.into_iter();
        let Some((first, values)) = conditions.next() else { return self.and::<Value>("1 = 0", []) };
        let mut select = self.and(first, values);
        for (condition, values) in conditions {
            // Into the parentheses that stand around the one before it.
            select.text.pop();
            select.text.push_str(" OR ");
            select.fill(condition, values);
            select.text.push(')');
        }
        select
    }

    /// Narrows by `column IN (values)`; no value means no row.
    #[must_use]
    pub fn and_in<V: Into<Value>>(
        mut self,
        column: &'static str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.text.push_str(if self.narrowed { " AND " } else { " WHERE " });
        self.narrowed = true;
        self.list(column, values);
        self
    }

    /// Narrows by `column IN (values) OR other IN (others)`; no value at all means no row.
    #[must_use]
    pub fn and_in_either<V: Into<Value>, W: Into<Value>>(
        mut self,
        column: &'static str,
        values: impl IntoIterator<Item = V>,
        other: &'static str,
        others: impl IntoIterator<Item = W>,
    ) -> Self {
        self.text.push_str(if self.narrowed { " AND (" } else { " WHERE (" });
        self.narrowed = true;
        self.list(column, values);
        self.text.push_str(" OR ");
        self.list(other, others);
        self.text.push(')');
        self
    }

    fn list<V: Into<Value>>(&mut self, column: &'static str, values: impl IntoIterator<Item = V>) {
        self.text.push_str(column);
        self.text.push_str(" IN (");
        let before = self.values.len();
        for value in values {
            if self.values.len() > before {
                self.text.push_str(", ");
            }
            self.place(value.into());
        }
        if self.values.len() == before {
            self.text.push_str("NULL");
        }
        self.text.push(')');
    }

    /// Ends with `GROUP BY`, `ORDER BY` and the like; each `?` is one of `values`.
    pub fn then<V: Into<Value>>(mut self, piece: &'static str, values: impl IntoIterator<Item = V>) -> Sql {
        self.text.push(' ');
        let mut values = values.into_iter();
        for part in piece.split_inclusive('?') {
            match part.strip_suffix('?') {
                Some(before) => {
                    self.text.push_str(before);
                    self.place(values.next().map_or(Value::Int(None), Into::into));
                }
                None => self.text.push_str(part),
            }
        }
        self.values.into_iter().fold(assembled(self.text), Sql::bind)
    }

    /// Asks how the statement would be run, instead of running it.
    #[cfg(test)]
    pub(crate) fn explained(mut self, engine: crate::Engine) -> Self {
        let ask = match engine {
            crate::Engine::Postgres => "EXPLAIN (COSTS OFF) ",
            crate::Engine::Sqlite => "EXPLAIN QUERY PLAN ",
        };
        self.text.insert_str(0, ask);
        self
    }

    fn place(&mut self, value: Value) {
        self.values.push(value);
        self.text.push('?');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_bound_in_the_order_of_their_places() {
        let made = Select::from("SELECT 1 AS n FROM t")
            .and("a = ? AND b < ?", [Value::from("x'; DROP"), Value::from(3_i64)])
            .and_in("c", ["p", "q"])
            .and_in("d", Vec::<String>::new())
            .then("ORDER BY a LIMIT ?", [50_i64]);
        let shown = format!("{made:?}");
        assert!(shown.contains(
            "SELECT 1 AS n FROM t WHERE (a = ? AND b < ?) AND c IN (?, ?) AND d IN (NULL) ORDER BY a LIMIT ?"
        ), "{shown}");
    }
}
