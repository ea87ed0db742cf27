//! Rooms that groups have at this node and that do not run: nobody came to start them, so nothing asks their groups, which
//! see only then who is late.

use std::collections::BTreeMap;

use rookery_protocol::ids::{ChannelId, GroupId};
use rookery_protocol::limits;
use rookery_protocol::time::Millis;

/// Since when each of them has been seen not to run.
#[derive(Debug, Default)]
pub(super) struct Vacant(BTreeMap<ChannelId, Millis>);

impl Vacant {
    /// Takes note of those that do not run now, and says which have not for all the time that people have to come. Not
    /// before: the people of a room that ended in a panic are on their way back.
    pub(super) fn look(
        &mut self,
        vacant: BTreeMap<ChannelId, GroupId>,
        now: Millis,
    ) -> Vec<(GroupId, ChannelId)> {
        let before = std::mem::take(&mut self.0);
        let mut late = Vec::new();
        for (channel, group) in vacant {
            let since = before.get(&channel).copied().unwrap_or(now);
            self.0.insert(channel, since);
            if now.since(since) >= limits::VOICE_ABSENT_MS {
                late.push((group, channel));
            }
        }
        late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: GroupId = GroupId(1);
    const VOICE: ChannelId = ChannelId(2);
    const NEST: ChannelId = ChannelId(3);

    fn rooms(channels: &[ChannelId]) -> BTreeMap<ChannelId, GroupId> {
        channels.iter().map(|&channel| (channel, GROUP)).collect()
    }

    #[test]
    fn a_room_is_late_once_nobody_has_come_for_long_until_somebody_comes() {
        let mut vacant = Vacant::default();
        let start = Millis(1_000_000);
        let late = start.plus(limits::VOICE_ABSENT_MS);
        assert!(vacant.look(rooms(&[VOICE]), start).is_empty());
        let before = Millis(late.0 - 1);
        assert!(vacant.look(rooms(&[VOICE, NEST]), before).is_empty());
        let asked = [(GROUP, VOICE)];
        assert_eq!(vacant.look(rooms(&[VOICE, NEST]), late), asked);
        // Not everybody in it was late.
        assert_eq!(vacant.look(rooms(&[VOICE, NEST]), late.plus(1)), asked);
        assert!(vacant.look(rooms(&[NEST]), late.plus(2)).is_empty());
        // It ran meanwhile, so that its time begins anew.
        assert!(vacant.look(rooms(&[VOICE]), late.plus(3)).is_empty());
        let again = late.plus(3 + limits::VOICE_ABSENT_MS);
        assert_eq!(vacant.look(rooms(&[VOICE]), again), asked);
    }
}
