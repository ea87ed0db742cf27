//! The commands' side of the admin socket.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rookery_protocol::inspect::CheckLine;
use tokio::net::UnixStream;
use tokio::sync::mpsc;

use super::SOCKET;
use crate::backup::produce::PIECES;

/// The longest refusal that is read.
const REFUSAL_BYTES: usize = 4_096;
/// The longest line of a check.
const LINE_BYTES: usize = 1_024 * 1_024;

/// Why the serving node did not help.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The socket cannot be used.
    #[error("the node that serves does not answer on {}: {source}", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It does not speak as it should.
    #[error("the node that serves does not answer: {0}")]
    Http(#[from] hyper::Error),
    /// It refuses.
    #[error("the node that serves refuses: {0}")]
    Refused(String),
    /// It ended, or was ended, before it was done.
    #[error("the node that serves ended before it was done")]
    Cut,
}

/// A connection to the node that serves on a data folder.
pub struct Admin {
    sender: http1::SendRequest<Body>,
}

impl Admin {
    /// Connects, if a node serves there.
    ///
    /// # Errors
    /// There is a socket that cannot be used.
    pub async fn connect(folder: &Path) -> Result<Option<Self>, AdminError> {
        let path = folder.join(SOCKET);
        let socket = match UnixStream::connect(&path).await {
            Ok(socket) => socket,
            // Nobody, or what a killed process left.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                return Ok(None);
            }
            Err(source) => return Err(AdminError::Socket { path, source }),
        };
        let (sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
        // What goes wrong is told to whoever reads the answer.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Some(Self { sender }))
    }

    /// A backup of its store, as it comes.
    ///
    /// # Errors
    /// It refuses.
    pub async fn backup(mut self, files: bool) -> Result<mpsc::Receiver<Bytes>, AdminError> {
        let answer = self.post(&format!("/backup?files={files}")).await?;
        let (out, pieces) = mpsc::channel(PIECES);
        let mut body = answer.into_body();
        tokio::spawn(async move {
            // A cut stream ends without a trailer, which its reader sees. The sender keeps the connection open.
            let _sender = self.sender;
            while let Some(Ok(frame)) = body.frame().await {
                if let Ok(piece) = frame.into_data()
                    && out.send(piece).await.is_err()
                {
                    return;
                }
            }
        });
        Ok(pieces)
    }

    /// Has it look its store over; `each` is given every line.
    ///
    /// # Errors
    /// It refuses, or ends before the report.
    pub async fn check(
        mut self,
        quick: bool,
        mut each: impl FnMut(CheckLine),
    ) -> Result<(), AdminError> {
        let answer = self.post(&format!("/store/check?quick={quick}")).await?;
        let mut body = answer.into_body();
        let mut lines = BytesMut::new();
        let mut has_ended = false;
        while let Some(frame) = body.frame().await {
            let Ok(piece) = frame?.into_data() else {
                continue;
            };
            lines.extend_from_slice(&piece);
            while let Some(end) = lines.iter().position(|&byte| byte == b'\n') {
                let line = lines.split_to(end + 1);
                let line: CheckLine = serde_json::from_slice(&line).map_err(|_| AdminError::Cut)?;
                has_ended |= matches!(line, CheckLine::Report(_));
                each(line);
            }
            if lines.len() > LINE_BYTES {
                return Err(AdminError::Cut);
            }
        }
        if has_ended {
            Ok(())
        } else {
            Err(AdminError::Cut)
        }
    }

    /// Has the node end in order, and waits until it has.
    ///
    /// # Errors
    /// It refuses.
    pub async fn drain(mut self) -> Result<(), AdminError> {
        let mut body = self.post("/node/drain").await?.into_body();
        // The answer ends with the process, in whatever way.
        while let Some(Ok(_)) = body.frame().await {}
        Ok(())
    }

    /// The addresses that its clients are told for their media.
    ///
    /// # Errors
    /// It refuses.
    pub async fn voice(mut self) -> Result<Vec<SocketAddr>, AdminError> {
        let answer = self.post("/voice").await?;
        let body = Limited::new(answer.into_body(), REFUSAL_BYTES);
        let body = body.collect().await.map_err(|_| AdminError::Cut)?;
        serde_json::from_slice(&body.to_bytes()).map_err(|_| AdminError::Cut)
    }

    async fn post(&mut self, path: &str) -> Result<Response<Incoming>, AdminError> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = Method::POST;
        if let Ok(uri) = path.parse() {
            *request.uri_mut() = uri;
        }
        request.headers_mut().insert(
            hyper::header::HOST,
            hyper::header::HeaderValue::from_static("rookery"),
        );
        let answer = self.sender.send_request(request).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let body = Limited::new(answer.into_body(), REFUSAL_BYTES)
            .collect()
            .await;
        let text = body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned());
        Err(AdminError::Refused(text.unwrap_or_default()))
    }
}
