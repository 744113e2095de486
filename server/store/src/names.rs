//! What things are called, by their ids: for records that name only ids.

use std::collections::BTreeMap;

use crate::{Conn, StoreError, filter::Select};

/// By the beginning of an id: where the name stands, and the id's column.
const NOUNS: [(&str, &str, &str); 9] = [
    ("chn_", "SELECT id, name FROM channels", "id"),
    ("env_", "SELECT id, name FROM environments", "id"),
    ("key_", "SELECT id, name FROM api_keys", "id"),
    ("prj_", "SELECT id, name FROM projects", "id"),
    ("sec_", "SELECT id, path AS name FROM secrets", "id"),
    // A token is its workload's.
    ("stk_", "SELECT t.id, w.name FROM service_tokens t JOIN workloads w ON w.id = t.workload_id", "t.id"),
    ("team_", "SELECT id, name FROM teams", "id"),
    ("usr_", "SELECT id, name FROM users", "id"),
    ("wkl_", "SELECT id, name FROM workloads", "id"),
];

/// The names that these ids have now. What has none is not among them.
pub async fn of<'a>(
    conn: &mut Conn,
    ids: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeMap<String, String>, StoreError> {
    let mut wanted: [Vec<String>; NOUNS.len()] = Default::default();
    for id in ids {
        for (nouns, (prefix, ..)) in wanted.iter_mut().zip(NOUNS) {
            if id.starts_with(prefix) && !nouns.iter().any(|it| it == id) {
                nouns.push(id.to_owned());
            }
        }
    }
    let mut names = BTreeMap::new();
    for (ids, (_, select, column)) in wanted.into_iter().zip(NOUNS) {
        if !ids.is_empty() {
            let none: [i64; 0] = [];
            let found: Vec<(String, String)> =
                Select::from(select).and_in(column, ids).then("", none).all(conn).await?;
            names.extend(found);
        }
    }
    Ok(names)
}
