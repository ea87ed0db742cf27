//! Direct channels: the pair of two people, the channel of a few, and random sequences of wishes.

mod few;
mod pair;
mod properties;

use std::collections::BTreeMap;

use rookery_protocol::command::group::*;
use rookery_protocol::command::{Answer, Notice};
use rookery_protocol::document::{
    DirectRow, Directs, Key, Relation, TableId, UserDocument, Users, decode,
};
use rookery_protocol::entity::EntityRef;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::{ChannelId, GroupId, UserId};
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;
use serde_json::Value;

use super::{ADA, BEN, BOT, GROUP, Group, OUTSIDER, message, profile};
use crate::store;
use crate::testkit::{Rig, code};

const CHANNEL: ChannelId = ChannelId(GROUP.0);

/// A group's rig over a store in which these users have accounts.
fn inhabited(users: &[UserId]) -> Rig<Group> {
    let mut rig = Rig::new(GROUP);
    let account = |id: UserId| UserDocument {
        schema: UserDocument::SCHEMA,
        version: 1,
        profile: profile(id),
        email: None,
        password_hash: None,
        operator: false,
        logins: Vec::new(),
        application: None,
        created_at: Millis(0),
        deleted: false,
        suspended: false,
    };
    let rows = users.iter().map(|&id| (id, account(id)));
    let writes = rows.map(|(id, row)| store::put::<Users>(Key::single(id), &row));
    rig.rewrite(writes.collect());
    rig
}

/// The pair of Ada and another, as it was made.
fn pair_with(other: UserId) -> Rig<Group> {
    let mut rig = inhabited(&[ADA, other]);
    let people = [profile(ADA), profile(other)];
    rig.run(CreatePair { people }).unwrap();
    rig
}

impl Rig<Group> {
    fn open(&mut self, by: UserId, open: bool) -> Answer<DirectView> {
        self.run(SetOpen { by, open })
    }

    /// Lets Ada or Ben wish something of the other.
    fn wish(&mut self, by: UserId, wish: RelationWish) -> Answer<DirectView> {
        let people = self.live().document.pair().unwrap().people;
        let other = people.into_iter().find(|&user| user != by).unwrap();
        let (by, other) = (profile(by), profile(other));
        self.run(SetRelation { by, other, wish })
    }

    /// What a user was shown since the last time, with the notices about how he stands to others left out.
    fn shown(&mut self) -> Vec<(UserId, EventName, Value)> {
        let sent = std::mem::take(&mut self.sent).into_iter();
        let shown = sent.filter_map(|(to, notice)| match notice {
            Notice::Show(dispatch) => {
                let body = serde_json::from_slice(&dispatch.body).unwrap();
                Some((user_of(to), dispatch.name, body))
            }
            _ => None,
        });
        shown.collect()
    }

    /// The same without the bodies.
    fn shown_names(&mut self) -> Vec<(UserId, EventName)> {
        let shown = self.shown().into_iter();
        shown.map(|(user, name, _)| (user, name)).collect()
    }

    /// What is in everybody's list.
    fn lists(&self) -> BTreeMap<UserId, DirectRow> {
        let rows = self.rows(TableId::Directs).into_iter();
        rows.map(|(key, bytes)| {
            let row = decode::<Directs>(&bytes).unwrap();
            let user = UserId(match key.partition {
                rookery_protocol::document::Part::Num(user) => user,
                rookery_protocol::document::Part::Text(text) => panic!("{text}"),
            });
            assert_eq!(key, Key::new(user, row.channel));
            (user, row)
        })
        .collect()
    }
}

fn user_of(entity: EntityRef) -> UserId {
    let user = UserId(entity.id);
    assert_eq!(entity, user.into(), "only users are told");
    user
}
