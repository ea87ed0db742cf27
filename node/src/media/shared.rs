//! Files that the nodes of a cluster have in common. Each is in the database before anything refers to it, under the name
//! that it has below the folder of files; the folder of a node keeps copies of what was asked for there.

use std::io;
use std::path::Path;

use rookery_actors::store::StoreError;
use rookery_protocol::command::Answer;
use rookery_protocol::error::ErrorCode;

use super::upload::Whole;
use super::{Media, disk_failed, remove};
use crate::fault;
use crate::store::mongo::MongoFiles;

impl Media {
    /// The files that all nodes have, when this node is not alone with its store.
    pub(crate) fn shared(&self) -> Option<&MongoFiles> {
        self.0.shared.as_ref()
    }

    /// What all nodes call the file at a path; it is below the folder of files.
    pub(super) fn name_of(&self, path: &Path) -> String {
        let below = path.strip_prefix(&self.0.root).unwrap_or(path);
        below.to_string_lossy().into_owned()
    }

    /// Gives a file that is in its place to all nodes, durably.
    ///
    /// # Errors
    /// The database does not answer: the file is deleted then.
    pub(super) async fn share(&self, place: &Path) -> Answer<()> {
        let Some(shared) = self.shared() else {
            return Ok(());
        };
        if let Err(error) = shared.put(&self.name_of(place), place).await {
            remove(place).await;
            return Err(fault::read_failed(error));
        }
        Ok(())
    }

    /// Gets a file that another node took into its place here. There may be none, here or anywhere, afterwards.
    ///
    /// # Errors
    /// The database does not answer; the disk fails.
    pub async fn fetch(&self, place: &Path) -> Answer<()> {
        if self.shared().is_none() || is_file(place).await? {
            return Ok(());
        }
        let (media, place) = (self.clone(), place.to_owned());
        // In a task of its own: who gives up and asks again finds it here.
        let fetching = tokio::spawn(async move { media.copy_here(&place).await });
        fetching.await.unwrap_or(Err(ErrorCode::Internal.into()))
    }

    async fn copy_here(&self, place: &Path) -> Answer<()> {
        let Some(shared) = self.shared() else {
            return Ok(());
        };
        let permit = self.0.fetches.acquire().await;
        let _permit = permit.map_err(|_| ErrorCode::Busy)?;
        // Of many who want the same file one has fetched it meanwhile.
        if is_file(place).await? {
            return Ok(());
        }
        let name = self.name_of(place);
        let Some(mut download) = shared.open(&name).await.map_err(fault::read_failed)? else {
            return Ok(());
        };
        let mut file = self.begin().await?;
        while let Some(piece) = download.next().await.map_err(fault::read_failed)? {
            file.write(&piece).await?;
        }
        let whole: Whole = file.finish().await?;
        whole.move_to(place.to_owned()).await
    }

    /// Deletes shared files that no message refers to any more; what is not deleted now is found by the sweep.
    pub(super) async fn unshare(&self, names: &[String]) {
        if let Some(shared) = self.shared()
            && let Err(StoreError::Unavailable(reason)) = shared.delete_named(names).await
        {
            tracing::warn!(reason, "shared files could not be deleted");
        }
    }
}

/// Whether there is a file.
async fn is_file(path: &Path) -> Answer<bool> {
    match tokio::fs::metadata(path).await {
        Ok(found) => Ok(found.is_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(disk_failed(&error)),
    }
}
