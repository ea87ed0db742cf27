//! Deletes files that nothing refers to, here and in the database: of uploads whose message was never committed, of deleted
//! messages, of replaced images. A file is looked at only when it is old enough that no commit of it can be under way.
//! Slowly, since nobody waits for it.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rookery_actors::store::{self, Order, Scan, Store, StoreError};
use rookery_protocol::document::{Attachments, Groups, Key, Part, Table, Users};
use rookery_protocol::ids::{AttachmentId, ChannelId, GroupId, UserId};
use rookery_protocol::limits::UPLOAD_SECONDS;

use super::upload::run;
use super::{Media, remove};
use crate::store::mongo::{MongoFiles, SharedFile};

/// How old a file must be: a multiple of what an upload may take.
pub const AGE: Duration = Duration::from_secs(UPLOAD_SECONDS * 4);
/// How long a node keeps its copy of a shared file.
const COPY_AGE: Duration = Duration::from_secs(7 * 86_400);
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

/// Whose files are together in a folder, here as in the names of shared ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Channel(ChannelId),
    User(UserId),
    Group(GroupId),
}

impl Owner {
    /// The owner of a folder: `attachments/5`.
    fn of(folder: &str) -> Option<Self> {
        let (kind, id) = folder.split_once('/')?;
        match kind {
            super::ATTACHMENTS => id.parse().ok().map(Self::Channel),
            super::AVATARS => id.parse().ok().map(Self::User),
            super::ICONS => id.parse().ok().map(Self::Group),
            _ => None,
        }
    }

    /// Which of the files in the folder nothing refers to; one that is not called as ours are is not ours.
    async fn garbage(
        self,
        store: &dyn Store,
        files: Vec<String>,
    ) -> Result<Vec<String>, StoreError> {
        let image = match self {
            Self::Channel(channel) => {
                let ids = files.iter().filter_map(|name| name.parse().ok());
                let mut ids: Vec<AttachmentId> = ids.collect();
                ids.sort_unstable();
                let mut garbage = Vec::new();
                for ids in ids.chunks(CHUNK) {
                    let used = used(store, channel, ids).await?;
                    let unused = ids.iter().filter(|id| used.binary_search(&id.0).is_err());
                    garbage.extend(unused.map(AttachmentId::to_string));
                }
                return Ok(garbage);
            }
            Self::User(user) => {
                let row = store::get::<Users>(store, &Key::single(user)).await?;
                row.and_then(|row| row.profile.avatar)
            }
            Self::Group(group) => {
                let row = store::get::<Groups>(store, &Key::single(group)).await?;
                row.and_then(|row| row.icon)
            }
        };
        let image = image.map(|hash| super::image_name(&hash));
        let garbage = files
            .into_iter()
            .filter(|name| Some(name) != image.as_ref());
        Ok(garbage.collect())
    }
}

impl Media {
    /// Goes through all files once; those younger than `age` are left alone. Returns how many were deleted.
    ///
    /// # Errors
    /// The disk or the store does not answer; the rest is for the next time.
    pub async fn sweep(&self, store: &dyn Store, age: Duration) -> Result<usize, SweepError> {
        let mut deleted = 0;
        for kind in [super::ATTACHMENTS, super::AVATARS, super::ICONS] {
            for folder in folders(self.0.root.join(kind)).await? {
                if let Some(owner) = Owner::of(&self.name_of(&folder)) {
                    deleted += self.sweep_folder(store, owner, &folder, age).await?;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        if let Some(shared) = self.shared() {
            deleted += sweep_shared(shared, store, age).await?;
        }
        Ok(deleted)
    }

    async fn sweep_folder(
        &self,
        store: &dyn Store,
        owner: Owner,
        folder: &Path,
        age: Duration,
    ) -> Result<usize, SweepError> {
        let mut deleted = 0;
        let files = old_files(folder.to_owned(), age).await?;
        for chunk in files.chunks(CHUNK) {
            let names = chunk.iter().filter_map(|path| file_name(path));
            let mut names: HashSet<String> = names.map(str::to_owned).collect();
            let garbage = owner
                .garbage(store, names.iter().cloned().collect())
                .await?;
            for name in &garbage {
                remove(&folder.join(name)).await;
                names.remove(name);
                deleted += 1;
            }
            if let Some(shared) = self.shared() {
                let places = names.iter().map(|name| folder.join(name)).collect();
                self.sweep_copies(shared, places).await?;
            }
            tokio::time::sleep(PAUSE).await;
        }
        // Only when it is empty; not there, or something came in between: nothing is lost.
        let _ = tokio::fs::remove_dir(folder).await;
        Ok(deleted)
    }

    /// What is in use here is for all nodes: a file that the database has not, as one that lay here before there was a cluster,
    /// is shared, and a copy that has been here for long makes room; it is fetched when somebody asks again.
    async fn sweep_copies(
        &self,
        shared: &MongoFiles,
        places: Vec<PathBuf>,
    ) -> Result<(), SweepError> {
        let names: Vec<String> = places.iter().map(|place| self.name_of(place)).collect();
        let present = shared.present(&names).await?;
        for (place, name) in places.iter().zip(&names) {
            if !present.contains(name) {
                let put = shared.put(name, place).await;
                // It was deleted meanwhile, with its message: the others are still to be shared.
                if put.is_ok() || tokio::fs::try_exists(place).await? {
                    put?;
                }
            } else if is_old(place, COPY_AGE).await {
                remove(place).await;
            }
        }
        Ok(())
    }
}

/// Goes through the files in the database: those that nothing refers to, those of which there is a newer one, and the
/// beginnings of some that never became whole.
async fn sweep_shared(
    shared: &MongoFiles,
    store: &dyn Store,
    age: Duration,
) -> Result<usize, SweepError> {
    let before = SystemTime::now() - age;
    let mut deleted = shared.delete_fragments(before).await?;
    let mut after: Option<String> = None;
    loop {
        let files = shared.list(after.as_deref(), CHUNK).await?;
        let Some(last) = files.last() else {
            return Ok(deleted);
        };
        after = Some(last.name.clone());
        let is_old = |file: &SharedFile| file.written_at < before;
        let mut folders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for file in files.iter().filter(|file| is_old(file)) {
            if let Some((folder, name)) = file.name.rsplit_once('/') {
                folders.entry(folder).or_default().push(name.to_owned());
            }
        }
        let mut unused = HashSet::new();
        for (folder, names) in folders {
            if let Some(owner) = Owner::of(folder) {
                let garbage = owner.garbage(store, names).await?.into_iter();
                unused.extend(garbage.map(|name| format!("{folder}/{name}")));
            }
        }
        for (at, file) in files.iter().enumerate() {
            let newer = files.get(at + 1).filter(|next| next.name == file.name);
            let is_unused = is_old(file) && unused.contains(&file.name);
            if is_unused || newer.is_some_and(is_old) {
                shared.delete(file).await?;
                deleted += 1;
            }
        }
        tokio::time::sleep(PAUSE).await;
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

/// What a file is called in its folder.
fn file_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// The folders in a folder; none when it is not there.
async fn folders(folder: PathBuf) -> io::Result<Vec<PathBuf>> {
    entries(folder, |meta| meta.is_dir()).await
}

/// The files of a folder that were not written for a while.
async fn old_files(folder: PathBuf, age: Duration) -> io::Result<Vec<PathBuf>> {
    entries(folder, move |meta| meta.is_file() && is_older(meta, age)).await
}

/// Whether a file was not written for a while.
async fn is_old(path: &Path, age: Duration) -> bool {
    let meta = tokio::fs::metadata(path).await;
    meta.is_ok_and(|meta| is_older(&meta, age))
}

fn is_older(meta: &std::fs::Metadata, age: Duration) -> bool {
    let written = meta.modified().ok();
    // One that seems to be of the future has just been written.
    written.is_some_and(|written| written.elapsed().is_ok_and(|since| since >= age))
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
    use crate::media::Album;
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
        let media = Media::open(folder.path().to_owned(), None, 1).await;
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
