//! Pinned messages: rows of an index, and a mark in the message itself.

use rookery_protocol::client::events::ChannelPinsUpdate;
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::SetPinned;
use rookery_protocol::document::{
    AuditAction, Key, MessageKind, MessageRow, Messages, PinRow, Pins,
};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::{ChannelId, UserId};
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::profile::Profile;
use serde_json::json;

use super::access::Seat;
use super::audit::Entry;
use super::show::About;
use super::{Live, Turn};

impl Live {
    /// Pins a message, or takes the pin off; what is so already stays so without a word.
    pub(super) fn set_pinned(&mut self, turn: &mut Turn<'_>, request: SetPinned) -> Answer<()> {
        let SetPinned {
            by,
            channel,
            message,
            pinned,
            around,
            reason,
        } = request;
        let seat = self.seat(turn.now, by.id, channel)?;
        seat.require_messages()?;
        if !self.is_direct() {
            require_pin(&seat)?;
        }
        let known = self.message(channel, message)?;
        if known.kind.is_system() {
            return Err(ErrorCode::SystemMessage.into());
        }
        if known.pinned == pinned {
            return Ok(());
        }
        if pinned {
            // A pin is announced by a message.
            self.require_peace()?;
        }
        let count = self.pins.get(&channel).copied().unwrap_or(0);
        if pinned && count >= limits::PINS_PER_CHANNEL {
            return Err(ErrorCode::MaximumPins.into());
        }
        let row = MessageRow {
            pinned,
            ..known.clone()
        };
        let key = Key::new(channel, message);
        if pinned {
            let mut channels = self.document.channels.iter_mut();
            let document = channels.find(|document| document.id == channel);
            let document = document.ok_or(ErrorCode::UnknownChannel)?;
            // Pages of pins end at a time: of two pins of one millisecond the next page would miss one.
            let last = document.last_pin_at;
            let at = last.map_or(turn.now, |last| turn.now.max(last.plus(1)));
            document.last_pin_at = Some(at);
            turn.put::<Pins>(key.clone(), &PinRow { message, at });
            self.pins.insert(channel, count + 1);
            self.save(turn);
        } else {
            self.unpin(turn, &row);
        }
        turn.put::<Messages>(key, &row);
        self.recent.put((channel, message), row.clone());
        self.show_pins(turn, channel);
        self.show_updated(turn, &row, &by, &around, &[]);
        if !self.is_direct() {
            self.audit_pin(turn, by.id, &row, reason);
        }
        if pinned {
            self.reopen(turn);
            self.post_pin(turn, &row, &by);
        }
        Ok(())
    }

    /// Removes a pin from the index.
    pub(super) fn unpin(&mut self, turn: &mut Turn<'_>, row: &MessageRow) {
        turn.delete::<Pins>(Key::new(row.channel, row.id));
        if let Some(count) = self.pins.get_mut(&row.channel) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.pins.remove(&row.channel);
            }
        }
    }

    fn show_pins(&self, turn: &mut Turn<'_>, channel: ChannelId) {
        let document = self.document.channel(channel);
        let body = ChannelPinsUpdate {
            channel_id: channel,
            guild_id: self.guild_id(),
            last_pin_timestamp: document.and_then(|document| document.last_pin_at),
        };
        let name = EventName::ChannelPinsUpdate;
        self.show(turn, channel, name, About::Channel, &body);
    }

    fn audit_pin(&self, turn: &mut Turn<'_>, by: UserId, row: &MessageRow, reason: Option<String>) {
        let action = if row.pinned {
            AuditAction::MessagePin
        } else {
            AuditAction::MessageUnpin
        };
        let entry = Entry::new(by, action, reason).on(row.author.0);
        let options = json!({ "channel_id": row.channel, "message_id": row.id });
        self.audit(turn, entry.options(options));
    }

    /// Says in the channel that somebody pinned a message.
    fn post_pin(&mut self, turn: &mut Turn<'_>, pinned: &MessageRow, by: &Profile) {
        let row = self.system_row(turn, pinned.channel, MessageKind::PinAdd, by.id);
        let row = MessageRow {
            reply_to: Some(pinned.id),
            ..row
        };
        self.post_row(turn, row, by, &[]);
    }
}

/// MANAGE_MESSAGES was what it took, PIN_MESSAGES is what it takes since 2026: roles of either time hold.
fn require_pin(seat: &Seat<'_>) -> Answer<()> {
    let either = Permissions::MANAGE_MESSAGES | Permissions::PIN_MESSAGES;
    if seat.permissions.allow_any(either) {
        Ok(())
    } else {
        Err(ErrorCode::MissingPermissions.into())
    }
}
