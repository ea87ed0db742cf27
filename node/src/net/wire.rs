//! One connection, shared by its reader (a task) and its writer (a relay lane). Without TLS nothing is locked; with TLS
//! both sides take the connection's own lock.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;
use rustls::ServerConnection;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;
use tokio::sync::{Notify, OwnedSemaphorePermit};

/// Encrypted bytes that may wait for the socket, and the largest piece encrypted at once.
const TLS_BYTES: usize = 64 * 1_024;

/// A connection.
pub struct Wire {
    tcp: TcpStream,
    tls: Option<Mutex<ServerConnection>>,
    closing: Notify,
    /// Given back when the connection ends, upgraded or not.
    _place: OwnedSemaphorePermit,
}

/// What a write took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Bytes taken.
    pub taken: usize,
    /// Whether everything taken so far is with the kernel.
    pub is_flushed: bool,
}

/// The socket as `rustls` reads and writes it: without waiting.
struct Now<'a>(&'a TcpStream);

impl Read for Now<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buf)
    }
}

impl Write for Now<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.try_write(buf)
    }

    fn write_vectored(&mut self, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Wire {
    pub(super) fn new(
        tcp: TcpStream,
        tls: Option<ServerConnection>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        // Frames are written whole: waiting for more to send would only delay them.
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY not set");
        }
        let tls = tls.map(|mut tls| {
            tls.set_buffer_limit(Some(TLS_BYTES));
            Mutex::new(tls)
        });
        Self {
            tcp,
            tls,
            closing: Notify::new(),
            _place: place,
        }
    }

    /// Whether the client speaks TLS to us.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Reads what is there.
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let read = match &self.tls {
                None => self.tcp.try_read_buf(buf).map(|_| ()),
                Some(tls) => self.read_tls(&mut tls.lock(), buf),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.tcp.poll_read_ready(cx))?;
                }
                read => return Poll::Ready(read),
            }
        }
    }

    fn read_tls(&self, tls: &mut ServerConnection, buf: &mut ReadBuf<'_>) -> io::Result<()> {
        loop {
            match tls.reader().read(buf.initialize_unfilled()) {
                Ok(read) => {
                    buf.advance(read);
                    return Ok(());
                }
                // Cut without a close_notify: the same to us, as every frame says its length.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            tls.read_tls(&mut Now(&self.tcp))?;
            let processed = tls.process_new_packets();
            // Alerts and key updates go out at once if they can, else with the next write.
            let pushed = self.push_tls(tls);
            processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            pushed?;
        }
    }

    /// Writes encrypted bytes; whether none are left.
    fn push_tls(&self, tls: &mut ServerConnection) -> io::Result<bool> {
        while tls.wants_write() {
            match tls.write_tls(&mut Now(&self.tcp)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Writes as much as goes without waiting. With no bytes it only flushes.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<Written> {
        let Some(tls) = &self.tls else {
            if bytes.is_empty() {
                return Ok(Written {
                    taken: 0,
                    is_flushed: true,
                });
            }
            return match self.tcp.try_write(bytes) {
                Ok(taken) => Ok(Written {
                    taken,
                    is_flushed: true,
                }),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Written {
                    taken: 0,
                    is_flushed: true,
                }),
                Err(error) => Err(error),
            };
        };
        let mut tls = tls.lock();
        if !self.push_tls(&mut tls)? {
            return Ok(Written {
                taken: 0,
                is_flushed: false,
            });
        }
        let piece = &bytes[..bytes.len().min(TLS_BYTES)];
        let taken = tls.writer().write(piece)?;
        let is_flushed = self.push_tls(&mut tls)?;
        Ok(Written { taken, is_flushed })
    }

    /// Whether the socket takes bytes; otherwise the waker is woken when it does. Only one task at a time may wait.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll_write_ready(cx)
    }

    /// Says that nothing more will be written.
    pub(super) fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(tls) = &self.tls {
            tls.lock().send_close_notify();
            while !self.try_write(&[])?.is_flushed {
                ready!(self.poll_writable(cx))?;
            }
        }
        self.finish();
        Poll::Ready(Ok(()))
    }

    /// Closes the writing half; an already broken connection is as good.
    pub fn finish(&self) {
        if let Some(tls) = &self.tls {
            let mut tls = tls.lock();
            tls.send_close_notify();
            let _ = self.push_tls(&mut tls);
        }
        let _ = socket2::SockRef::from(&self.tcp).shutdown(Shutdown::Write);
    }

    /// Tells the reader that its writer has let go.
    pub fn let_go(&self) {
        self.closing.notify_one();
    }

    /// Waits until the writer has let go.
    pub async fn writer_gone(&self) {
        self.closing.notified().await;
    }
}
