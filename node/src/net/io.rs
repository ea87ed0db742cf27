//! A connection as hyper and the WebSocket reader use it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::ServerConnection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::server::TlsStream;

use super::wire::Wire;

/// An accepted connection, after the TLS handshake if it has one.
pub struct Io(Arc<Wire>);

impl Io {
    /// A connection without TLS. It keeps its place among the node's connections as long as it lives.
    pub fn plain(tcp: TcpStream, place: OwnedSemaphorePermit) -> Self {
        Self(Arc::new(Wire::new(tcp, None, place)))
    }

    /// A connection with TLS whose handshake is done.
    pub fn tls(stream: TlsStream<TcpStream>, place: OwnedSemaphorePermit) -> Self {
        let (tcp, tls): (TcpStream, ServerConnection) = stream.into_inner();
        Self(Arc::new(Wire::new(tcp, Some(tls), place)))
    }

    /// The connection itself, for the gateway.
    pub fn wire(&self) -> Arc<Wire> {
        self.0.clone()
    }
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.poll_read(cx, buf)
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let taken = self.0.try_write(bytes)?.taken;
            if taken > 0 || bytes.is_empty() {
                return Poll::Ready(Ok(taken));
            }
            ready!(self.0.poll_writable(cx))?;
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.0.try_write(&[])?.is_flushed {
            ready!(self.0.poll_writable(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_shutdown(cx)
    }
}
