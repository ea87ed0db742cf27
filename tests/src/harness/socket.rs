//! A WebSocket to the gateway as it is on the wire, over TCP or TLS, without any knowledge of sessions.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open WebSocket. Dropping it cuts the TCP connection without a close frame.
pub struct Socket(WebSocketStream<Box<dyn Stream>>);

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Socket")
    }
}

/// A TLS client that trusts one certificate (PEM).
pub fn trusting(pem: &[u8]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(pem).expect("a certificate");
    roots.add(certificate).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

impl Socket {
    /// Connects to `ws://host:port/path?query` or `wss://..`.
    ///
    /// # Errors
    /// The handshake was refused.
    pub async fn connect(url: &str, trust: Option<&[u8]>) -> Result<Self, Error> {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let authority = rest.split(['/', '?']).next().expect("an authority");
        let tcp = TcpStream::connect(authority).await?;
        tcp.set_nodelay(true)?;
        let stream: Box<dyn Stream> = if scheme == "wss" {
            let host = authority
                .rsplit_once(':')
                .map_or(authority, |(host, _)| host);
            let name = ServerName::try_from(host.to_owned()).expect("a host");
            let connector = trusting(trust.expect("a certificate for wss"));
            Box::new(connector.connect(name, tcp).await?)
        } else {
            Box::new(tcp)
        };
        let (socket, _) = client_async(url, stream).await?;
        Ok(Self(socket))
    }

    /// Sends one frame.
    ///
    /// # Errors
    /// The socket is closed.
    pub async fn send(&mut self, message: Message) -> Result<(), Error> {
        self.0.send(message).await
    }

    /// The next frame; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        self.0.next().await
    }
}
