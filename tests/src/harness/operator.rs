//! Commands of an operator, on data folders with or without a server.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use super::node::{binary, run, untold};

/// The variable with the URL of the store.
pub const STORE_URL: &str = "ROOKERY_STORE_URL";

/// A command line of the binary on a data folder, with nothing set but that.
pub fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = untold(binary());
    command
        .args(arguments)
        .arg("--data")
        .arg(data)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub async fn operate(data: &Path, arguments: &[&str]) -> Said {
    Said(run(command(data, arguments)).await)
}

/// Runs a command to its end, with the store at a URL.
pub async fn operate_at(url: &str, data: &Path, arguments: &[&str]) -> Said {
    let mut command = command(data, arguments);
    command.env(STORE_URL, url);
    Said(run(command).await)
}

/// Starts a command that is to be interrupted.
pub fn begin(data: &Path, arguments: &[&str]) -> Child {
    command(data, arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start the binary")
}

/// What a command said.
#[derive(Debug)]
pub struct Said(pub Output);

impl Said {
    /// What it said on stdout; it must have succeeded.
    #[track_caller]
    pub fn well(&self) -> String {
        assert!(self.0.status.success(), "{self:?}");
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    /// Asserts that it failed with exit code 1 and one sentence on stderr that has all of these words.
    #[track_caller]
    pub fn refused(&self, words: &[&str]) {
        let text = String::from_utf8_lossy(&self.0.stderr);
        assert_eq!(self.0.status.code(), Some(1), "{self:?}");
        let last = text.trim().lines().last().unwrap_or_default();
        assert!(last.starts_with("rookery: "), "{text}");
        for word in words {
            assert!(last.contains(word), "{word:?} is not in {last:?}");
        }
        assert!(!text.contains("panicked"), "{text}");
    }
}
