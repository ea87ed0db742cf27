//! What a session asks besides heartbeats: its presence, members, ranges of a member list.

use std::sync::Arc;

use rookery_protocol::client::gateway::{CloseCode, LazyRequest, RequestMembers, VoiceForm, op};
use rookery_protocol::client::presence::PresenceForm;
use rookery_protocol::limits;
use rookery_protocol::time::Millis;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::Gateway;
use super::decode::SessionCommand;
use super::members::{Pager, limited};
use super::socket::Seat;
use super::voice::Errand;
use crate::memberlist::Range;
use crate::presence::At;

/// What of a session lives as long as its socket.
pub(super) struct Session {
    gateway: Arc<Gateway>,
    seat: Seat,
    /// When the current window of presences began, and how many came since.
    presences: (Millis, u32),
    /// Requests for members, and who answers them; begun with the first.
    members: Option<(mpsc::Sender<RequestMembers>, AbortHandle)>,
    /// Its id, if it was resumed.
    name: Option<Box<str>>,
    /// What it says of voice channels, and who carries it out; begun with the first.
    voice: Option<(mpsc::Sender<VoiceForm>, AbortHandle)>,
}

impl Session {
    pub(super) fn new(gateway: Arc<Gateway>, seat: Seat, name: Option<Box<str>>) -> Self {
        Self {
            gateway,
            seat,
            presences: (Millis(0), 0),
            members: None,
            name,
            voice: None,
        }
    }

    fn at(&self) -> At {
        At {
            lane: self.seat.lane,
            session: self.seat.link.session,
        }
    }

    /// Does what the client says, without waiting.
    pub(super) fn take(&mut self, command: SessionCommand) -> Result<(), CloseCode> {
        match command {
            SessionCommand::Voice(form) => self.voice(form),
            SessionCommand::Presence(form) => self.presence(form),
            SessionCommand::Members(request) => {
                self.request(request);
                Ok(())
            }
            SessionCommand::Ranges(request) => {
                self.look(request);
                Ok(())
            }
        }
    }

    /// Takes a presence, or leaves it if there were too many just now.
    fn presence(&mut self, form: PresenceForm) -> Result<(), CloseCode> {
        let now = self.gateway.clock.now();
        let said = form.checked(now).ok_or(CloseCode::DecodeError)?;
        if now.since(self.presences.0) >= limits::PRESENCE_WINDOW_MS {
            self.presences = (now, 0);
        }
        self.presences.1 += 1;
        if self.presences.1 <= limits::PRESENCE_UPDATES {
            let registry = self.gateway.clerk.world().registry();
            registry.set(self.at(), self.seat.identity.user, said);
        }
        Ok(())
    }

    /// Puts a request for members behind those that wait.
    fn request(&mut self, request: RequestMembers) {
        let (gateway, at, identity) = (&self.gateway, self.at(), self.seat.identity);
        let (requests, _) = self.members.get_or_insert_with(|| {
            let (sender, requests) = mpsc::channel(limits::MEMBERS_REQUESTS);
            let pager = Pager::new(gateway.clone(), at, identity);
            let task = tokio::spawn(pager.run(requests));
            (sender, task.abort_handle())
        });
        if let Err(mpsc::error::TrySendError::Full(request)) = requests.try_send(request) {
            let told = limited(gateway.clone(), at, request, limits::GATEWAY_WINDOW_MS);
            tokio::spawn(told);
        }
    }

    /// Puts a voice state behind those that wait.
    fn voice(&mut self, form: VoiceForm) -> Result<(), CloseCode> {
        let (gateway, at, seat) = (&self.gateway, self.at(), self.seat);
        let (name, voice) = (&self.name, &mut self.voice);
        let (forms, _) = voice.get_or_insert_with(|| {
            let (sender, forms) = mpsc::channel(limits::VOICE_FORMS);
            let session = name.as_deref().map_or_else(
                || {
                    gateway
                        .clerk
                        .session_id_of(seat.lane, at.session, &seat.identity)
                },
                str::to_owned,
            );
            let errand = Errand::new(gateway.clone(), at, &seat.identity, session);
            let task = tokio::spawn(errand.run(forms));
            (sender, task.abort_handle())
        });
        // Who says so much at once is not listened to.
        forms.try_send(form).map_err(|_| CloseCode::RateLimited)
    }

    /// Looks at other rows of a member list.
    fn look(&mut self, request: LazyRequest) {
        let (at, user) = (self.at(), self.seat.identity.user);
        let ranges: Vec<Range> = request.channels.into_values().flatten().collect();
        let lists = &self.gateway.lists;
        lists.look((at, self.seat.link.attach), user, request.guild_id, &ranges);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some((_, pager)) = &self.members {
            pager.abort();
        }
        // What was said last is still carried out: the channel closes, and the errand ends by itself.

        self.gateway.lists.close(self.at(), self.seat.link.attach);
    }
}

/// The opcode of a request for members.
pub(super) const REQUEST: u8 = op::REQUEST_GUILD_MEMBERS;
