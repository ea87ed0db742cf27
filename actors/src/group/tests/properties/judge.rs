//! Holds what the group answered and stored against the model.

use std::collections::{BTreeMap, BTreeSet};

use rookery_protocol::command::group::*;
use rookery_protocol::document::{Messages, TableId, decode};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::EventName;

use super::super::*;
use super::Run;
use super::model::Model;
use crate::testkit::dispatch;

impl Run {
    /// Holds every answer of the last step against the model, in the order they were given.
    pub(super) fn check(&mut self) {
        let mut created = self.rig.take_events().into_iter().filter_map(|event| {
            let dispatch = dispatch(&event)?.clone();
            (dispatch.name == EventName::MessageCreate).then_some(dispatch.body)
        });
        while let Some((to, answer)) = self.rig.answers.pop_front() {
            let command = self.asked.remove(&to).expect("an answer to a question");
            let refused = answer.as_ref().err().map(|refusal| refusal.code);
            if matches!(refused, Some(ErrorCode::Unavailable)) {
                continue;
            }
            self.judge(command, answer.ok(), refused);
        }
        // A join says so in the system channel: the model learns of it from the event. One step may answer several
        // commands that waited for the same row, so what they made is known only now.
        let live = self.rig.core.live.as_ref();
        let news: Vec<MessageRow> = live
            .into_iter()
            .flat_map(|live| live.recent.iter().filter_map(|(_, row)| row.cloned()))
            .filter(|row| !self.model.messages.contains_key(&(row.channel, row.id)))
            .collect();
        for row in news {
            assert!(
                row.content.is_empty(),
                "only joins and pins are told of unasked"
            );
            self.model.add(&row);
            self.places.push((row.channel, row.id));
            assert!(created.next().is_some());
        }
    }

    fn judge(
        &mut self,
        command: GroupCommand,
        answer: Option<GroupReply>,
        refused: Option<ErrorCode>,
    ) {
        let may_post = |model: &Model, by: UserId, channel: ChannelId| {
            model.alive && model.members.contains(&by) && model.channels.contains(&channel)
        };
        let holds = |rig: &Rig<Group>, channel| {
            let live = rig.core.live.as_ref();
            live.and_then(|live| live.document.channel(channel))
                .is_some_and(|c| c.kind.holds_messages())
        };
        match command {
            GroupCommand::PostMessage(request) => {
                let ok = may_post(&self.model, request.by.id, request.channel)
                    && holds(&self.rig, request.channel);
                assert_eq!(answer.is_some(), ok, "{refused:?}");
                let Some(GroupReply::PostMessage(posted)) = answer else {
                    return;
                };
                let repeated = posted.repeated.then_some(posted.message.id);
                if request.enforce_nonce {
                    self.model.check_nonce(&self.rig, &request, repeated);
                } else {
                    assert_eq!(repeated, None);
                }
                if repeated.is_none() {
                    assert_eq!(posted.message.content, request.content);
                    self.places
                        .push((posted.message.channel, posted.message.id));
                    self.model.add(&posted.message);
                }
            }
            GroupCommand::EditMessage(request) => {
                let place = (request.channel, request.message);
                let may = may_post(&self.model, request.by.id, request.channel);
                let known = self.model.messages.get_mut(&place).expect("a known place");
                let ok = may && known.there && !known.is_system && known.author == request.by.id;
                assert_eq!(answer.is_some(), ok, "{refused:?}");
                if ok {
                    known.content = request.content.unwrap();
                }
            }
            GroupCommand::DeleteMessage(request) => {
                let place = (request.channel, request.message);
                let may = may_post(&self.model, request.by, request.channel);
                let known = self.model.messages.get_mut(&place).expect("a known place");
                let ok = may && known.there && (request.by == OWNER || known.author == request.by);
                assert_eq!(answer.is_some(), ok, "{refused:?}");
                if ok {
                    self.model.erase(place);
                }
            }
            GroupCommand::AddReaction(request) => {
                let place = (request.channel, request.message);
                let may = may_post(&self.model, request.by.id, request.channel);
                let ok = may && self.model.is_there(place);
                assert_eq!(answer.is_some(), ok, "{refused:?}");
                if ok {
                    let reaction = (place, request.emoji, request.by.id);
                    self.model.reactions.insert(reaction);
                }
            }
            GroupCommand::RemoveReaction(request) => {
                let place = (request.channel, request.message);
                let may = may_post(&self.model, request.by, request.channel)
                    && (request.by == OWNER || request.by == request.user);
                let ok = may && self.model.is_there(place);
                assert_eq!(answer.is_some(), ok, "{refused:?}");
                if ok {
                    let reaction = (place, request.emoji, request.user);
                    self.model.reactions.remove(&reaction);
                }
            }
            GroupCommand::ClearReactions(request) => {
                let place = (request.channel, request.message);
                let may = request.by == OWNER && may_post(&self.model, request.by, request.channel);
                let ok = may && self.model.is_there(place);
                assert_eq!(answer.is_some(), ok, "{refused:?}");
                if ok {
                    self.model.reactions.retain(|(of, emoji, _)| {
                        *of != place || request.emoji.as_ref().is_some_and(|one| one != emoji)
                    });
                }
            }
            GroupCommand::SetPinned(request) => {
                let place = (request.channel, request.message);
                let may = request.by.id == OWNER && may_post(&self.model, OWNER, request.channel);
                let known = &self.model.messages[&place];
                let ok = may && known.there && !known.is_system;
                assert_eq!(answer.is_some(), ok, "{refused:?}");
                if ok && request.pinned {
                    self.model.pins.insert(place);
                } else if ok {
                    self.model.pins.remove(&place);
                }
            }
            GroupCommand::BulkDelete(request) => {
                let ids: BTreeSet<_> = request.messages.iter().copied().collect();
                let may = request.by == OWNER && may_post(&self.model, request.by, request.channel);
                assert_eq!(answer.is_some(), may && ids.len() > 1, "{refused:?}");
                for id in ids.into_iter().filter(|_| answer.is_some()) {
                    self.model.erase((request.channel, id));
                }
            }
            GroupCommand::AcceptInvite(request) => {
                if answer.is_some() {
                    assert!(self.model.alive);
                    self.model.members.insert(request.by.id);
                }
            }
            GroupCommand::GetInvite(_) => {}
            other => {
                if answer.is_none() {
                    return;
                }
                assert!(self.model.alive);
                match other {
                    GroupCommand::RemoveMember(request) => {
                        assert!(self.model.members.contains(&request.by));
                        assert!(request.by == OWNER || request.by == request.user.id);
                        assert!(self.model.members.remove(&request.user.id));
                    }
                    GroupCommand::CreateChannel(request) => {
                        assert_eq!(request.by, OWNER);
                        let Some(GroupReply::CreateChannel(view)) = answer else {
                            panic!("another answer")
                        };
                        assert!(self.model.channels.insert(view.channel.id));
                    }
                    GroupCommand::DeleteChannel(request) => {
                        assert_eq!(request.by, OWNER);
                        assert!(self.model.channels.remove(&request.channel));
                    }
                    GroupCommand::CreateInvite(request) => {
                        assert!(self.model.members.contains(&request.by.id));
                    }
                    GroupCommand::Subscribe(request) => {
                        assert!(self.model.members.contains(&request.by));
                        let Some(GroupReply::Subscribe(picture)) = answer else {
                            panic!("another answer")
                        };
                        let users: BTreeSet<_> =
                            picture.members.iter().map(|row| row.user).collect();
                        assert_eq!(users, self.model.members);
                    }
                    GroupCommand::DeleteGroup(request) => {
                        assert_eq!(request.by, OWNER);
                        self.model.alive = false;
                    }
                    other => panic!("{} is not in the model", other.name()),
                }
            }
        }
    }

    /// The history is what the model says: nothing lost, doubled, or brought back.
    pub(super) fn check_rows(&self) {
        let rows = self.rig.rows(TableId::Messages);
        let rows = rows
            .values()
            .map(|bytes| decode::<Messages>(bytes).unwrap());
        let stored: BTreeMap<_, _> = rows
            .map(|row| ((row.channel, row.id), row.content))
            .collect();
        let known = self.model.messages.iter().filter(|(_, known)| known.there);
        let known: BTreeMap<_, _> = known
            .map(|(place, known)| (*place, known.content.clone()))
            .collect();
        assert_eq!(stored, known);
        let rows = self.rig.rows(TableId::Messages);
        let rows = rows
            .values()
            .map(|bytes| decode::<Messages>(bytes).unwrap());
        let (mut counted, mut pinned) = (BTreeMap::new(), BTreeSet::new());
        for row in rows {
            let place = (row.channel, row.id);
            for count in row.reactions {
                counted.insert((place, count.emoji), count.count);
            }
            if row.pinned {
                pinned.insert(place);
            }
        }
        let mut known = BTreeMap::new();
        for (place, emoji, _) in &self.model.reactions {
            *known.entry((*place, emoji.clone())).or_default() += 1;
        }
        assert_eq!(counted, known);
        assert_eq!(pinned, self.model.pins);
    }
}
