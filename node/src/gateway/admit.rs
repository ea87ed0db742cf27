//! From the socket's first frame to its session: HELLO, heartbeats, IDENTIFY or RESUME.

use std::sync::Arc;
use std::time::Duration;

use rookery_actors::relay::{Control, Identity, Input, Secret};
use rookery_protocol::client::gateway::{CloseCode, Identify};
use rookery_protocol::client::presence::{Platform, Said};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::limits;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Gateway;
use super::decode::{ClientCommand, wishes};
use super::socket::{Heard, Seat, Socket};
use super::upgrade::Manner;
use crate::auth::Caller;
use crate::net::Io;
use crate::random;
use crate::relay::{Admission, Encoder, End, Outbox};

/// A socket with its session.
pub(super) struct Admitted {
    pub(super) socket: Socket,
    pub(super) seat: Seat,
    /// Its id, if it was resumed: it may have been born at another node.
    pub(super) name: Option<Box<str>>,
}

/// Why a socket gets no session.
pub(super) enum Denied {
    /// Close it.
    Close(CloseCode),
    /// It is gone.
    Gone,
}

impl From<CloseCode> for Denied {
    fn from(code: CloseCode) -> Self {
        Self::Close(code)
    }
}

impl From<std::io::Error> for Denied {
    fn from(_: std::io::Error) -> Self {
        Self::Gone
    }
}

/// A socket whose write side is still its reader's.
pub(super) struct Candidate {
    pub(super) socket: Socket,
    /// Moved to the lane with IDENTIFY or RESUME; back when a resume is refused.
    pub(super) outbox: Option<Outbox>,
    encoder: Encoder,
    origin: Box<str>,
    /// The id that it resumes.
    name: Option<Box<str>>,
}

/// Takes a socket to its session, or closes it.
pub(super) async fn admit(
    gateway: Arc<Gateway>,
    io: Io,
    read: Vec<u8>,
    manner: Manner,
    origin: String,
) -> Option<Admitted> {
    let wire = io.wire();
    let compressed = manner.zlib_stream;
    let outbox = Outbox::new(wire.clone(), compressed);
    let stopping = gateway.stopping.clone();
    let mut candidate = Candidate {
        socket: Socket::new(gateway, wire, io, read).await,
        outbox: Some(outbox),
        encoder: Encoder::default(),
        origin: origin.into(),
        name: None,
    };
    let outcome = tokio::select! {
        outcome = candidate.admit(manner) => outcome,
        () = stopping.cancelled() => Err(Denied::Close(CloseCode::UnknownError)),
    };
    match outcome {
        Ok(seat) => Some(Admitted {
            socket: candidate.socket,
            seat,
            name: candidate.name,
        }),
        Err(Denied::Close(code)) => {
            candidate.close(code).await;
            None
        }
        Err(Denied::Gone) => {
            candidate.answer_close().await;
            None
        }
    }
}

impl Candidate {
    async fn admit(&mut self, manner: Manner) -> Result<Seat, Denied> {
        if !manner.is_known_version {
            return Err(CloseCode::InvalidApiVersion.into());
        }
        if !manner.is_json {
            return Err(CloseCode::DecodeError.into());
        }
        self.say(|encoder, outbox| encoder.hello(outbox.deflate()))
            .await?;
        let deadline = Instant::now() + Duration::from_millis(limits::IDENTIFY_DEADLINE_MS);
        loop {
            let heard = tokio::time::timeout_at(deadline, self.socket.hear()).await;
            if let Some(written) = self.socket.take_written() {
                self.control(&Control::Raw(written)).await?;
            }
            let command = match heard {
                Err(_) => return Err(CloseCode::SessionTimedOut.into()),
                Ok(None) => continue,
                Ok(Some(Heard::Gone(_))) => return Err(Denied::Gone),
                Ok(Some(Heard::Fault(code))) => return Err(code.into()),
                Ok(Some(Heard::Command(command))) => command,
            };
            match command {
                ClientCommand::Heartbeat => self.control(&Control::HeartbeatAck).await?,
                ClientCommand::InSession(_) => return Err(CloseCode::NotAuthenticated.into()),
                ClientCommand::Identify(identify) => return self.identify(identify).await,
                ClientCommand::Resume(resume) => {
                    if let Some(admitted) = self.resume(&resume).await? {
                        self.name = Some(resume.session_id.into());
                        return Ok(admitted);
                    }
                    self.control(&Control::InvalidSession { resumable: false })
                        .await?;
                }
            }
        }
    }

    pub(super) async fn authenticate(&self, token: &str) -> Result<Caller, Denied> {
        let world = self.socket.gateway.clerk.world();
        world
            .authenticate(token)
            .await
            .map_err(|refusal| match refusal.code {
                // Not the token's fault: the client may come again.
                ErrorCode::Busy | ErrorCode::Unavailable | ErrorCode::Internal => {
                    CloseCode::UnknownError.into()
                }
                _ => CloseCode::AuthenticationFailed.into(),
            })
    }

    async fn identify(&mut self, identify: Identify) -> Result<Seat, Denied> {
        let caller = self.authenticate(&identify.token).await?;
        let application = caller.account.application.as_ref();
        let (intents, shard) = wishes(&identify, application.map(|a| a.privileged))?;
        let gateway = self.socket.gateway.clone();
        let said = match identify.presence {
            None => Said::default(),
            Some(form) => form
                .checked(gateway.clock.now())
                .ok_or(CloseCode::DecodeError)?,
        };
        let properties = identify.properties.unwrap_or_default();
        let platform = Platform::of(
            properties.os.as_deref().unwrap_or_default(),
            properties.browser.as_deref().unwrap_or_default(),
            caller.is_bot(),
        );
        if !gateway.budget.take(caller.id(), gateway.clock.now()) {
            return Err(CloseCode::RateLimited.into());
        }
        let identity = Identity {
            user: caller.id(),
            proof: caller.proof,
            intents,
            shard,
            secret: Secret(random::bytes()),
        };
        let lane = gateway.hub.lane_of(caller.id());
        let (wire, admission) = self.hand_over(Some(Box::new((said, platform))))?;
        gateway.hub.send(lane, Input::Open { identity, wire }).await;
        match admission.await {
            Ok(Ok((link, identity))) => Ok(Seat {
                lane,
                link,
                identity,
            }),
            // Not how a lane answers; or it has stopped.
            Ok(Err(_)) | Err(_) => Err(Denied::Gone),
        }
    }

    /// The write side as a lane takes it.
    pub(super) fn hand_over(
        &mut self,
        said: Option<Box<(Said, Platform)>>,
    ) -> Result<(Box<End>, oneshot::Receiver<Admission>), Denied> {
        let outbox = self.outbox.take().ok_or(Denied::Gone)?;
        let (answer, admission) = oneshot::channel();
        let end = End {
            outbox,
            admission: Some(answer),
            origin: self.origin.clone(),
            said,
            arrival: None,
        };
        Ok((Box::new(end), admission))
    }

    async fn say(
        &mut self,
        encode: impl FnOnce(&mut Encoder, &mut Outbox),
    ) -> Result<(), std::io::Error> {
        let Some(outbox) = &mut self.outbox else {
            return Ok(());
        };
        self.encoder.clear();
        encode(&mut self.encoder, outbox);
        outbox.send_all(self.encoder.frames()).await
    }

    async fn control(&mut self, control: &Control) -> Result<(), std::io::Error> {
        self.say(|encoder, outbox| encoder.control(outbox.deflate(), control))
            .await
    }

    /// Writes the close frame and waits for the client's.
    async fn close(mut self, code: CloseCode) {
        let said = self.say(|encoder, _| encoder.close(code));
        let within = Duration::from_millis(limits::IDENTIFY_DEADLINE_MS / 10);
        if let Ok(Ok(())) = tokio::time::timeout(within, said).await {
            self.socket.wire.finish();
            self.socket.linger().await;
        }
    }

    /// Writes what the WebSocket answered to the client's close.
    async fn answer_close(mut self) {
        if let Some(written) = self.socket.take_written() {
            let written = Control::Raw(written);
            let said = self.control(&written);
            let within = Duration::from_millis(limits::IDENTIFY_DEADLINE_MS / 10);
            // The client is going anyway.
            let _ = tokio::time::timeout(within, said).await;
        }
    }
}
