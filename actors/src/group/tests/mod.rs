//! Tests of the group core: a table per family of commands, the bodies of its events, and random sequences against a
//! model.

mod access;
mod channels;
mod direct;
mod events;
mod files;
mod invites;
mod load;
mod members;
mod mentions;
mod messages;
mod moderation;
mod pins;
mod properties;
mod reactions;
mod reap;
mod search;
mod settings;
mod slow;
mod voice;

use rookery_protocol::command::group::{
    AcceptInvite, CreateGroup, CreateInvite, GroupReply, Mentioned, PostMessage,
};
use rookery_protocol::command::{Answer, Command, Reply, Request};
use rookery_protocol::document::{
    ChannelKind, GroupDocument, Groups, Key, MemberRow, Members, MessageRow, RoleDocument,
};
use rookery_protocol::ids::{ChannelId, GroupId, RoleId, UserId};
use rookery_protocol::permissions::Permissions;
use rookery_protocol::profile::Profile;

use super::{Group, Live};
use crate::store;
use crate::testkit::{Rig, START};

const GROUP: GroupId = GroupId(1_000);
const OWNER: UserId = UserId(1);
const ADA: UserId = UserId(2);
const BEN: UserId = UserId(3);
const OUTSIDER: UserId = UserId(9);
const BOT: UserId = UserId(50);

fn profile(id: UserId) -> Profile {
    Profile {
        id,
        username: format!("user{id}"),
        global_name: Some(format!("User {id}")),
        avatar: None,
        bot: id == BOT,
    }
}

/// What a rig of a group is asked and answers, by request.
fn take<R: Request>(answer: Answer<GroupReply>) -> Answer<R::Reply> {
    answer.map(|reply| R::reply(Reply::Group(reply)).expect("a reply of the request's kind"))
}

impl Rig<Group> {
    fn run<R: Request>(&mut self, request: R) -> Answer<R::Reply> {
        let Command::Group(command) = request.into() else {
            panic!("a group's command");
        };
        take::<R>(self.call(command))
    }

    fn live(&self) -> &Live {
        self.core.live.as_ref().expect("a group")
    }

    fn channel(&self, kind: ChannelKind) -> ChannelId {
        let channels = &self.live().document.channels;
        let found = channels.iter().find(|channel| channel.kind == kind);
        found.expect("a channel of that kind").id
    }

    fn text(&self) -> ChannelId {
        self.channel(ChannelKind::Text)
    }

    /// Changes the snapshot past the core.
    fn edit(&mut self, change: impl FnOnce(&mut GroupDocument)) {
        let mut document = self.live().document.clone();
        change(&mut document);
        self.rewrite(vec![store::put::<Groups>(Key::single(GROUP), &document)]);
    }

    /// What `@everyone` may do, from now on.
    fn everyone(&mut self, permissions: Permissions) {
        self.edit(|document| document.roles[0].permissions = permissions);
    }

    /// Gives a member a role.
    fn give(&mut self, user: UserId, role: u64, position: u32, permissions: Permissions) {
        let role = RoleId(role);
        self.edit(|document| {
            document.roles.push(RoleDocument {
                id: role,
                name: "role".to_owned(),
                color: 0,
                hoist: false,
                position,
                permissions,
                mentionable: false,
                bot: None,
            });
        });
        let mut row: MemberRow = self.live().members[&user].clone();
        row.roles.push(role);
        self.rewrite(vec![store::put::<Members>(Key::new(GROUP, user), &row)]);
    }

    fn post(&mut self, by: UserId, content: &str) -> MessageRow {
        let channel = self.text();
        self.run(message(by, channel, content)).unwrap().message
    }
}

fn mentioning(users: Vec<Profile>) -> Mentioned {
    Mentioned {
        users,
        ..Mentioned::default()
    }
}

fn message(by: UserId, channel: ChannelId, content: &str) -> PostMessage {
    PostMessage {
        embeds: Vec::new(),
        attachments: Vec::new(),
        by: profile(by),
        channel,
        content: content.to_owned(),
        tts: false,
        nonce: None,
        enforce_nonce: false,
        mentions: Mentioned::default(),
        reply_to: None,
        flags: 0,
    }
}

fn invite(by: UserId, channel: ChannelId, code: &str) -> CreateInvite {
    CreateInvite {
        reason: None,
        by: profile(by),
        channel,
        code: code.to_owned(),
        max_age: 0,
        max_uses: 0,
        reuse: false,
    }
}

fn accept(by: UserId, code: &str) -> AcceptInvite {
    AcceptInvite {
        by: profile(by),
        code: code.to_owned(),
    }
}

/// A group with an owner.
fn founded() -> Rig<Group> {
    let mut rig = Rig::new(GROUP);
    let by = profile(OWNER);
    let name = "Rooks".to_owned();
    let icon = None;
    rig.run(CreateGroup { by, name, icon }).unwrap();
    rig
}

/// A group of three.
fn community() -> Rig<Group> {
    let mut rig = founded();
    let channel = rig.text();
    rig.run(invite(OWNER, channel, "open")).unwrap();
    for user in [ADA, BEN] {
        rig.now = rig.now.plus(1_000);
        rig.run(accept(user, "open")).unwrap();
    }
    rig.now = START.plus(10_000);
    rig.take_events();
    rig.sent.clear();
    rig
}
