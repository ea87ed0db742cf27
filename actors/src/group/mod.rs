//! A group: settings, channels, roles, members, invites, and the order of its messages. Who may do what is in
//! `access`; each other file holds one family of commands.
//!
//! The snapshot ([`GroupDocument`]) is written only when settings, channels or roles change; members, invites and
//! messages are rows of their own, and what is held of them here (last ids, nonces, recent messages) is rebuilt from
//! the rows at load or is a bounded cache of them.

mod access;
mod audit;
mod bulk;
mod channels;
mod create;
mod direct;
mod files;
mod invites;
mod load;
mod member_update;
mod members;
mod mentions;
mod messages;
mod missing;
mod moderation;
mod nonces;
mod overwrites;
mod pins;
mod reactions;
mod reap;
mod recent;
mod roles;
mod sanctions;
mod search;
mod settings;
mod show;
mod slow;
#[cfg(test)]
mod tests;
mod voice;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use rookery_protocol::command::group::{GroupCommand, GroupReply};
use rookery_protocol::command::{Answer, Notice};
use rookery_protocol::document::{GroupDocument, InviteRow, MemberRow, MessageRow};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::event::AccessPicture;
use rookery_protocol::ids::{ChannelId, GroupId, MessageId, UserId};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

use self::nonces::Nonces;
use self::reap::Ended;
use self::recent::Recent;
use self::slow::Pace;
use self::waiting::{Found, Waiting, Wanted};
use crate::entity::{Core, Effect, Input, Kit, LoadError, ReplyTo};
use crate::store::Store;

type Turn<'a> = crate::turn::Turn<'a, GroupReply>;

/// A message of a channel: the key of its row.
type Place = (ChannelId, MessageId);

/// The entity at a group's id, whether or not there is a group.
#[derive(Debug)]
pub struct Group {
    id: GroupId,
    kit: Kit,
    live: Option<Box<Live>>,
    /// What of it ended and still has rows.
    ended: Ended,
    waiting: Waiting,
}

/// A group that exists.
#[derive(Debug)]
struct Live {
    document: GroupDocument,
    members: BTreeMap<UserId, MemberRow>,
    /// Of a direct channel; empty in a community.
    people: direct::People,
    invites: BTreeMap<String, InviteRow>,
    /// Who may not come; the rest of a ban is in its row.
    banned: BTreeSet<UserId>,
    /// The newest message of each channel that has one; it may be deleted.
    last_messages: BTreeMap<ChannelId, MessageId>,
    recent: Recent<Place, MessageRow>,
    /// Which reactions there are, by message and [`rookery_protocol::document::ReactionRow::place`].
    reacted: Recent<(MessageId, String), ()>,
    /// How many pins each channel has that has any.
    pins: BTreeMap<ChannelId, usize>,
    nonces: Nonces,
    pace: Pace,
    voices: voice::Voices,
    kit: Kit,
    /// What the command that is being answered ended.
    ended: Ended,
    /// Who sees which channel, as long as the snapshot does not change.
    picture: Option<Arc<AccessPicture>>,
    /// Set by the command that ends it.
    deleted: bool,
}

#[async_trait]
impl Core for Group {
    type Command = GroupCommand;
    type Reply = GroupReply;

    async fn load(id: u64, kit: &Kit, store: &dyn Store) -> Result<Self, LoadError> {
        let id = GroupId(id);
        Ok(Self {
            id,
            kit: kit.clone(),
            live: load::load(id, kit, store).await?.map(Box::new),
            ended: reap::load(id, store).await?,
            waiting: Waiting::default(),
        })
    }

    fn step(
        &mut self,
        now: Millis,
        gseq: u64,
        input: Input<GroupCommand>,
        out: &mut Vec<Effect<GroupReply>>,
    ) {
        let mut turn = Turn { now, gseq, out };
        match input {
            Input::Command { command, reply } => self.command(&mut turn, command, reply),
            Input::Notice { notice, .. } => self.notice(&mut turn, notice),
            Input::Fetched { table, key, row } => {
                if let Some(wanted) = Wanted::of(table, key) {
                    self.fetched(&mut turn, wanted, row);
                }
            }
        }
    }

    fn figures(&self) -> Vec<(&'static str, u64)> {
        let mut figures = vec![("commands_that_wait_for_rows", self.waiting.len() as u64)];
        if let Some(live) = &self.live {
            figures.extend(live.figures());
        }
        figures
    }

    /// Commands that wait for a row are nowhere else.
    fn is_in_use(&self) -> bool {
        !self.waiting.is_empty()
    }
}

impl Group {
    fn command(&mut self, turn: &mut Turn<'_>, command: GroupCommand, reply: ReplyTo) {
        if let GroupCommand::Reap(request) = command {
            let live = self.live.as_deref_mut();
            let answer = reap::reap(turn, self.id, live, &mut self.ended, request);
            return turn.reply(reply, answer.map(GroupReply::Reap));
        }
        let Some(live) = &mut self.live else {
            let answer = match command {
                GroupCommand::CreateGroup(request) => {
                    let (live, view) = create::create(turn, self.id, &self.kit, request);
                    self.live = Some(Box::new(live));
                    Ok(GroupReply::CreateGroup(view))
                }
                GroupCommand::CreatePair(request) => {
                    direct::create_pair(turn, self.id, &self.kit, request).map(|(live, view)| {
                        self.live = Some(Box::new(live));
                        GroupReply::CreatePair(view)
                    })
                }
                GroupCommand::CreateDirect(request) => {
                    direct::create_direct(turn, self.id, &self.kit, request).map(|(live, view)| {
                        self.live = Some(Box::new(live));
                        GroupReply::CreateDirect(view)
                    })
                }
                other => Err(access::unknown(&other).into()),
            };
            return turn.reply(reply, answer);
        };
        if let Some(refusal) = live.misplaced(&command) {
            return turn.reply(reply, Err(refusal.into()));
        }
        let missing = live.missing(turn.now, &command);
        if !missing.is_empty() {
            return self.waiting.push(turn, live, missing, command, reply);
        }
        let answer = live.answer(turn, command);
        live.review_voices(turn);
        self.ended.append(&mut live.ended);
        if live.deleted {
            self.live = None;
        }
        turn.reply(reply, answer);
    }

    fn notice(&mut self, turn: &mut Turn<'_>, notice: Notice) {
        let Some(live) = &mut self.live else { return };
        match notice {
            Notice::ProfileChanged(profile) => live.profile_changed(turn, &profile),
            Notice::AccountDeleted(profile) => live.account_deleted(turn, &profile),
            // For users.
            Notice::Joined(_) | Notice::Show(_) | Notice::Mentioned(_) | Notice::Related { .. } => {
            }
        }
        live.review_voices(turn);
        self.ended.append(&mut live.ended);
        if live.deleted {
            self.live = None;
        }
    }

    /// Takes up what waited for a row. Each command is run anew: what it may do can have changed meanwhile.
    fn fetched(
        &mut self,
        turn: &mut Turn<'_>,
        wanted: Wanted,
        row: Result<Option<Vec<u8>>, ApiError>,
    ) {
        let found = row.and_then(|bytes| Found::read(wanted.clone(), bytes.as_deref()));
        let fault = match (&mut self.live, found) {
            (Some(live), Ok(found)) => {
                live.found(found);
                None
            }
            (None, Ok(_)) => None,
            (_, Err(fault)) => Some(fault),
        };
        for ticket in self.waiting.arrived(&wanted, fault.is_none()) {
            let Some((command, reply)) = self.waiting.take(ticket, self.live.as_deref_mut()) else {
                continue;
            };
            match &fault {
                None => self.command(turn, command, reply),
                Some(fault) => turn.reply(reply, Err(fault.clone())),
            }
        }
    }
}

impl Live {
    fn figures(&self) -> Vec<(&'static str, u64)> {
        let (voices, rooms) = self.voices.len();
        let figures = [
            ("members", self.members.len()),
            ("recipients", self.people.len()),
            ("channels", self.document.channels.len()),
            ("roles", self.document.roles.len()),
            ("invites", self.invites.len()),
            ("bans", self.banned.len()),
            ("messages_in_memory", self.recent.len()),
            ("people_in_voice", voices),
            ("voice_rooms", rooms),
        ];
        figures.map(|(name, count)| (name, count as u64)).to_vec()
    }

    fn new(document: GroupDocument, kit: Kit) -> Self {
        Self {
            document,
            members: BTreeMap::new(),
            people: direct::People::new(),
            invites: BTreeMap::new(),
            banned: BTreeSet::new(),
            last_messages: BTreeMap::new(),
            recent: Recent::new(limits::RECENT_MESSAGES_PER_GROUP),
            reacted: Recent::new(limits::RECENT_REACTIONS_PER_GROUP),
            pins: BTreeMap::new(),
            nonces: Nonces::default(),
            pace: Pace::default(),
            voices: voice::Voices::default(),
            kit,
            ended: Ended::new(),
            picture: None,
            deleted: false,
        }
    }

    fn answer(&mut self, turn: &mut Turn<'_>, command: GroupCommand) -> Answer<GroupReply> {
        macro_rules! dispatch {
            ($($name:ident => $handler:ident),* $(,)?) => {
                match command {
                    $(GroupCommand::$name(request) => self.$handler(turn, request).map(GroupReply::$name),)*
                    // The id is new, says whoever sends it.
                    GroupCommand::CreateGroup(_)
                    | GroupCommand::CreatePair(_)
                    | GroupCommand::CreateDirect(_) => Err(ErrorCode::Internal.into()),
                    // Answered for the living and the dead.
                    GroupCommand::Reap(_) => Err(ErrorCode::Internal.into()),
                }
            };
        }
        dispatch! {
            GetGroup => get_group,
            UpdateGroup => update_group,
            DeleteGroup => delete_group,
            Subscribe => subscribe,
            CreateChannel => create_channel,
            GetChannel => get_channel,
            ListChannels => list_channels,
            UpdateChannel => update_channel,
            DeleteChannel => delete_channel,
            CreateInvite => create_invite,
            ListInvites => list_invites,
            GetInvite => get_invite,
            DeleteInvite => delete_invite,
            AcceptInvite => accept_invite,
            AddBot => add_bot,
            GetMember => get_member,
            ListMembers => list_members,
            RemoveMember => remove_member,
            GetMembers => get_members,
            SearchMembers => search_members,
            UpdateMember => update_member,
            SetMemberRole => set_member_role,
            CreateRole => create_role,
            UpdateRole => update_role,
            MoveRoles => move_roles,
            DeleteRole => delete_role,
            PutOverwrite => put_overwrite,
            DeleteOverwrite => delete_overwrite,
            MoveChannels => move_channels,
            Ban => ban,
            Unban => unban,
            EndPurge => end_purge,
            Authorize => authorize,
            PostMessage => post_message,
            EditMessage => edit_message,
            DeleteMessage => delete_message,
            BulkDelete => bulk_delete,
            AddReaction => add_reaction,
            RemoveReaction => remove_reaction,
            ClearReactions => clear_reactions,
            SetPinned => set_pinned,
            ReadHistory => read_history,
            StartTyping => start_typing,
            GetDirect => get_direct,
            SetOpen => set_open,
            SetRelation => set_relation,
            UpdateDirect => update_direct,
            AddRecipient => add_recipient,
            RemoveRecipient => remove_recipient,
            JoinVoice => join_voice,
            LeaveVoice => leave_voice,
            BeatRoom => beat_room,
            LoseRooms => lose_rooms,
        }
    }
}
