//! Files that every node can have: a GridFS bucket beside the rows. A file is known by its name, the newest of a name counts,
//! and it is there once it is whole and a majority of the servers has it in its journal.
//!
//! Source: <https://github.com/mongodb/specifications/blob/master/source/gridfs/gridfs-spec.md>

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use futures_util::{AsyncReadExt, AsyncWriteExt};
use mongodb::error::{Error, ErrorKind, GridFsErrorKind};
use mongodb::gridfs::{FilesCollectionDocument, GridFsBucket, GridFsDownloadStream};
use mongodb::options::{GridFsBucketOptions, Hint, ReadConcern};
use rookery_actors::store::StoreError;
use tokio::io::AsyncReadExt as _;

use super::commit::durable;
use super::error::Failure;
use super::{MongoStore, in_time};

/// The bucket: its collections are `media.files` and `media.chunks`.
const BUCKET: &str = "media";
/// Bytes of a chunk, each written on its own: larger than the usual 255 KiB, since each waits for a majority.
const CHUNK_BYTES: u32 = 1_024 * 1_024;
/// Bytes that are read at once.
const PIECE_BYTES: usize = 128 * 1_024;
/// Files that are looked for at once when chunks without a file are.
const PAGE: usize = 256;

/// The files in the database of a store. Clones share them.
#[derive(Debug, Clone)]
pub struct MongoFiles {
    bucket: GridFsBucket,
    chunks: mongodb::Collection<Document>,
}

/// A file in the database.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedFile {
    /// Which of its name.
    id: Bson,
    /// Its name.
    pub name: String,
    /// When it was whole.
    pub written_at: SystemTime,
}

/// A file that is being read.
pub struct Download(GridFsDownloadStream);

impl MongoStore {
    /// The files beside the rows.
    pub fn files(&self) -> MongoFiles {
        let options = GridFsBucketOptions::builder()
            .bucket_name(BUCKET.to_owned())
            .chunk_size_bytes(CHUNK_BYTES)
            .write_concern(durable())
            .read_concern(ReadConcern::majority())
            .build();
        MongoFiles {
            bucket: self.shared.database.gridfs_bucket(options),
            chunks: self.shared.database.collection(&format!("{BUCKET}.chunks")),
        }
    }
}

impl MongoFiles {
    /// Adds what is in a file, durably. An older one of that name goes with the next sweep.
    ///
    /// # Errors
    /// The database does not answer, or the file cannot be read; nothing is added then.
    pub async fn put(&self, name: &str, from: &Path) -> Result<(), StoreError> {
        let unreadable = |error: std::io::Error| StoreError::Unavailable(error.to_string());
        let mut file = tokio::fs::File::open(from).await.map_err(unreadable)?;
        let mut upload = answer(self.bucket.open_upload_stream(name)).await?;
        let mut piece = vec![0; PIECE_BYTES];
        // A stream that is dropped before it is closed takes back what it wrote.
        loop {
            let read = file.read(&mut piece).await.map_err(unreadable)?;
            if read == 0 {
                break;
            }
            stream(upload.write_all(&piece[..read])).await?;
        }
        stream(upload.close()).await
    }

    /// Begins to read the newest file of a name; none when there is none.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn open(&self, name: &str) -> Result<Option<Download>, StoreError> {
        let opened = self.bucket.open_download_stream_by_name(name).into_future();
        match in_time(opened).await.map_err(StoreError::Unavailable)? {
            Ok(stream) => Ok(Some(Download(stream))),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(Failure::from(error).into()),
        }
    }

    /// Which of some names there are files of.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn present(&self, names: &[String]) -> Result<HashSet<String>, StoreError> {
        let found = self.find(doc! { "filename": { "$in": names } }, 0).await?;
        Ok(found.into_iter().map(|file| file.name).collect())
    }

    /// Files by their names, those of one name from the oldest to the newest, from the first behind `after` on.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn list(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<SharedFile>, StoreError> {
        let filter =
            after.map_or_else(Document::new, |after| doc! { "filename": { "$gt": after } });
        self.find(filter, limit).await
    }

    /// At most `limit` files; 0 for all.
    async fn find(&self, filter: Document, limit: usize) -> Result<Vec<SharedFile>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let find = self.bucket.find(filter).limit(limit);
        let find = find.sort(doc! { "filename": 1, "uploadDate": 1 });
        let mut cursor = answer(find).await?;
        let mut files = Vec::new();
        while answer(cursor.advance()).await? {
            let file: FilesCollectionDocument = cursor.deserialize_current().map_err(failed)?;
            files.push(SharedFile {
                id: file.id,
                name: file.filename.unwrap_or_default(),
                written_at: file.upload_date.to_system_time(),
            });
        }
        Ok(files)
    }

    /// Deletes one file; that it is not there is no fault.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn delete(&self, file: &SharedFile) -> Result<(), StoreError> {
        let deleted = in_time(self.bucket.delete(file.id.clone()).into_future()).await;
        match deleted.map_err(StoreError::Unavailable)? {
            Err(error) if !is_missing(&error) => Err(failed(error)),
            _ => Ok(()),
        }
    }

    /// Deletes all files of some names.
    ///
    /// # Errors
    /// The database does not answer; some may be deleted then.
    pub async fn delete_named(&self, names: &[String]) -> Result<(), StoreError> {
        for file in self.find(doc! { "filename": { "$in": names } }, 0).await? {
            self.delete(&file).await?;
        }
        Ok(())
    }

    /// Deletes all files.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn clear(&self) -> Result<(), StoreError> {
        answer(self.bucket.drop()).await
    }

    /// Deletes chunks that began a file before `before` which never became whole, as its node died. Returns of how many files.
    ///
    /// # Errors
    /// The database does not answer; some may be deleted then.
    pub async fn delete_fragments(&self, before: SystemTime) -> Result<usize, StoreError> {
        let seconds = before.duration_since(SystemTime::UNIX_EPOCH);
        let seconds = seconds.unwrap_or(Duration::ZERO).as_secs();
        let before = oldest_id(u32::try_from(seconds).unwrap_or(u32::MAX));
        let mut deleted = 0;
        let mut after = oldest_id(0);
        loop {
            // Of each file the first chunk only, and out of the index: no bytes of files are read.
            let ids = doc! { "n": 0, "files_id": { "$gt": after, "$lt": before } };
            let find = self.chunks.find(ids).sort(doc! { "files_id": 1, "n": 1 });
            let find = find
                .hint(Hint::Keys(doc! { "files_id": 1, "n": 1 }))
                .projection(doc! { "_id": 0, "files_id": 1 })
                .limit(PAGE as i64);
            let mut cursor = match in_time(find.into_future()).await {
                Ok(Ok(cursor)) => cursor,
                // No file was ever written, so there is no index.
                Ok(Err(error)) if is_bad_value(&error) => return Ok(deleted),
                Ok(Err(error)) => return Err(failed(error)),
                Err(reason) => return Err(StoreError::Unavailable(reason)),
            };
            let mut begun = Vec::new();
            while answer(cursor.advance()).await? {
                let found = cursor.current().get_object_id("files_id");
                begun.extend(found.ok());
            }
            let Some(&last) = begun.last() else {
                return Ok(deleted);
            };
            after = last;
            let whole = self.find(doc! { "_id": { "$in": &begun } }, 0).await?;
            let whole: HashSet<ObjectId> = whole
                .iter()
                .filter_map(|file| file.id.as_object_id())
                .collect();
            begun.retain(|id| !whole.contains(id));
            if !begun.is_empty() {
                deleted += begun.len();
                let delete = self
                    .chunks
                    .delete_many(doc! { "files_id": { "$in": &begun } });
                answer(delete.write_concern(durable())).await?;
            }
        }
    }
}

impl Download {
    /// What comes next; none at the end.
    ///
    /// # Errors
    /// The database does not answer, or the file was deleted meanwhile.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let mut piece = vec![0; PIECE_BYTES];
        let read = stream(self.0.read(&mut piece)).await?;
        piece.truncate(read);
        Ok((read > 0).then_some(piece))
    }
}

/// The smallest id that can have been made in a second of the epoch.
fn oldest_id(seconds: u32) -> ObjectId {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&seconds.to_be_bytes());
    ObjectId::from_bytes(bytes)
}

/// What a call answers, in time.
async fn answer<T>(call: impl IntoFuture<Output = Result<T, Error>>) -> Result<T, StoreError> {
    let answer = in_time(call.into_future()).await;
    answer.map_err(StoreError::Unavailable)?.map_err(failed)
}

/// What a stream does, in time.
async fn stream<T>(call: impl Future<Output = std::io::Result<T>>) -> Result<T, StoreError> {
    let done = in_time(call).await.map_err(StoreError::Unavailable)?;
    done.map_err(|error| match error.downcast::<Error>() {
        Ok(error) => failed(error),
        Err(error) => StoreError::Unavailable(error.to_string()),
    })
}

fn failed(error: Error) -> StoreError {
    Failure::from(error).into()
}

/// Whether there is no such file.
fn is_missing(error: &Error) -> bool {
    matches!(
        &*error.kind,
        ErrorKind::GridFs(GridFsErrorKind::FileNotFound { .. })
    )
}

/// Whether a hint named an index that is not there.
fn is_bad_value(error: &Error) -> bool {
    super::error::code(error) == Some(super::error::BAD_VALUE)
}
