//! Deletes files that nothing refers to: of uploads whose message was never committed, of deleted messages, of replaced
//! images. A file is looked at only when it is old enough that no commit of it can be under way. Slowly, since nobody
//! waits for it.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use rookery_actors::store::{self, Order, Scan, Store, StoreError};
use rookery_protocol::document::{Attachments, Groups, Key, Part, Table, Users};
use rookery_protocol::ids::{AttachmentId, ChannelId, GroupId, UserId};
use rookery_protocol::limits::UPLOAD_SECONDS;

use super::upload::run;
use super::{Album, Media, remove};

/// How old a file must be: a multiple of what an upload may take.
pub const AGE: Duration = Duration::from_secs(UPLOAD_SECONDS * 4);
/// Files looked up at once.
const CHUNK: usize = 256;
/// The pause after each folder and each chunk.
const PAUSE: Duration = Duration::from_millis(20);

/// Why a sweep ended early.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The folder cannot be read.
    #[error("a folder cannot be read: {0}")]
    Disk(#[from] io::Error),
    /// The rows cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Media {
    /// Goes through all files once; those younger than `age` are left alone. Returns how many were deleted.
    ///
    /// # Errors
    /// The disk or the store does not answer; the rest is for the next time.
    pub async fn sweep(&self, store: &dyn Store, age: Duration) -> Result<usize, SweepError> {
        let mut deleted = 0;
        for folder in folders(self.attachments()).await? {
            if let Some(channel) = id_of::<ChannelId>(&folder) {
                deleted += self.sweep_channel(store, channel, folder, age).await?;
            }
            tokio::time::sleep(PAUSE).await;
        }
        for folder in folders(self.albums(Album::Avatar(UserId(1)))).await? {
            if let Some(user) = id_of::<UserId>(&folder) {
                let row = store::get::<Users>(store, &Key::single(user)).await?;
                let current = row.and_then(|row| row.profile.avatar);
                deleted += sweep_album(folder, current, age).await?;
            }
            tokio::time::sleep(PAUSE).await;
        }
        for folder in folders(self.albums(Album::Icon(GroupId(1)))).await? {
            if let Some(group) = id_of::<GroupId>(&folder) {
                let row = store::get::<Groups>(store, &Key::single(group)).await?;
                let current = row.and_then(|row| row.icon);
                deleted += sweep_album(folder, current, age).await?;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(deleted)
    }

    async fn sweep_channel(
        &self,
        store: &dyn Store,
        channel: ChannelId,
        folder: PathBuf,
        age: Duration,
    ) -> Result<usize, SweepError> {
        let mut files: Vec<AttachmentId> = old_files(folder, age)
            .await?
            .iter()
            .filter_map(|path| id_of(path))
            .collect();
        files.sort_unstable();
        let mut deleted = 0;
        for chunk in files.chunks(CHUNK) {
            let used = used(store, channel, chunk).await?;
            for &file in chunk {
                if used.binary_search(&file.0).is_err() {
                    remove(&self.attachment(channel, file)).await;
                    deleted += 1;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.delete_channel(channel).await;
        Ok(deleted)
    }
}

/// Which of the ids between the first and the last file have rows, rising.
async fn used(
    store: &dyn Store,
    channel: ChannelId,
    files: &[AttachmentId],
) -> Result<Vec<u64>, StoreError> {
    let (Some(first), Some(last)) = (files.first(), files.last()) else {
        return Ok(Vec::new());
    };
    let mut used = Vec::new();
    let mut above = first.0 - 1;
    loop {
        let rows = store
            .scan(&Scan {
                table: Attachments::ID,
                partition: channel.into(),
                above: Some(Part::Num(above)),
                below: Some(Part::Num(last.0 + 1)),
                order: Order::Ascending,
                limit: CHUNK,
            })
            .await?;
        used.extend(rows.iter().filter_map(|(key, _)| match key.sort {
            Part::Num(id) => Some(id),
            Part::Text(_) => None,
        }));
        match used.last() {
            Some(&id) if rows.len() == CHUNK => above = id,
            _ => return Ok(used),
        }
    }
}

async fn sweep_album(
    folder: PathBuf,
    current: Option<String>,
    age: Duration,
) -> Result<usize, SweepError> {
    let mut deleted = 0;
    for path in old_files(folder.clone(), age).await? {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if stem != current.as_deref() {
            remove(&path).await;
            deleted += 1;
        }
    }
    // Only when it is empty.
    let _ = tokio::fs::remove_dir(&folder).await;
    Ok(deleted)
}

/// The id that a file or folder is named after.
fn id_of<T: FromStr>(path: &Path) -> Option<T> {
    path.file_name()?.to_str()?.parse().ok()
}

/// The folders in a folder; none when it is not there.
async fn folders(folder: PathBuf) -> io::Result<Vec<PathBuf>> {
    entries(folder, |meta| meta.is_dir()).await
}

/// The files of a folder that were not written for a while.
async fn old_files(folder: PathBuf, age: Duration) -> io::Result<Vec<PathBuf>> {
    let now = SystemTime::now();
    let is_old = move |meta: &std::fs::Metadata| {
        let written = meta.modified().unwrap_or(now);
        meta.is_file() && now.duration_since(written).is_ok_and(|since| since >= age)
    };
    entries(folder, is_old).await
}

async fn entries(
    folder: PathBuf,
    wanted: impl Fn(&std::fs::Metadata) -> bool + Send + 'static,
) -> io::Result<Vec<PathBuf>> {
    run(move || {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            // One that was deleted meanwhile is no fault.
            if entry.metadata().is_ok_and(|meta| wanted(&meta)) {
                found.push(entry.path());
            }
        }
        Ok(found)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_actors::store::memory::MemoryStore;
    use rookery_actors::store::{Commit, LaneId, Unit, Write};
    use rookery_protocol::document::AttachmentOwner;
    use rookery_protocol::ids::MessageId;

    async fn commit(store: &MemoryStore, writes: Vec<Write>) {
        let lane = LaneId {
            node: "n".to_owned(),
            incarnation: 1,
            index: 0,
        };
        let seq = store.open_lane(&lane).await.unwrap() + 1;
        let unit = Unit {
            entity: GroupId(1).into(),
            absent: Vec::new(),
            writes,
        };
        let units = vec![unit];
        store.commit(&Commit { lane, seq, units }).await.unwrap();
    }

    fn put(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"x").unwrap();
    }

    #[tokio::test]
    async fn only_what_nothing_refers_to_is_deleted_and_only_when_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let media = Media::open(folder.path().to_owned(), 1).await;
        let store = MemoryStore::new();
        let (channel, empty) = (ChannelId(5), ChannelId(6));
        let count = 3 * CHUNK as u64;
        for id in 1..=count {
            put(&media.attachment(channel, AttachmentId(id)));
        }
        put(&media.attachment(empty, AttachmentId(9)));
        put(&media.channel(channel).join("not an id"));
        let (ada, nobody) = (Album::Avatar(UserId(7)), Album::Avatar(UserId(8)));
        let (kept, replaced) = ("a".repeat(32), "b".repeat(32));
        for (album, hash) in [(ada, &kept), (ada, &replaced), (nobody, &kept)] {
            put(&media.image(album, hash));
        }
        put(&media.image(Album::Icon(GroupId(4)), &kept));
        let message = MessageId(1);
        let mut writes: Vec<Write> = (1..=count)
            .filter(|id| id % 3 != 0)
            .map(|id| {
                let key = Key::new(channel, AttachmentId(id));
                store::put::<Attachments>(key, &AttachmentOwner { message })
            })
            .collect();
        let mut user = user(UserId(7));
        user.profile.avatar = Some(kept.clone());
        writes.push(store::put::<Users>(Key::single(UserId(7)), &user));
        commit(&store, writes).await;

        assert_eq!(media.sweep(&store, AGE).await.unwrap(), 0, "all are young");
        let deleted = media.sweep(&store, Duration::ZERO).await.unwrap();
        assert_eq!(deleted, usize::try_from(count / 3).unwrap() + 1 + 3);
        for id in 1..=count {
            let is_there = media.attachment(channel, AttachmentId(id)).exists();
            assert_eq!(is_there, id % 3 != 0, "{id}");
        }
        assert!(!media.channel(empty).exists());
        assert!(media.image(ada, &kept).exists());
        assert!(!media.image(ada, &replaced).exists());
        assert!(!media.album(nobody).exists());
        assert_eq!(media.sweep(&store, Duration::ZERO).await.unwrap(), 0);
    }

    fn user(id: UserId) -> rookery_protocol::document::UserDocument {
        rookery_protocol::document::UserDocument {
            schema: 1,
            version: 1,
            profile: rookery_protocol::profile::Profile::deleted(id),
            email: None,
            password_hash: None,
            operator: false,
            logins: Vec::new(),
            application: None,
            created_at: rookery_protocol::time::Millis(0),
            deleted: false,
            suspended: false,
        }
    }
}
