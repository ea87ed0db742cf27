//! The commands' side of the admin API.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use rookery_protocol::ids::UserId;
use rookery_protocol::inspect::CheckLine;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;

use super::SOCKET;
use crate::backup::produce::PIECES;
use crate::operator::NewOperator;

/// The longest refusal that is read.
const REFUSAL_BYTES: usize = 4_096;
/// The longest answer that is read.
const ANSWER_BYTES: usize = 64 * 1_024 * 1_024;
/// How long a node somewhere else may take to take a connection.
const CONNECT: Duration = Duration::from_secs(5);
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
    /// There is no socket.
    #[error("no node serves on the data folder {}: name it with --data, or another node with --admin", .0.display())]
    Nobody(PathBuf),
    /// A node somewhere else cannot be reached.
    #[error("{url} cannot be reached: {source}")]
    There {
        /// As it was named.
        url: String,
        /// Why.
        source: io::Error,
    },
    /// That is no address of the API.
    #[error("`{0}` is no address of an admin API: it is like https://node-1.example:9180")]
    BadUrl(String),
    /// The file with the certificates cannot be used.
    #[error("the certificates of --admin-ca cannot be used: {0}")]
    BadCa(String),
    /// It refuses.
    #[error("{why}")]
    Refused {
        /// With which status.
        status: u16,
        /// Its sentence.
        why: String,
    },
    /// It ended, or was ended, before it was done; or it cut who took nothing.
    #[error(
        "the node that serves ended before it was done, or nobody took what it sent for too long"
    )]
    Cut,
}

/// Where the admin API is reached.
#[derive(Clone)]
pub enum Door {
    /// The socket of the node that serves on a data folder.
    Here(PathBuf),
    /// `[admin] listen` of a node.
    There(Arc<There>),
}

/// A node somewhere else.
pub struct There {
    /// As it was named.
    url: String,
    host: String,
    port: u16,
    token: String,
    tls: Option<TlsConnector>,
}

impl Door {
    /// A node somewhere else: `http://` (which only this machine should be spoken to by) or `https://`, host and port; a token;
    /// and the PEM file of whoever signed its certificate, if that is none of the system's.
    ///
    /// # Errors
    /// That is no address, or the file cannot be used.
    pub fn there(url: &str, token: String, ca: Option<&Path>) -> Result<Self, AdminError> {
        let bad = || AdminError::BadUrl(url.to_owned());
        let uri: hyper::Uri = url.parse().map_err(|_| bad())?;
        let host = uri.host().ok_or_else(bad)?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let port = uri.port_u16().ok_or_else(bad)?;
        let tls = match uri.scheme_str() {
            Some("http") => None,
            Some("https") => Some(connector(ca)?),
            _ => return Err(bad()),
        };
        Ok(Self::There(Arc::new(There {
            url: url.to_owned(),
            host,
            port,
            token,
            tls,
        })))
    }

    /// Connects; none: no node serves on that folder.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn connect(&self) -> Result<Option<Admin>, AdminError> {
        match self {
            Self::Here(folder) => Admin::connect(folder).await,
            Self::There(there) => there.connect().await.map(Some),
        }
    }
}

impl There {
    async fn connect(&self) -> Result<Admin, AdminError> {
        let failed = |source: io::Error| AdminError::There {
            url: self.url.clone(),
            source,
        };
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let tcp = tokio::time::timeout(CONNECT, connecting).await;
        let tcp = tcp.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let tcp = tcp.map_err(failed)?;
        let sender = match &self.tls {
            None => handshake(tcp).await?,
            Some(tls) => {
                let name = ServerName::try_from(self.host.clone());
                let name = name.map_err(|error| failed(io::Error::other(error)))?;
                handshake(tls.connect(name, tcp).await.map_err(failed)?).await?
            }
        };
        Ok(Admin {
            sender,
            token: Some(format!("Bearer {}", self.token)),
        })
    }
}

fn connector(ca: Option<&Path>) -> Result<TlsConnector, AdminError> {
    let mut roots = RootCertStore::empty();
    let bad = |why: String| AdminError::BadCa(why);
    match ca {
        Some(path) => {
            let bytes = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
            for certificate in CertificateDer::pem_slice_iter(&bytes) {
                let certificate = certificate.map_err(|error| bad(error.to_string()))?;
                let added = roots.add(certificate);
                added.map_err(|error| bad(error.to_string()))?;
            }
        }
        None => {
            for certificate in rustls_native_certs::load_native_certs().certs {
                // One that this TLS cannot use is no reason to refuse the others.
                let _ = roots.add(certificate);
            }
        }
    }
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn handshake(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<http1::SendRequest<Body>, AdminError> {
    let (sender, connection) = http1::handshake(TokioIo::new(io)).await?;
    // What goes wrong is told to whoever reads the answer.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// A connection to the admin API of a node.
pub struct Admin {
    sender: http1::SendRequest<Body>,
    token: Option<String>,
}

impl Admin {
    /// Connects to the node that serves on a data folder, if one does.
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
        let sender = handshake(socket).await?;
        Ok(Some(Self {
            sender,
            token: None,
        }))
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

    /// Has it make an operator's account; its id.
    ///
    /// # Errors
    /// It refuses.
    pub async fn make_operator(self, new: &NewOperator) -> Result<UserId, AdminError> {
        let body = serde_json::to_vec(new).map_err(|_| AdminError::Cut)?;
        self.read(Method::POST, "/operators", Some(body)).await
    }

    /// Reads something as JSON.
    ///
    /// # Errors
    /// It refuses, or says something else.
    pub async fn read<T: DeserializeOwned>(
        mut self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<T, AdminError> {
        let answer = self.request(method, path, body).await?;
        let body = Limited::new(answer.into_body(), ANSWER_BYTES);
        let body = body.collect().await.map_err(|_| AdminError::Cut)?;
        serde_json::from_slice(&body.to_bytes()).map_err(|_| AdminError::Cut)
    }

    async fn post(&mut self, path: &str) -> Result<Response<Incoming>, AdminError> {
        self.request(Method::POST, path, None).await
    }

    async fn request(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Response<Incoming>, AdminError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "rookery");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, token);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body.map_or_else(Body::empty, Body::from));
        let request = request.map_err(|error| AdminError::BadUrl(error.to_string()))?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = Limited::new(answer.into_body(), REFUSAL_BYTES)
            .collect()
            .await;
        let text = body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned());
        let text = text.unwrap_or_default();
        let said: Option<Refused> = serde_json::from_str(&text).ok();
        Err(AdminError::Refused {
            status: status.as_u16(),
            why: said.map_or(text, |said| said.error),
        })
    }
}

/// A refusal.
#[derive(Debug, Deserialize)]
struct Refused {
    error: String,
}
