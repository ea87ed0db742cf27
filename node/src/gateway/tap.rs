//! The connection as tungstenite sees it: it reads the socket; what it writes itself (pong, close) is collected and goes
//! out with everything else.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::Io;

/// A reading half.
pub(super) struct Tap {
    io: Io,
    written: Vec<u8>,
}

impl Tap {
    pub(super) fn new(io: Io) -> Self {
        Self {
            io,
            written: Vec::new(),
        }
    }

    /// Frames that tungstenite wrote since the last time.
    pub(super) fn take_written(&mut self) -> Option<Bytes> {
        (!self.written.is_empty()).then(|| std::mem::take(&mut self.written).into())
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.written.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
