//! The write side of one socket: what the kernel did not take is kept, nothing else.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::counters::CountersView;
use super::encode::Deflate;
use crate::net::{Wire, Written};

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// All is with the kernel.
    Done,
    /// A remainder waits for the socket.
    Blocked,
}

/// The write side of a socket.
pub struct Outbox {
    wire: Arc<Wire>,
    deflate: Option<Box<Deflate>>,
    rest: Vec<u8>,
    is_flushed: bool,
}

impl Outbox {
    /// The write side of `wire`, compressed or not.
    pub fn new(wire: Arc<Wire>, compressed: bool) -> Self {
        Self {
            wire,
            deflate: compressed.then(Box::default),
            rest: Vec::new(),
            is_flushed: true,
        }
    }

    /// The session's compression.
    pub fn deflate(&mut self) -> Option<&mut Deflate> {
        self.deflate.as_deref_mut()
    }

    /// The connection.
    pub fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }

    /// Writes whole frames behind what is left of earlier ones.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn send(&mut self, frames: &[u8], count: &mut CountersView) -> io::Result<Progress> {
        if self.push(count)? == Progress::Blocked {
            self.rest.extend_from_slice(frames);
            return Ok(Progress::Blocked);
        }
        let taken = self.write(frames, count)?;
        if taken < frames.len() {
            self.rest.extend_from_slice(&frames[taken..]);
        }
        Ok(self.progress(count))
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn push(&mut self, count: &mut CountersView) -> io::Result<Progress> {
        if self.rest.is_empty() && self.is_flushed {
            return Ok(Progress::Done);
        }
        let rest = std::mem::take(&mut self.rest);
        let taken = self.write(&rest, count)?;
        if taken < rest.len() {
            self.rest = rest;
            self.rest.drain(..taken);
        }
        Ok(self.progress(count))
    }

    fn progress(&self, count: &mut CountersView) -> Progress {
        if self.rest.is_empty() && self.is_flushed {
            Progress::Done
        } else {
            count.partial_writes += 1;
            Progress::Blocked
        }
    }

    fn write(&mut self, bytes: &[u8], count: &mut CountersView) -> io::Result<usize> {
        let mut done = 0;
        loop {
            let Written { taken, is_flushed } = self.wire.try_write(&bytes[done..])?;
            self.is_flushed = is_flushed;
            done += taken;
            count.writes += 1;
            count.bytes += taken as u64;
            // A plain socket that took less than all is full: asking again would only cost a system call.
            let is_full = taken == 0 || !is_flushed || !self.wire.is_tls();
            if done == bytes.len() || is_full {
                return Ok(done);
            }
        }
    }

    /// Whether the socket takes bytes; otherwise the waker is woken when it does.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.poll_writable(cx)
    }

    /// Writes whole frames, waiting for the socket as needed. For the time before the session has a lane.
    ///
    /// # Errors
    /// The connection is broken.
    pub async fn send_all(&mut self, frames: &[u8]) -> io::Result<()> {
        let mut count = CountersView::default();
        let mut progress = self.send(frames, &mut count)?;
        while progress == Progress::Blocked {
            std::future::poll_fn(|cx| self.wire.poll_writable(cx)).await?;
            progress = self.push(&mut count)?;
        }
        Ok(())
    }
}
