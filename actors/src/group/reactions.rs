//! Reactions to messages. Who reacted with what is a row each; how many did is in the message's row.

use rookery_protocol::client::events::{EveryReaction, OneReaction, ReactionChange};
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::{AddReaction, ClearReactions, RemoveReaction};
use rookery_protocol::document::{
    Key, MessageRow, Messages, ReactionCount, ReactionRow, Reactions,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::{ChannelId, MessageId, UserId};
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::time::Millis;

use super::show::About;
use super::{Live, Turn};
use crate::entity::Effect;
use crate::store;

/// Above the place of every reaction.
const LAST_PLACE: &str = "\u{10ffff}";

impl Live {
    /// Adds a reaction; who reacted so already has not done it twice.
    pub(super) fn add_reaction(&mut self, turn: &mut Turn<'_>, request: AddReaction) -> Answer<()> {
        let AddReaction {
            by,
            channel,
            message,
            emoji,
        } = request;
        let seat = self.seat(turn.now, by.id, channel)?;
        seat.require_messages()?;
        seat.require(Permissions::READ_MESSAGE_HISTORY)?;
        let may_begin = seat.require(Permissions::ADD_REACTIONS);
        self.require_may_react(by.id)?;
        let mut row = self.message(channel, message)?.clone();
        let user = by.id;
        let reaction = ReactionRow { emoji, user };
        let mut counts = row.reactions.iter_mut();
        if let Some(count) = counts.find(|count| count.emoji == reaction.emoji) {
            if self.has_reacted(message, &reaction) {
                return Ok(());
            }
            count.count += 1;
        } else {
            may_begin?;
            if row.reactions.len() >= limits::REACTIONS_PER_MESSAGE {
                return Err(ErrorCode::MaximumReactions.into());
            }
            row.reactions.push(ReactionCount {
                emoji: reaction.emoji.clone(),
                count: 1,
            });
        }
        let place = reaction.place();
        turn.put::<Reactions>(Key::new(message, place.as_str()), &reaction);
        self.reacted.put((message, place), ());
        let author = row.author;
        self.put_counts(turn, row);
        let member = self.members.get(&user).filter(|_| !self.is_direct());
        let body = ReactionChange {
            emoji: Some(reaction.emoji.as_str().into()),
            reaction: Some(OneReaction::added(
                user,
                author,
                member.map(|row| (row, &by)),
            )),
            ..self.change(channel, message)
        };
        self.show(
            turn,
            channel,
            EventName::MessageReactionAdd,
            About::Reactions,
            &body,
        );
        Ok(())
    }

    /// Takes a reaction back; one that is not there is gone already.
    pub(super) fn remove_reaction(
        &mut self,
        turn: &mut Turn<'_>,
        request: RemoveReaction,
    ) -> Answer<()> {
        let RemoveReaction {
            by,
            channel,
            message,
            emoji,
            user,
        } = request;
        if by == user {
            self.seat(turn.now, by, channel)?.require_messages()?;
        } else {
            self.require_moderator(turn.now, by, channel)?;
        }
        let mut row = self.message(channel, message)?.clone();
        let reaction = ReactionRow { emoji, user };
        let mut counts = row.reactions.iter_mut();
        let count = counts.find(|count| count.emoji == reaction.emoji);
        let Some(count) = count.filter(|_| self.has_reacted(message, &reaction)) else {
            return Ok(());
        };
        count.count = count.count.saturating_sub(1);
        row.reactions.retain(|count| count.count > 0);
        let place = reaction.place();
        turn.delete::<Reactions>(Key::new(message, place.as_str()));
        self.reacted.delete((message, place));
        self.put_counts(turn, row);
        let body = ReactionChange {
            emoji: Some(reaction.emoji.as_str().into()),
            reaction: Some(OneReaction::removed(user)),
            ..self.change(channel, message)
        };
        self.show(
            turn,
            channel,
            EventName::MessageReactionRemove,
            About::Reactions,
            &body,
        );
        Ok(())
    }

    /// Takes all reactions back, or all of one emoji.
    pub(super) fn clear_reactions(
        &mut self,
        turn: &mut Turn<'_>,
        request: ClearReactions,
    ) -> Answer<()> {
        let ClearReactions {
            by,
            channel,
            message,
            emoji,
        } = request;
        self.require_moderator(turn.now, by, channel)?;
        let known = self.message(channel, message)?;
        let is_cleared =
            |count: &ReactionCount| emoji.as_ref().is_none_or(|emoji| count.emoji == *emoji);
        if !known.reactions.iter().any(is_cleared) {
            return Ok(());
        }
        let mut row = known.clone();
        row.reactions.retain(|count| !is_cleared(count));
        match &emoji {
            None => self.erase_reactions(turn, message),
            Some(emoji) => {
                let (first, last) = (format!("{emoji}/"), format!("{emoji}0"));
                let rows = store::delete_range::<Reactions>(
                    message,
                    first.as_str(),
                    // The byte after `/`: no place is called so.
                    last.as_str(),
                );
                turn.out.push(Effect::Write(rows));
                self.reacted
                    .delete_all(|(of, place)| *of == message && place.starts_with(&first));
            }
        }
        self.put_counts(turn, row);
        let body = ReactionChange {
            emoji: emoji.as_deref().map(Into::into),
            every: emoji.as_ref().map(|_| EveryReaction::default()),
            ..self.change(channel, message)
        };
        let name = if emoji.is_some() {
            EventName::MessageReactionRemoveEmoji
        } else {
            EventName::MessageReactionRemoveAll
        };
        self.show(turn, channel, name, About::Reactions, &body);
        Ok(())
    }

    /// Deletes the rows of all reactions to a message.
    pub(super) fn erase_reactions(&mut self, turn: &mut Turn<'_>, message: MessageId) {
        let rows = store::delete_up_to::<Reactions>(message, LAST_PLACE);
        turn.out.push(Effect::Write(rows));
        self.reacted.delete_all(|(of, _)| *of == message);
    }

    /// MANAGE_MESSAGES, which nobody has in a direct channel.
    fn require_moderator(&self, now: Millis, by: UserId, channel: ChannelId) -> Answer<()> {
        let seat = self.seat(now, by, channel)?;
        seat.require_messages()?;
        if self.is_direct() {
            return Err(ErrorCode::CannotActOnDirect.into());
        }
        seat.require(Permissions::MANAGE_MESSAGES)
    }

    /// Whether somebody reacted so; [`Live::missing`] has seen to it that it is known.
    fn has_reacted(&self, message: MessageId, reaction: &ReactionRow) -> bool {
        let known = self.reacted.get(&(message, reaction.place()));
        known.flatten().is_some()
    }

    fn put_counts(&mut self, turn: &mut Turn<'_>, row: MessageRow) {
        turn.put::<Messages>(Key::new(row.channel, row.id), &row);
        self.recent.put((row.channel, row.id), row);
    }

    fn change<'a>(&self, channel: ChannelId, message: MessageId) -> ReactionChange<'a> {
        ReactionChange {
            channel_id: channel,
            message_id: message,
            guild_id: self.guild_id(),
            emoji: None,
            reaction: None,
            every: None,
        }
    }
}
