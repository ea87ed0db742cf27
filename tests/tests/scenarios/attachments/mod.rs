//! Files of messages: sent, streamed, looked at, delivered as what they are and as nothing else, and gone with their message.

mod delivery;
mod uploads;

use std::path::{Path, PathBuf};

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use rookery_tests::harness::{Answer, Form, Http, Node, soon};
use serde_json::Value;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x03\0\0\0\x02\x08\x06\0\0\0";

/// The path of a URL as [`Http::request`] takes it.
fn path(node: &Node, url: &Value) -> String {
    let url = url.as_str().expect("a URL");
    format!(
        "/{}",
        url.strip_prefix(node.url()).expect("a URL of the node")
    )
}

/// A downloaded file.
struct File {
    status: u16,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl File {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

async fn fetch(request: RequestBuilder) -> File {
    let response = request.send().await.expect("an answer");
    File {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        bytes: response.bytes().await.expect("a body").to_vec(),
    }
}

async fn download(http: &Http, path: &str) -> File {
    fetch(http.request(Method::GET, path)).await
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let entries = entries.map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn media(node: &Node) -> PathBuf {
    node.folder().join("data/media")
}

/// Waits until no file is left; what is deleted is deleted beside the answer.
async fn empty(node: &Node) {
    let http = node.http();
    soon("an empty folder", async {
        while !files(&media(node)).is_empty() {
            http.get("//healthz").await;
        }
    })
    .await;
}

async fn send(http: &Http, path: &str, form: Form) -> Answer {
    http.upload(Method::POST, path, form).await
}
