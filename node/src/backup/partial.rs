//! A file that gets its name only once it is whole and durable.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::BackupError;

/// What is in front of the name until then.
const SUFFIX: &str = ".partial";

/// A file on its way; deleted when it is dropped before it is finished. What a killed process left is written over.
pub(super) struct Partial {
    file: File,
    path: PathBuf,
    target: PathBuf,
    is_finished: bool,
}

impl Partial {
    /// Begins a file beside its place. Only its owner may read it: a backup holds password hashes and keys.
    pub(super) fn begin(target: &Path) -> Result<Self, BackupError> {
        if target.symlink_metadata().is_ok() {
            return Err(BackupError::Exists(target.to_owned()));
        }
        let mut name = target.as_os_str().to_owned();
        name.push(SUFFIX);
        let path = PathBuf::from(name);
        let failed = BackupError::file(&path);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        options.mode(0o600);
        let file = options.open(&path).map_err(&failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BackupError::InUse(target.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // What a killed process left may be anybody's to read.
        file.set_permissions(Permissions::from_mode(0o600))
            .map_err(&failed)?;
        file.set_len(0).map_err(&failed)?;
        Ok(Self {
            file,
            path,
            target: target.to_owned(),
            is_finished: false,
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        let written = self.file.write_all(bytes);
        written.map_err(BackupError::file(&self.path))
    }

    /// Makes it durable and gives it its name; never that of something that is there.
    pub(super) fn finish(mut self) -> Result<(), BackupError> {
        let failed = BackupError::file(&self.target);
        self.file.sync_all().map_err(&failed)?;
        match std::fs::hard_link(&self.path, &self.target) {
            Ok(()) => std::fs::remove_file(&self.path).map_err(&failed)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(BackupError::Exists(self.target.clone()));
            }
            // A file system without links.
            Err(_) => std::fs::rename(&self.path, &self.target).map_err(&failed)?,
        }
        self.is_finished = true;
        let folder = match self.target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(failed)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_finished {
            // Under its lock, so it is ours; what cannot be deleted is written over the next time.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_given_at_the_end_and_to_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.rookery");
        let entries = || std::fs::read_dir(folder.path()).unwrap().count();
        // What a killed process left is longer.
        std::fs::write(folder.path().join("a.rookery.partial"), [7; 100]).unwrap();
        let mut partial = Partial::begin(&target).unwrap();
        partial.write(b"whole").unwrap();
        assert!(!target.exists());
        assert!(matches!(
            Partial::begin(&target),
            Err(BackupError::InUse(_))
        ));
        partial.finish().unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"whole");
        let mode = target.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode, entries()), (0o600, 1));
        assert!(matches!(
            Partial::begin(&target),
            Err(BackupError::Exists(_))
        ));
        assert_eq!(entries(), 1);
    }

    #[test]
    fn what_is_given_up_leaves_nothing_and_what_came_in_between_stays() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        drop(Partial::begin(&target).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let partial = Partial::begin(&target).unwrap();
        std::fs::write(&target, b"other").unwrap();
        assert!(matches!(partial.finish(), Err(BackupError::Exists(_))));
        assert_eq!(std::fs::read(&target).unwrap(), b"other");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
