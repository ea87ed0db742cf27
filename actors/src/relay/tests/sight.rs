//! What sessions see of a group: single situations.

use rookery_protocol::event::{AccessChange, Audience, EventName};
use rookery_protocol::ids::{ChannelId, RoleId};
use rookery_protocol::intents::Intents;
use rookery_protocol::permissions::{Overwrite, OverwriteTarget, Permissions};

use super::groups::CHANNEL;
use super::{Bench, GROUP, USER, community, names};

const ROLE: RoleId = RoleId(101);

fn hidden_from(target: OverwriteTarget) -> Vec<Overwrite> {
    vec![Overwrite {
        target,
        allow: Permissions::NONE,
        deny: Permissions::VIEW_CHANNEL,
    }]
}

fn from_everyone() -> Vec<Overwrite> {
    hidden_from(OverwriteTarget::Role(GROUP.everyone()))
}

fn say(bench: &mut Bench, channel: ChannelId) {
    bench.message_to(GROUP, Audience::Channel(channel), false);
}

#[test]
fn a_hidden_channel_disappears_and_falls_silent() {
    let (mut bench, client) = community();
    bench.set_channel(GROUP, CHANNEL, Some(from_everyone()), false);
    say(&mut bench, CHANNEL);
    bench.set_channel(GROUP, CHANNEL, Some(Vec::new()), false);
    say(&mut bench, CHANNEL);
    bench.flush();
    assert_eq!(
        names(&bench, client)[2..],
        [
            EventName::ChannelDelete,
            EventName::ChannelCreate,
            EventName::MessageCreate
        ]
    );
    bench.check();
}

#[test]
fn a_role_makes_a_channel_appear_and_its_end_makes_it_disappear() {
    let (mut bench, client) = community();
    let mut overwrites = from_everyone();
    overwrites.push(Overwrite {
        target: OverwriteTarget::Role(ROLE),
        allow: Permissions::VIEW_CHANNEL,
        deny: Permissions::NONE,
    });
    bench.change(
        GROUP,
        AccessChange::Role(ROLE, Some(Permissions::NONE)),
        false,
    );
    bench.set_channel(GROUP, CHANNEL, Some(overwrites), false);
    bench.change(GROUP, AccessChange::Member(USER, vec![ROLE]), false);
    say(&mut bench, CHANNEL);
    bench.change(GROUP, AccessChange::Role(ROLE, None), false);
    say(&mut bench, CHANNEL);
    bench.flush();
    assert_eq!(
        names(&bench, client)[2..],
        [
            EventName::GuildRoleUpdate,
            EventName::ChannelDelete,
            EventName::GuildMemberUpdate,
            EventName::ChannelCreate,
            EventName::MessageCreate,
            EventName::GuildRoleUpdate,
            EventName::ChannelDelete,
        ]
    );
    bench.check();
}

#[test]
fn who_joins_late_catches_up_with_what_was_visible_when_it_was() {
    let (mut bench, _) = community();
    let second = bench.client(USER.0, Intents::ALL);
    // READY's question, and the answer to that of the group, which is now under way.
    bench.answer(0);
    bench.answer(0);
    bench.answer(0);
    say(&mut bench, CHANNEL);
    bench.set_channel(GROUP, CHANNEL, Some(from_everyone()), false);
    say(&mut bench, CHANNEL);
    bench.set_channel(GROUP, CHANNEL, Some(Vec::new()), false);
    bench.answer_all();
    say(&mut bench, CHANNEL);
    bench.flush();
    assert_eq!(
        names(&bench, second)[1..],
        [
            EventName::GuildCreate,
            EventName::MessageCreate,
            EventName::ChannelDelete,
            EventName::ChannelCreate,
            EventName::MessageCreate,
        ]
    );
    bench.check();
}

#[test]
fn a_resume_replays_what_was_visible_when_it_passed() {
    let (mut bench, client) = community();
    bench.hangup(client, false);
    say(&mut bench, CHANNEL);
    bench.set_channel(GROUP, CHANNEL, Some(from_everyone()), false);
    say(&mut bench, CHANNEL);
    assert_eq!(bench.resume(client, 0), None);
    bench.flush();
    assert_eq!(
        names(&bench, client)[2..],
        [
            EventName::MessageCreate,
            EventName::ChannelDelete,
            EventName::Resumed
        ]
    );
    bench.check();
}

#[test]
fn of_two_users_one_sees_what_the_other_does_not() {
    let (mut bench, client) = community();
    bench
        .members
        .insert((GROUP, rookery_protocol::ids::UserId(2)));
    let other = bench.client(2, Intents::ALL);
    bench.answer_all();
    let hidden = ChannelId(2);
    let overwrites = hidden_from(OverwriteTarget::Member(USER));
    bench.set_channel(GROUP, hidden, Some(overwrites), false);
    say(&mut bench, hidden);
    say(&mut bench, CHANNEL);
    bench.set_channel(GROUP, hidden, None, false);
    bench.flush();
    assert_eq!(names(&bench, client)[2..], [EventName::MessageCreate]);
    assert_eq!(names(&bench, other).len(), 6);
    bench.check();
}
