//! A file on its way to the disk: written as it comes, looked at once it is whole, and put into its place.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use rookery_protocol::command::Answer;
use rookery_protocol::ids::{AttachmentId, ChannelId};
use tokio::io::AsyncWriteExt;

use super::{Media, create_folder, disk_failed, kind, sync_folder};
use crate::random;

/// Bytes that wait in memory to be written to one file.
const BUFFER: usize = 128 * 1_024;
/// Times that a folder is made anew which was deleted before the file was in it.
const FOLDER_TRIES: usize = 16;

/// The file of an upload under way; deleted when it is dropped before it is in its place.
#[derive(Debug)]
struct Temporary(Option<PathBuf>);

impl Temporary {
    /// Puts it into its place; what cannot be put there is deleted.
    fn move_to(mut self, place: &Path) -> io::Result<()> {
        if let Some(from) = &self.0 {
            move_to(from, place)?;
        }
        self.0 = None;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let Some(path) = self.0.take() else { return };
        // Deleting a large file takes a while; without a runtime the next start does it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn_blocking(move || std::fs::remove_file(path));
        }
    }
}

/// A file that is being written.
pub struct Incoming {
    file: tokio::fs::File,
    temporary: Temporary,
    size: u64,
}

/// A file that is whole and durable, but not in its place.
#[derive(Debug)]
pub struct Whole {
    temporary: Temporary,
    /// Bytes.
    pub size: u64,
    /// What it is, as its bytes say.
    pub kind: &'static str,
    /// Width and height, when it is an image that says so.
    pub pixels: Option<(u32, u32)>,
}

impl Media {
    /// Begins a file.
    ///
    /// # Errors
    /// The disk fails.
    pub async fn begin(&self) -> Answer<Incoming> {
        let failed = |error| disk_failed(&error);
        let folder = self.temporary();
        tokio::fs::create_dir_all(&folder).await.map_err(failed)?;
        let name = u128::from_be_bytes(random::bytes::<16>());
        let path = folder.join(format!("{name:032x}"));
        let mut file = tokio::fs::File::create_new(&path).await.map_err(failed)?;
        file.set_max_buf_size(BUFFER);
        Ok(Incoming {
            file,
            temporary: Temporary(Some(path)),
            size: 0,
        })
    }

    /// Puts a file into its place, durably and for all nodes.
    ///
    /// # Errors
    /// The disk fails; the database does not answer.
    pub async fn settle(&self, channel: ChannelId, id: AttachmentId, file: Whole) -> Answer<()> {
        let place = self.attachment(channel, id);
        file.move_to(place.clone()).await?;
        self.share(&place).await
    }
}

impl Whole {
    /// Puts it into its place, durably.
    ///
    /// # Errors
    /// The disk fails.
    pub(super) async fn move_to(self, place: PathBuf) -> Answer<()> {
        let renamed = run(move || self.temporary.move_to(&place)).await;
        renamed.map_err(|error| disk_failed(&error))
    }
}

impl Incoming {
    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds what has come.
    ///
    /// # Errors
    /// The disk fails.
    pub async fn write(&mut self, bytes: &[u8]) -> Answer<()> {
        self.size += bytes.len() as u64;
        let written = self.file.write_all(bytes).await;
        written.map_err(|error| disk_failed(&error))
    }

    /// Makes the file durable and looks at what it is.
    ///
    /// # Errors
    /// The disk fails.
    pub async fn finish(mut self) -> Answer<Whole> {
        let failed = |error| disk_failed(&error);
        self.file.flush().await.map_err(failed)?;
        self.file.sync_all().await.map_err(failed)?;
        let Self {
            temporary, size, ..
        } = self;
        let (kind, pixels) = match temporary.0.clone() {
            Some(path) => run(move || look(&path)).await.map_err(failed)?,
            None => (kind::BYTES, None),
        };
        Ok(Whole {
            temporary,
            size,
            kind,
            pixels,
        })
    }
}

/// What a file is, and the pixels that an image's header names. Nothing is decoded.
fn look(path: &Path) -> io::Result<(&'static str, Option<(u32, u32)>)> {
    let mut head = Vec::with_capacity(kind::HEAD);
    File::open(path)?
        .take(kind::HEAD as u64)
        .read_to_end(&mut head)?;
    let kind = kind::sniff(&head);
    if !kind.starts_with("image/") {
        return Ok((kind, None));
    }
    let size = imagesize::reader_size(BufReader::new(File::open(path)?)).ok();
    let pixels = size.and_then(|size| {
        let width = u32::try_from(size.width).ok()?;
        let height = u32::try_from(size.height).ok()?;
        Some((width, height))
    });
    Ok((kind, pixels))
}

/// Renames a synced file to its place, and makes the name durable, with its folder's.
pub(super) fn move_to(from: &Path, place: &Path) -> io::Result<()> {
    let Some(folder) = place.parent() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    for _ in 0..FOLDER_TRIES {
        create_folder(folder)?;
        match std::fs::rename(from, place) {
            // A sweep, or the end of a channel, has found the new folder empty, and deleted it.
            Err(error) if error.kind() == io::ErrorKind::NotFound && from.exists() => {}
            Err(error) => return Err(error),
            Ok(()) => return sync_folder(folder),
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Runs what blocks on the disk; a panic in it is an error.
pub(super) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn media() -> (tempfile::TempDir, Media) {
        let folder = tempfile::tempdir().unwrap();
        let media = Media::open(folder.path().join("media"), None, 1).await;
        (folder, media)
    }

    fn temporaries(media: &Media) -> usize {
        std::fs::read_dir(media.temporary()).map_or(0, Iterator::count)
    }

    #[test]
    fn a_folder_that_is_deleted_while_it_is_empty_is_made_anew() {
        use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("attachments").join("5");
        let deleted = (0..50).filter(|number| {
            let from = root.path().join(number.to_string());
            std::fs::write(&from, b"x").unwrap();
            let done = AtomicBool::new(false);
            std::thread::scope(|scope| {
                let sweep = || {
                    while !done.load(Relaxed) {
                        if std::fs::remove_dir(&folder).is_ok() {
                            return true;
                        }
                    }
                    false
                };
                let sweep = scope.spawn(sweep);
                let moved = move_to(&from, &folder.join("7"));
                done.store(true, Relaxed);
                let was_between = sweep.join().unwrap();
                moved.unwrap();
                std::fs::remove_dir_all(&folder).unwrap();
                was_between
            })
        });
        assert!(deleted.count() > 0, "it was never in between");
    }

    #[tokio::test]
    async fn a_file_is_looked_at_and_put_into_its_place() {
        let (_folder, media) = media().await;
        let mut file = media.begin().await.unwrap();
        // 70,000 x 65,000 pixels: an image that nobody wants to decode, and nobody does.
        let header = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\x01\x11\x70\0\0\xfd\xe8\x08\x06\0\0\0";
        for part in header.chunks(5) {
            file.write(part).await.unwrap();
        }
        let whole = file.finish().await.unwrap();
        assert_eq!(whole.kind, "image/png");
        assert_eq!(whole.pixels, Some((70_000, 65_000)));
        assert_eq!(whole.size, header.len() as u64);
        let (channel, id) = (ChannelId(5), AttachmentId(7));
        media.settle(channel, id, whole).await.unwrap();
        let stored = std::fs::read(media.attachment(channel, id)).unwrap();
        assert_eq!(stored, header);
        assert_eq!(temporaries(&media), 0);
        media.delete(channel, &[id, AttachmentId(8)]).await;
        media.delete_channel(channel).await;
        assert!(!media.channel(channel).exists());
    }

    #[tokio::test]
    async fn what_is_given_up_leaves_nothing() {
        let (_folder, media) = media().await;
        let mut cut = media.begin().await.unwrap();
        cut.write(b"half of a").await.unwrap();
        let whole = media.begin().await.unwrap().finish().await.unwrap();
        assert_eq!((whole.kind, whole.size), (kind::BYTES, 0));
        assert_eq!(temporaries(&media), 2);
        drop((cut, whole));
        // Deleted beside us, on the blocking pool.
        while temporaries(&media) > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_a_crash_left_goes_at_the_start() {
        let (_folder, media) = media().await;
        let file = media.begin().await.unwrap();
        assert_eq!(temporaries(&media), 1);
        Media::open(media.0.root.clone(), None, 1).await;
        assert_eq!(temporaries(&media), 0);
        drop(file);
    }
}
