//! Direct channels: of two people with how they stand to each other, and of a few. A direct channel is a group whose one
//! channel has the group's id; its people are its members, and are told what happens through their accounts.

mod account;
mod kind;
mod pair;
mod people;
mod relation;

use std::collections::BTreeMap;

use rookery_protocol::client::direct::direct_channel;
use rookery_protocol::command::group::{CreateDirect, CreatePair, DirectView, GetDirect};
use rookery_protocol::command::{Answer, Notice};
use rookery_protocol::document::{
    ChannelKind, DirectDocument, DirectRow, Directs, Friendship, GroupDocument, Key, Members,
    PairDocument, PairRow, Pairs, Relation, TableId,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::{ChannelId, GroupId, UserId};
use rookery_protocol::limits;
use rookery_protocol::profile::Profile;
use rookery_protocol::time::Millis;
use serde_json::Value;

use super::show::About;
use super::{Live, Turn, channels, members};
use crate::entity::{Effect, Kit};

/// The profiles of a direct channel's people, which its events show; not durable, and nobody's in a community.
pub(super) type People = BTreeMap<UserId, Profile>;

/// The direct channel of two people, closed for both and with nothing between them. It happens only if they have none.
pub(super) fn create_pair(
    turn: &mut Turn<'_>,
    id: GroupId,
    kit: &Kit,
    request: CreatePair,
) -> Answer<(Live, DirectView)> {
    let people = request.people.each_ref().map(|profile| profile.id);
    if people[0] >= people[1] {
        return Err(ErrorCode::Internal.into());
    }
    let key = Key::new(people[0], people[1]);
    turn.out.push(Effect::RequireAbsent {
        table: TableId::Pairs,
        key: key.clone(),
        refusal: ErrorCode::Busy.into(),
    });
    let channel = ChannelId(id.0);
    turn.put::<Pairs>(key, &PairRow { channel });
    let direct = DirectDocument {
        pair: Some(PairDocument {
            people,
            friendship: Friendship::None,
            since: turn.now,
            blocks: [false; 2],
        }),
        closed: people.to_vec(),
    };
    let mut live = begin(turn, id, kit, people[0], direct);
    for profile in &request.people {
        live.insert_person(turn, profile);
    }
    let view = live.direct_view();
    Ok((live, view))
}

/// The direct channel of a few people, shown to them at once.
pub(super) fn create_direct(
    turn: &mut Turn<'_>,
    id: GroupId,
    kit: &Kit,
    request: CreateDirect,
) -> Answer<(Live, DirectView)> {
    let CreateDirect { by, recipients } = request;
    let mut people: People = recipients.into_iter().map(|who| (who.id, who)).collect();
    people.insert(by.id, by.clone());
    if people.len() > limits::RECIPIENTS_PER_DIRECT {
        return Err(ErrorCode::MaximumRecipients.into());
    }
    if people.values().any(|who| who.bot) {
        return Err(ErrorCode::InvalidRecipients.into());
    }
    let direct = DirectDocument {
        pair: None,
        closed: Vec::new(),
    };
    let mut live = begin(turn, id, kit, by.id, direct);
    for profile in people.values() {
        live.insert_person(turn, profile);
    }
    for &user in people.keys() {
        live.list(turn, user);
        live.show_channel(turn, user, EventName::ChannelCreate);
    }
    let view = live.direct_view();
    Ok((live, view))
}

/// The group around a new direct channel, without people.
fn begin(
    turn: &mut Turn<'_>,
    id: GroupId,
    kit: &Kit,
    owner: UserId,
    direct: DirectDocument,
) -> Live {
    let kind = if direct.pair.is_some() {
        ChannelKind::Direct
    } else {
        ChannelKind::GroupDirect
    };
    let channel = channels::blank(ChannelId(id.0), kind);
    channels::claim(turn, id, channel.id);
    let document = GroupDocument {
        schema: GroupDocument::SCHEMA,
        id,
        name: String::new(),
        icon: None,
        description: None,
        owner,
        system_channel: None,
        created_at: turn.now,
        channels: vec![channel],
        roles: Vec::new(),
        direct: Some(direct),
        sanctions: Vec::new(),
    };
    let mut live = Live::new(document, kit.clone());
    live.save(turn);
    live
}

impl Live {
    /// The id of a direct channel, which is that of its group.
    fn direct_id(&self) -> ChannelId {
        ChannelId(self.document.id.0)
    }

    /// Adds somebody: the row and the profile. There is no index of memberships over direct channels.
    fn insert_person(&mut self, turn: &mut Turn<'_>, profile: &Profile) {
        let row = members::row(profile, Vec::new(), turn.now);
        turn.put::<Members>(Key::new(self.document.id, row.user), &row);
        self.members.insert(row.user, row);
        self.people.insert(profile.id, profile.clone());
    }

    /// The others, as one of its people sees them.
    fn others(&self, user: UserId) -> impl Iterator<Item = &Profile> {
        self.people.values().filter(move |other| other.id != user)
    }

    /// Those who keep a list of direct channels: neither bots nor who is no more.
    fn listing(&self) -> Vec<UserId> {
        let people = self.people.values();
        let persons = people.filter(|who| !who.bot && !who.is_deleted());
        persons.map(|who| who.id).collect()
    }

    /// Whether the channel is in somebody's list.
    fn is_open(&self, user: UserId) -> bool {
        let direct = self.document.direct.as_ref();
        direct.is_some_and(|direct| !direct.closed.contains(&user))
    }

    /// Writes what the channel is in somebody's list, where it is only if it is open or says how he stands to the other.
    fn list(&self, turn: &mut Turn<'_>, user: UserId) {
        if self.people.get(&user).is_none_or(|who| who.bot) {
            return;
        }
        let (relation, since) = self.standing(user);
        let row = DirectRow {
            channel: self.direct_id(),
            recipients: self.others(user).map(|other| other.id).collect(),
            open: self.is_open(user),
            relation,
            since,
            group: self.document.direct_group(),
        };
        let key = Key::new(user, row.channel);
        if row.open || row.relation != Relation::None {
            turn.put::<Directs>(key, &row);
        } else {
            turn.delete::<Directs>(key);
        }
    }

    /// Writes the lists of all its people.
    fn list_all(&self, turn: &mut Turn<'_>) {
        for user in self.listing() {
            self.list(turn, user);
        }
    }

    /// How somebody stands to the other of a pair, and since when.
    fn standing(&self, user: UserId) -> (Relation, Millis) {
        let none = (Relation::None, self.document.created_at);
        let Some(pair) = self.document.pair() else {
            return none;
        };
        let side = relation::side(pair, user);
        side.map_or(none, |side| (relation::relation(pair, side), pair.since))
    }

    /// The channel as one of its people sees it.
    fn body_for(&self, user: UserId) -> Value {
        let id = self.direct_id();
        let last = self.last_messages.get(&id).copied();
        let channel = self.document.channel(id);
        let pin = channel.and_then(|channel| channel.last_pin_at);
        let group = self.document.direct_group();
        direct_channel(id, group.as_ref(), self.others(user), last, pin)
    }

    /// Shows one of its people something.
    fn show_to(&self, turn: &mut Turn<'_>, user: UserId, name: EventName, body: &Value) {
        let dispatch = self.dispatch(name, About::Channel, body);
        turn.send(user, Notice::Show(dispatch));
    }

    /// Shows one of its people the channel. Bots are not shown direct channels, only what is written there.
    ///
    /// Source: <https://discord.com/developers/docs/change-log> (API v8)
    fn show_channel(&self, turn: &mut Turn<'_>, user: UserId, name: EventName) {
        if self.people.get(&user).is_some_and(|who| !who.bot) {
            self.show_to(turn, user, name, &self.body_for(user));
        }
    }

    fn direct_view(&self) -> DirectView {
        DirectView {
            group: self.document.clone(),
            people: self.members.keys().copied().collect(),
            last_message: self.last_messages.get(&self.direct_id()).copied(),
        }
    }

    pub(super) fn get_direct(
        &mut self,
        _turn: &mut Turn<'_>,
        request: GetDirect,
    ) -> Answer<DirectView> {
        self.member(request.by)?;
        Ok(self.direct_view())
    }
}
