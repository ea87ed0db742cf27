//! `multipart/form-data` bodies, put together byte by byte so that bad ones can be too.

use reqwest::Method;
use serde_json::Value;

use super::http::{Answer, Http};

const BOUNDARY: &str = "rookery-test-boundary";

/// A body in the making.
#[derive(Debug, Clone, Default)]
pub struct Form {
    bytes: Vec<u8>,
}

impl Form {
    /// One with a `payload_json`.
    pub fn new(payload: &Value) -> Self {
        Self::default().part("name=\"payload_json\"", payload.to_string().as_bytes())
    }

    /// Adds a file as `files[n]`. The name goes onto the wire as it is.
    #[must_use]
    pub fn file(self, n: usize, name: &str, bytes: &[u8]) -> Self {
        self.part(&format!("name=\"files[{n}]\"; filename=\"{name}\""), bytes)
    }

    /// Adds a part with these parameters of its `Content-Disposition`.
    #[must_use]
    pub fn part(mut self, disposition: &str, bytes: &[u8]) -> Self {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: text/html\r\n\r\n"
        );
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(bytes);
        self.bytes.extend_from_slice(b"\r\n");
        self
    }

    /// `Content-Type` of the body.
    pub fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// The whole body.
    pub fn bytes(mut self) -> Vec<u8> {
        let end = format!("--{BOUNDARY}--\r\n");
        self.bytes.extend_from_slice(end.as_bytes());
        self.bytes
    }
}

impl Http {
    /// Sends a form with files; a large one may take its time.
    pub async fn upload(&self, method: Method, path: &str, form: Form) -> Answer {
        let request = self
            .request(method, path)
            .timeout(super::DEADLINE * 6)
            .header("content-type", Form::content_type());
        self.send(request.body(form.bytes())).await
    }
}
