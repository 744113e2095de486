//! Fresh databases for tests.

use std::str::FromStr;

use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};

use crate::{Location, StoreError};

/// Makes a database of this name on the server at `url`, where databases can be made, and says where it is.
pub async fn fresh_postgres(url: &str, name: &str) -> Result<Location, StoreError> {
    let refused = |cause: &str| StoreError::Refused(cause.to_owned());
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Err(refused("a test database's name has lower-case letters, digits and `_` only"));
    }
    let options = PgConnectOptions::from_str(url)?;
    let mut server = PgConnection::connect_with(&options).await?;
    // The name is quoted by its alphabet, checked above; CREATE DATABASE takes no parameters.
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut server).await?;
    server.close().await?;
    let (server, options) = match url.split_once('?') {
        Some((server, options)) => (server, format!("?{options}")),
        None => (url, String::new()),
    };
    let (scheme, rest) = server.split_once("://").ok_or_else(|| refused("not a URL"))?;
    let authority = rest.split('/').next().unwrap_or(rest);
    Ok(Location::Postgres(format!("{scheme}://{authority}/{name}{options}")))
}
