//! Commands of an operator, on data folders with or without a server, and what they answer.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Map, Value, json};

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

/// What an answer is like: names as they are, figures and ids only that they are there, of lists the first.
pub fn shape(value: &Value) -> Value {
    match value {
        Value::Number(_) => json!("a number"),
        Value::Array(all) => all.iter().take(1).map(shape).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let varies = matches!(
                    name.as_str(),
                    "slowest_kind"
                        | "kind"
                        | "actor"
                        | "what"
                        | "outcome"
                        | "name"
                        | "session"
                        | "secret"
                        | "request"
                        | "text"
                );
                // What is not known at once.
                let is_late = matches!(name.as_str(), "rtt_ms" | "estimate_bps");
                let value = match value {
                    Value::String(_) if varies => json!("a text"),
                    Value::Null if is_late => json!("a number"),
                    value => shape(value),
                };
                (name.clone(), value)
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::String(text) if text.starts_with("http") => json!("a URL"),
        Value::String(text) if text.len() > 15 && text.bytes().all(|b| b.is_ascii_digit()) => {
            json!("an id")
        }
        other => other.clone(),
    }
}
