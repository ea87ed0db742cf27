//! The voice socket: from the HTTP upgrade to its end. Its task reads and writes; what a client says goes to its room, what
//! the room says waits here, bounded.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rookery_actors::room::{Input, Rooms, SocketId, VoicePort};
use rookery_protocol::client::voice::{Identify, ServerFrame, VoiceClose};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;
use rookery_protocol::voice::{Present, RoomId};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use super::Voice;
use super::decode::{VoiceCommand, decode};
use crate::gateway::handshake;
use crate::net::Io;

/// The version of the voice gateway that this is like.
const VERSION: u8 = 8;
/// Bytes of the read buffer.
const READ_BYTES: usize = 4_096;
/// How long a frame may take to be written.
const WRITE: Duration = Duration::from_secs(10);
/// How long a client may take to answer a close.
const LINGER: Duration = Duration::from_secs(2);

/// Answers the upgrade and starts the socket's task.
pub(super) async fn upgrade(
    State(voice): State<Arc<Voice>>,
    mut request: Request,
) -> Response<Body> {
    let (response, taken) = match handshake(&mut request) {
        Ok(accepted) => accepted,
        Err(refusal) => return refusal,
    };
    let tasks = voice.tasks.clone();
    tasks.spawn(async move {
        if let Some((io, read)) = taken.await {
            Box::pin(serve(voice, io, read)).await;
        }
    });
    response
}

/// What waits to be written.
enum Outgoing {
    Frame(Bytes),
    Close(VoiceClose),
}

/// A socket's writing side as its room has it.
struct Port {
    frames: mpsc::Sender<Outgoing>,
    /// Cancelled when too much waits.
    overrun: CancellationToken,
}

impl VoicePort for Port {
    fn send(&self, frame: Bytes) {
        if self.frames.try_send(Outgoing::Frame(frame)).is_err() {
            self.overrun.cancel();
        }
    }

    fn close(&self, code: VoiceClose) {
        if self.frames.try_send(Outgoing::Close(code)).is_err() {
            self.overrun.cancel();
        }
    }
}

/// How a socket ends.
enum End {
    /// The server closes it.
    Close(VoiceClose),
    /// It is gone; whether the client ended it for good.
    Gone(bool),
}

/// A socket that is in a room.
struct Place {
    room: RoomId,
    rooms: Rooms,
    /// Of the room's, until it lets go.
    frames: mpsc::Receiver<Outgoing>,
    overrun: CancellationToken,
}

struct Socket {
    voice: Arc<Voice>,
    id: SocketId,
    ws: WebSocketStream<Io>,
    window: (Millis, u32),
    place: Option<Place>,
}

async fn serve(voice: Arc<Voice>, io: Io, read: Vec<u8>) {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(0)
        .max_message_size(Some(limits::VOICE_FRAME_BYTES))
        .max_frame_size(Some(limits::VOICE_FRAME_BYTES));
    let ws = WebSocketStream::from_partially_read(io, read, Role::Server, Some(config)).await;
    let mut socket = Socket {
        id: SocketId(voice.next_socket.fetch_add(1, Relaxed)),
        window: (voice.clock.now(), 0),
        voice,
        ws,
        place: None,
    };
    let end = socket.run().await;
    let for_good = matches!(end, End::Gone(true));
    if let Some(Place { room, rooms, .. }) = &socket.place {
        // A room that is over needs no word.
        let _ = rooms.tell(room, Input::Closed(socket.id, for_good));
    }
    if let End::Close(code) = end {
        socket.close(code).await;
    }
}

impl Socket {
    async fn run(&mut self) -> End {
        let hello = ServerFrame::Hello {
            v: VERSION,
            heartbeat_interval: limits::VOICE_HEARTBEAT_MS,
        };
        if let Err(end) = self.say(hello.encode()).await {
            return end;
        }
        let first = Duration::from_millis(limits::VOICE_IDENTIFY_MS);
        let mut deadline = Instant::now() + first;
        loop {
            let stopping = self.voice.stopping.clone();
            let silence = if self.place.is_some() {
                VoiceClose::SessionTimeout
            } else {
                VoiceClose::NotAuthenticated
            };
            let heard = tokio::select! {
                heard = self.ws.next() => heard,
                told = told(&mut self.place) => {
                    match told {
                        Outgoing::Frame(frame) => match self.say(frame).await {
                            Ok(()) => continue,
                            Err(end) => return end,
                        },
                        Outgoing::Close(code) => return End::Close(code),
                    }
                }
                () = stopping.cancelled() => return End::Close(VoiceClose::ServerCrashed),
                () = tokio::time::sleep_until(deadline) => return End::Close(silence),
            };
            match self.take(heard).await {
                Ok(()) => {}
                Err(end) => return end,
            }
            if self.place.is_some() {
                deadline = Instant::now() + Duration::from_millis(limits::VOICE_SILENCE_MS);
            }
        }
    }

    async fn take(&mut self, heard: Option<Result<Message, Error>>) -> Result<(), End> {
        let text = match heard {
            None => return Err(End::Gone(false)),
            Some(Err(Error::Capacity(_) | Error::Utf8(_) | Error::Protocol(_))) => {
                return Err(End::Close(VoiceClose::DecodeError));
            }
            Some(Err(_)) => return Err(End::Gone(false)),
            Some(Ok(Message::Close(frame))) => {
                // Leaving a page closes its sockets with 1001.
                let code = frame.map(|frame| u16::from(frame.code));
                return Err(End::Gone(matches!(code, Some(1000 | 1001))));
            }
            Some(Ok(Message::Text(text))) => Bytes::from(text),
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(_)) => return Ok(()),
        };
        if !self.admit_frame() {
            return Err(End::Close(VoiceClose::RateLimited));
        }
        let command = decode(&text).map_err(End::Close)?;
        match command {
            VoiceCommand::Heartbeat(t) => {
                return self.say(ServerFrame::HeartbeatAck { t }.encode()).await;
            }
            VoiceCommand::Identify(identify) => self.enter(identify, true),
            VoiceCommand::Resume(identify) => self.enter(identify, false),
            VoiceCommand::Offer(sdp) => self.tell(Input::Offer(self.id, sdp)),
            VoiceCommand::Streams(streams) => self.tell(Input::Streams(self.id, streams)),
            VoiceCommand::Wants(wants) => self.tell(Input::Wants(self.id, wants)),
            VoiceCommand::Nothing => Ok(()),
        }
        .map_err(End::Close)
    }

    /// Counts a frame; false when there are too many.
    fn admit_frame(&mut self) -> bool {
        let now = self.voice.clock.now();
        if now.since(self.window.0) >= limits::VOICE_WINDOW_MS {
            self.window = (now, 0);
        }
        self.window.1 += 1;
        self.window.1 <= limits::VOICE_FRAMES
    }

    /// Takes the socket to its room.
    fn enter(&mut self, identify: Identify, is_new: bool) -> Result<(), VoiceClose> {
        if self.place.is_some() {
            return Err(VoiceClose::AlreadyAuthenticated);
        }
        let Identify {
            server_id,
            user_id,
            session_id,
            token,
        } = identify;
        let room = self
            .voice
            .links
            .admits_to_room(user_id, &session_id, &token);
        let room = room.filter(|room| room.group == server_id);
        let room = room.ok_or(VoiceClose::AuthenticationFailed)?;
        let rooms = self.voice.rooms.get().ok_or(VoiceClose::ServerCrashed)?;
        let who = Present {
            user: user_id,
            session: session_id,
        };
        let socket = self.id;
        let first = if is_new {
            let ice_servers = self.voice.ice_servers(user_id);
            Input::Identify {
                socket,
                who,
                ice_servers,
            }
        } else {
            Input::Resume { socket, who }
        };
        let (sender, frames) = mpsc::channel(limits::VOICE_FRAMES_QUEUED);
        let overrun = CancellationToken::new();
        let port = Port {
            frames: sender,
            overrun: overrun.clone(),
        };
        let opened = rooms.open(room, socket, Arc::new(port), first);
        opened.map_err(|_| VoiceClose::ServerCrashed)?;
        self.place = Some(Place {
            room,
            rooms: rooms.clone(),
            frames,
            overrun,
        });
        Ok(())
    }

    fn tell(&self, input: Input) -> Result<(), VoiceClose> {
        let place = self.place.as_ref().ok_or(VoiceClose::NotAuthenticated)?;
        let told = place.rooms.tell(&place.room, input);
        told.map_err(|_| VoiceClose::ServerCrashed)
    }

    async fn say(&mut self, frame: Bytes) -> Result<(), End> {
        // Frames are JSON that this node made.
        let text = Utf8Bytes::try_from(frame).map_err(|_| End::Gone(false))?;
        let sent = tokio::time::timeout(WRITE, self.ws.send(Message::Text(text)));
        match sent.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone(false)),
        }
    }

    /// Writes the close frame and reads on until the client's: closing a socket with unread bytes would take it back.
    async fn close(mut self, code: VoiceClose) {
        let frame = CloseFrame {
            code: code.code().into(),
            reason: code.reason().into(),
        };
        let closing = async {
            if self.ws.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = self.ws.next().await {}
            }
        };
        // A client that does not answer in time is cut off.
        let _ = tokio::time::timeout(LINGER, closing).await;
    }
}

/// What the room says next; a room that let go, or too much that waits, closes the socket.
async fn told(place: &mut Option<Place>) -> Outgoing {
    let Some(place) = place else {
        return std::future::pending().await;
    };
    tokio::select! {
        told = place.frames.recv() => told.unwrap_or(Outgoing::Close(VoiceClose::ServerCrashed)),
        () = place.overrun.cancelled() => Outgoing::Close(VoiceClose::SessionTimeout),
    }
}
