//! An HTTP client of the API: status, headers and JSON of every answer, whatever it is.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::oracle;

/// An answer of the server.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or null when it is no JSON.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// Asserts a refusal with this status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: u64) {
        assert_eq!(
            (self.status, self.body["code"].as_u64()),
            (status, Some(code)),
            "{}",
            self.text
        );
        assert!(self.body["message"].is_string(), "{}", self.text);
    }

    /// Asserts a 50035 that names this field.
    #[track_caller]
    pub fn bad_field(&self, path: &str) {
        self.refused(400, 50035);
        let faults = path
            .split('.')
            .fold(&self.body["errors"], |node, key| &node[key]);
        let fault = &faults["_errors"][0];
        assert!(
            fault["code"].is_string() && fault["message"].is_string(),
            "no fault at {path}: {}",
            self.text
        );
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A client with or without a token. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    base: String,
    token: Option<String>,
}

impl Http {
    /// A client of a server, trusting one certificate or none.
    pub fn new(base: &str, trust: Option<&[u8]>) -> Self {
        let mut builder = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(20));
        if let Some(pem) = trust {
            let certificate = Certificate::from_pem(pem).expect("a certificate");
            builder = builder.tls_certs_only([certificate]);
        }
        Self {
            client: builder.build().expect("an HTTP client"),
            base: base.to_owned(),
            token: None,
        }
    }

    /// The same client with this `Authorization`.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// A request to a path under `/api/v10`, or to an absolute one that starts with `//`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = path.strip_prefix('/').filter(|path| path.starts_with('/'));
        let url = url.map_or_else(
            || format!("{}/api/v10{path}", self.base),
            |path| format!("{}{path}", self.base),
        );
        let request = self.client.request(method, url);
        match &self.token {
            Some(token) => request.header("authorization", token),
            None => request,
        }
    }

    /// Sends a request; an I/O error is the caller's to judge.
    ///
    /// # Errors
    /// The server could not be reached, or the connection broke.
    pub async fn try_send(&self, request: RequestBuilder) -> Result<Answer, reqwest::Error> {
        let request = request.build()?;
        let (method, url) = (request.method().clone(), request.url().clone());
        let response = self.client.execute(request).await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        if let Some(path) = url.path().strip_prefix("/api/v10/") {
            oracle::answer(&method, path, status, &body);
        }
        Ok(Answer {
            status,
            headers,
            body,
            text,
        })
    }

    /// Sends a request that must be answered.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.expect("an answer")
    }

    /// Sends a request with a raw JSON body, whatever its bytes are.
    pub async fn raw(&self, method: Method, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        let request = self.request(method, path);
        self.send(
            request
                .header("content-type", "application/json")
                .body(body.into()),
        )
        .await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// POST with JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body))
            .await
    }

    /// PUT with JSON.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    /// PATCH with JSON.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(&body))
            .await
    }

    /// PUT without a body.
    pub async fn put_empty(&self, path: &str) -> Answer {
        self.send(self.request(Method::PUT, path)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Writes a message, which must be accepted.
    #[track_caller]
    pub fn say(&self, channel: &str, content: &str) -> impl Future<Output = Value> + use<> {
        let path = format!("/channels/{channel}/messages");
        let (http, body) = (self.clone(), json!({ "content": content }));
        async move { http.post(&path, body).await.expect(200) }
    }
}
