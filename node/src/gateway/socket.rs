//! A socket's task: reads frames, keeps the client to its limits, and leaves the writing to the session's lane.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use rookery_actors::relay::{Control, Identity, Input, Link};
use rookery_protocol::client::gateway::CloseCode;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Gateway;
use super::decode::{ClientCommand, decode};
use super::session::Session;
use super::tap::Tap;
use crate::net::{Io, Wire};

/// Bytes of the read buffer: a client's largest frame.
const READ_BYTES: usize = limits::GATEWAY_FRAME_BYTES;

/// How long a client may take to answer a close.
const LINGER: Duration = Duration::from_secs(5);

/// What came from a client.
pub(super) enum Heard {
    /// A frame.
    Command(ClientCommand),
    /// Something to close the socket for.
    Fault(CloseCode),
    /// The end: the code of the client's close frame, if it sent one.
    Gone(Option<u16>),
}

/// The session that a socket is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seat {
    pub(super) lane: u16,
    pub(super) link: Link,
    pub(super) identity: Identity,
}

/// The reading side of a socket.
pub(super) struct Socket {
    pub(super) gateway: Arc<Gateway>,
    pub(super) wire: Arc<Wire>,
    ws: WebSocketStream<Tap>,
    window_start: Millis,
    window_frames: u32,
}

/// A client's close with one of these ends its session.
fn ends_session(code: Option<u16>) -> bool {
    matches!(code, Some(1000 | 1001))
}

impl Socket {
    pub(super) async fn new(gateway: Arc<Gateway>, wire: Arc<Wire>, io: Io, read: Vec<u8>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(1_024)
            .max_message_size(Some(limits::GATEWAY_FRAME_BYTES))
            .max_frame_size(Some(limits::GATEWAY_FRAME_BYTES));
        let tap = Tap::new(io);
        let ws = WebSocketStream::from_partially_read(tap, read, Role::Server, Some(config)).await;
        Self {
            window_start: gateway.clock.now(),
            window_frames: 0,
            gateway,
            wire,
            ws,
        }
    }

    /// Frames that the WebSocket itself answered with.
    pub(super) fn take_written(&mut self) -> Option<Bytes> {
        self.ws.get_mut().take_written()
    }

    /// Counts a frame; false when there are too many.
    fn admit_frame(&mut self) -> bool {
        let now = self.gateway.clock.now();
        if now.since(self.window_start) >= limits::GATEWAY_WINDOW_MS {
            self.window_start = now;
            self.window_frames = 0;
        }
        self.window_frames += 1;
        self.window_frames <= limits::GATEWAY_FRAMES
    }

    /// The next thing the client says; none for a frame that needs no more than what the WebSocket answered itself.
    pub(super) async fn hear(&mut self) -> Option<Heard> {
        let message = match self.ws.next().await {
            None => return Some(Heard::Gone(None)),
            Some(Err(Error::Capacity(_) | Error::Utf8(_) | Error::Protocol(_))) => {
                return Some(Heard::Fault(CloseCode::DecodeError));
            }
            Some(Err(_)) => return Some(Heard::Gone(None)),
            Some(Ok(message)) => message,
        };
        if let Message::Close(frame) = message {
            // The next poll writes the answer.
            while let Some(Ok(_)) = self.ws.next().await {}
            return Some(Heard::Gone(frame.map(|frame| frame.code.into())));
        }
        if !self.admit_frame() {
            return Some(Heard::Fault(CloseCode::RateLimited));
        }
        let decoded = match message {
            Message::Text(text) => decode(text.as_bytes()),
            Message::Binary(bytes) => decode(&bytes),
            _ => return None,
        };
        Some(decoded.map_or_else(Heard::Fault, Heard::Command))
    }

    /// Serves the socket of a session until either side ends it.
    pub(super) async fn serve(mut self, seat: Seat, name: Option<Box<str>>) {
        let Seat { lane, link, .. } = seat;
        let mut session = Session::new(self.gateway.clone(), seat, name);
        let quiet = Duration::from_millis(limits::HEARTBEAT_DEADLINE_MS);
        let mut deadline = Instant::now() + quiet;
        let wire = self.wire.clone();
        loop {
            let heard = tokio::select! {
                heard = self.hear() => heard,
                () = wire.writer_gone() => break,
                () = tokio::time::sleep_until(deadline) => {
                    Some(Heard::Fault(CloseCode::SessionTimedOut))
                }
            };
            deadline = Instant::now() + quiet;
            let mut answer = self.take_written().map(Control::Raw);
            if !matches!(heard, Some(Heard::Gone(_)))
                && let Some(written) = answer.take()
            {
                self.control(lane, link, written).await;
            }
            let (end, code) = match heard {
                None => continue,
                Some(Heard::Command(ClientCommand::InSession(command))) => {
                    match command.and_then(|command| session.take(command)) {
                        Ok(()) => continue,
                        Err(code) => (false, Some(code)),
                    }
                }
                Some(Heard::Command(ClientCommand::Heartbeat)) => {
                    self.control(lane, link, Control::HeartbeatAck).await;
                    continue;
                }
                Some(Heard::Command(ClientCommand::Identify(_) | ClientCommand::Resume(_))) => {
                    (false, Some(CloseCode::AlreadyAuthenticated))
                }
                Some(Heard::Fault(code)) => (false, Some(code)),
                Some(Heard::Gone(code)) => (ends_session(code), None),
            };
            let hangup = Input::Hangup {
                link,
                end,
                answer,
                code,
            };
            self.gateway.hub.send(lane, hangup).await;
            if code.is_none() {
                return;
            }
            break;
        }
        self.linger().await;
    }

    async fn control(&self, lane: u16, link: Link, control: Control) {
        let input = Input::Control { link, control };
        self.gateway.hub.send(lane, input).await;
    }

    /// Reads on until the client has closed: closing a socket with unread bytes would take the close frame back.
    pub(super) async fn linger(mut self) {
        let until_closed = async { while !matches!(self.ws.next().await, None | Some(Err(_))) {} };
        // A client that does not answer in time is cut off.
        let _ = tokio::time::timeout(LINGER, until_closed).await;
    }
}
