//! Files: what people attach to messages, avatars and icons. They lie below `<data>/media`:
//!
//! - `tmp/` holds uploads that are under way; what a crash left there goes at the start;
//! - `attachments/<channel>/<id>` a file of a message, whole and durable before the message is committed;
//! - `avatars/<user>/<hash>.png` and `icons/<group>/<hash>.png` images as they are shown, re-encoded by the node.
//!
//! A file is written to `tmp`, synced, and renamed to its place; so what is in its place is whole. Rows of the store say
//! which files are in use, and [`sweep`] deletes the others. With a store that is not the node's own the files are in the
//! database, for all nodes, and the folder keeps copies ([`shared`]).

pub mod kind;
pub mod name;
pub mod picture;
pub mod shared;
pub mod sweep;
pub mod upload;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::ids::{AttachmentId, ChannelId, GroupId, UserId};
use rookery_protocol::limits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limit::Limiter;
use crate::store::mongo::MongoFiles;

/// Uploads of one user at the same time, so that nobody takes all places.
const UPLOADS_PER_USER: u32 = 8;
/// Images decoded at the same time: each may take up to [`picture::DECODED_BYTES`].
const DECODERS: usize = 2;
/// Bodies with images read at the same time: each holds up to three times [`limits::IMAGE_BYTES`].
const IMAGE_BODIES: usize = 8;
/// Files fetched from the database at the same time.
const FETCHES: usize = 16;

/// The folder of files in the data folder.
pub const FOLDER: &str = "media";
/// The folder of uploads under way in that one.
pub(crate) const TEMPORARY: &str = "tmp";

const ATTACHMENTS: &str = "attachments";
const AVATARS: &str = "avatars";
const ICONS: &str = "icons";

/// What the file of an image is called.
fn image_name(hash: &str) -> String {
    format!("{hash}.png")
}

/// Where an image belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Album {
    /// A user's avatar.
    Avatar(UserId),
    /// The icon of a group, communities and direct channels alike.
    Icon(GroupId),
}

/// The node's files; cheap to clone.
#[derive(Clone)]
pub struct Media(Arc<Inner>);

struct Inner {
    root: PathBuf,
    shared: Option<MongoFiles>,
    fetches: Semaphore,
    max_upload_bytes: u64,
    uploads: Arc<Semaphore>,
    uploaders: Mutex<HashMap<UserId, u32>>,
    decoders: Arc<Semaphore>,
    image_bodies: Arc<Semaphore>,
    image_changes: Limiter<Album>,
}

impl Media {
    /// The files below `root`, those that all nodes share if there are others, and what a message's files may have in bytes.
    /// Deletes uploads that a crash cut off.
    pub async fn open(root: PathBuf, shared: Option<MongoFiles>, max_upload_bytes: u64) -> Self {
        let media = Self(Arc::new(Inner {
            root,
            shared,
            fetches: Semaphore::new(FETCHES),
            max_upload_bytes,
            uploads: Arc::new(Semaphore::new(limits::UPLOADS)),
            uploaders: Mutex::default(),
            decoders: Arc::new(Semaphore::new(DECODERS)),
            image_bodies: Arc::new(Semaphore::new(IMAGE_BODIES)),
            image_changes: Limiter::new(),
        }));
        match tokio::fs::remove_dir_all(media.temporary()).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "left over uploads could not be deleted");
            }
            _ => {}
        }
        media
    }

    /// Bytes that the files of a message may have, each and together.
    pub fn max_upload_bytes(&self) -> u64 {
        self.0.max_upload_bytes
    }

    fn temporary(&self) -> PathBuf {
        self.0.root.join(TEMPORARY)
    }

    fn channel(&self, channel: ChannelId) -> PathBuf {
        self.0.root.join(ATTACHMENTS).join(channel.to_string())
    }

    /// Where a file of a message is.
    pub fn attachment(&self, channel: ChannelId, file: AttachmentId) -> PathBuf {
        self.channel(channel).join(file.to_string())
    }

    fn album(&self, album: Album) -> PathBuf {
        let (kind, owner) = match album {
            Album::Avatar(user) => (AVATARS, user.to_string()),
            Album::Icon(group) => (ICONS, group.to_string()),
        };
        self.0.root.join(kind).join(owner)
    }

    /// Where an image is; `hash` is one ([`picture::is_hash`]).
    pub fn image(&self, album: Album, hash: &str) -> PathBuf {
        self.album(album).join(image_name(hash))
    }

    /// A place for an upload, given back when it is dropped.
    ///
    /// # Errors
    /// `Busy`: all places are taken, or the user has his share of them.
    pub fn place(&self, user: UserId) -> Result<Place, ApiError> {
        let busy = ErrorCode::Busy;
        let permit = Arc::clone(&self.0.uploads).try_acquire_owned();
        let permit = permit.map_err(|_| busy)?;
        let mut uploaders = self.0.uploaders.lock();
        let count = uploaders.entry(user).or_default();
        if *count >= UPLOADS_PER_USER {
            return Err(busy.into());
        }
        *count += 1;
        Ok(Place {
            media: self.clone(),
            user,
            _permit: permit,
        })
    }

    /// A place for reading a body with an image.
    ///
    /// # Errors
    /// `Busy`: all places are taken.
    pub fn image_place(&self) -> Result<OwnedSemaphorePermit, ErrorCode> {
        let permit = Arc::clone(&self.0.image_bodies).try_acquire_owned();
        permit.map_err(|_| ErrorCode::Busy)
    }

    /// Deletes files of a channel that no message refers to any more, beside everything else. What is not deleted now is
    /// found by the sweep.
    pub fn forget(&self, channel: ChannelId, files: Vec<AttachmentId>) {
        if !files.is_empty() {
            let media = self.clone();
            tokio::spawn(async move { media.delete(channel, &files).await });
        }
    }

    /// Deletes files of a channel, here and for all. What others have copies of is swept there.
    pub async fn delete(&self, channel: ChannelId, files: &[AttachmentId]) {
        let places = files.iter().map(|&file| self.attachment(channel, file));
        let places: Vec<PathBuf> = places.collect();
        for place in &places {
            remove(place).await;
        }
        let names: Vec<String> = places.iter().map(|place| self.name_of(place)).collect();
        self.unshare(&names).await;
    }

    /// Deletes the folder of a channel without files.
    pub async fn delete_channel(&self, channel: ChannelId) {
        // Not there, or something came in between: nothing is lost.
        let _ = tokio::fs::remove_dir(self.channel(channel)).await;
    }
}

/// A place among the uploads under way.
pub struct Place {
    media: Media,
    user: UserId,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut uploaders = self.media.0.uploaders.lock();
        if let Some(count) = uploaders.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                uploaders.remove(&self.user);
            }
        }
    }
}

/// Deletes a file; one that is not there is no fault.
async fn remove(path: &Path) {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "a file could not be deleted");
        }
        _ => {}
    }
}

/// What a client is told when the disk fails.
fn disk_failed(error: &io::Error) -> ApiError {
    tracing::error!(%error, "a file could not be written");
    ErrorCode::Internal.into()
}

/// Makes a folder that is not there, durably, with those above it.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        std::fs::create_dir_all(folder)?;
        for above in folder.ancestors().skip(1).take(3) {
            sync_folder(above)?;
        }
    }
    Ok(())
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_user_has_his_share_of_places_and_gives_them_back() {
        let folder = tempfile::tempdir().unwrap();
        let media = Media::open(folder.path().to_owned(), None, 1).await;
        let (ada, ben) = (UserId(1), UserId(2));
        let held: Vec<Place> = (0..UPLOADS_PER_USER)
            .map(|_| media.place(ada).unwrap())
            .collect();
        assert_eq!(media.place(ada).err().unwrap().code, ErrorCode::Busy);
        assert!(media.place(ben).is_ok());
        drop(held);
        assert!(media.0.uploaders.lock().is_empty());
        assert!(media.place(ada).is_ok());
        assert_eq!(media.0.uploads.available_permits(), limits::UPLOADS);
    }
}
