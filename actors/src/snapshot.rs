//! Reading an entity's snapshot document, refusing one that a newer version wrote.

use rookery_protocol::document::{CorruptRow, Key, Table, decode};
use serde::Deserialize;

use crate::entity::LoadError;
use crate::store::{Store, StoreError};

/// The one field that every snapshot has, whatever its schema.
#[derive(Deserialize)]
struct Versioned {
    schema: u32,
}

/// The snapshot at `key`, if there is one, of schema `known` or older.
pub(crate) async fn load<T: Table>(
    store: &dyn Store,
    key: &Key,
    known: u32,
) -> Result<Option<T::Row>, LoadError> {
    let Some(bytes) = store.get(T::ID, key).await? else {
        return Ok(None);
    };
    let corrupt = |source| {
        StoreError::Corrupt(CorruptRow {
            table: T::ID,
            source,
        })
    };
    let Versioned { schema: found } = bson::deserialize_from_slice(&bytes).map_err(corrupt)?;
    if found > known {
        return Err(LoadError::NewerSchema { found, known });
    }
    Ok(Some(decode::<T>(&bytes).map_err(StoreError::from)?))
}
