//! Reactions.

use rookery_protocol::command::group::*;
use rookery_protocol::document::{Part, ReactionCount, Reactions, TableId};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::EventName;
use rookery_protocol::limits;

use super::load::assert_rebuilt;
use super::messages::{delete, edit, stored};
use super::*;
use crate::testkit::{code, dispatch};

const THUMB: &str = "\u{1f44d}";
const DARK_THUMB: &str = "\u{1f44d}\u{1f3ff}";
const HEART: &str = "\u{2764}\u{fe0f}";

pub(super) fn add(by: UserId, row: &MessageRow, emoji: &str) -> AddReaction {
    AddReaction {
        by: profile(by),
        channel: row.channel,
        message: row.id,
        emoji: emoji.to_owned(),
    }
}

pub(super) fn remove(by: UserId, row: &MessageRow, emoji: &str, user: UserId) -> RemoveReaction {
    RemoveReaction {
        by,
        channel: row.channel,
        message: row.id,
        emoji: emoji.to_owned(),
        user,
    }
}

pub(super) fn clear(by: UserId, row: &MessageRow, emoji: Option<&str>) -> ClearReactions {
    ClearReactions {
        by,
        channel: row.channel,
        message: row.id,
        emoji: emoji.map(str::to_owned),
    }
}

fn counts(rig: &Rig<Group>, row: &MessageRow) -> Vec<(String, u64)> {
    let row = stored(rig, row).expect("a message");
    let counts = row.reactions.into_iter();
    counts
        .map(|ReactionCount { emoji, count }| (emoji, count))
        .collect()
}

#[test]
fn a_reaction_counts_once_before_and_after_a_crash() {
    let mut rig = community();
    let row = rig.post(ADA, "a");
    rig.take_events();
    rig.run(add(ADA, &row, THUMB)).unwrap();
    rig.run(add(BEN, &row, THUMB)).unwrap();
    rig.run(add(BEN, &row, HEART)).unwrap();
    assert_eq!(rig.take_names(), [EventName::MessageReactionAdd; 3]);
    for crash in [false, true] {
        if crash {
            rig.crash();
        }
        rig.run(add(ADA, &row, THUMB)).unwrap();
        rig.run(add(BEN, &row, HEART)).unwrap();
        assert!(rig.take_events().is_empty(), "they reacted already");
    }
    let two = (THUMB.to_owned(), 2);
    assert_eq!(counts(&rig, &row), [two, (HEART.to_owned(), 1)]);
    rig.crash();
    rig.run(remove(BEN, &row, HEART, BEN)).unwrap();
    rig.run(remove(BEN, &row, HEART, BEN)).unwrap();
    rig.run(remove(OWNER, &row, THUMB, BEN)).unwrap();
    // Nobody reacted so.
    rig.run(remove(OWNER, &row, HEART, OWNER)).unwrap();
    rig.run(remove(OWNER, &row, THUMB, OWNER)).unwrap();
    assert_eq!(rig.take_names(), [EventName::MessageReactionRemove; 2]);
    assert_eq!(counts(&rig, &row), [(THUMB.to_owned(), 1)]);
    assert_rebuilt(&rig);
}

#[test]
fn who_reacts_needs_leave_for_the_history_and_for_a_new_emoji() {
    let mut rig = community();
    let row = rig.post(OWNER, "a");
    let (view, history) = (Permissions::VIEW_CHANNEL, Permissions::READ_MESSAGE_HISTORY);
    rig.run(add(OWNER, &row, THUMB)).unwrap();
    rig.everyone(view | history);
    rig.run(add(ADA, &row, THUMB)).unwrap();
    let refused = rig.run(add(ADA, &row, HEART));
    assert_eq!(code(refused), ErrorCode::MissingPermissions);
    rig.everyone(view | Permissions::ADD_REACTIONS);
    let refused = rig.run(add(BEN, &row, THUMB));
    assert_eq!(code(refused), ErrorCode::MissingPermissions);
    // Taking back one's own needs neither.
    rig.run(remove(ADA, &row, THUMB, ADA)).unwrap();
    let refused = rig.run(remove(ADA, &row, THUMB, OWNER));
    assert_eq!(code(refused), ErrorCode::MissingPermissions);
    for emoji in [None, Some(THUMB)] {
        let refused = rig.run(clear(ADA, &row, emoji));
        assert_eq!(code(refused), ErrorCode::MissingPermissions);
    }
    rig.everyone(Permissions::NONE);
    assert_eq!(
        code(rig.run(add(ADA, &row, THUMB))),
        ErrorCode::MissingAccess
    );
    rig.ask(GroupCommand::AddReaction(add(ADA, &row, THUMB)));
    assert!(rig.fetches.is_empty(), "who is refused causes no reading");
}

#[test]
fn a_message_has_so_many_different_reactions() {
    let mut rig = community();
    let row = rig.post(ADA, "a");
    let emoji = |n: usize| {
        char::from_u32(0x1f600 + u32::try_from(n).unwrap())
            .unwrap()
            .to_string()
    };
    for n in 0..limits::REACTIONS_PER_MESSAGE {
        rig.run(add(ADA, &row, &emoji(n))).unwrap();
    }
    let refused = rig.run(add(ADA, &row, &emoji(30)));
    assert_eq!(code(refused), ErrorCode::MaximumReactions);
    rig.run(add(BEN, &row, &emoji(3))).unwrap();
    rig.run(remove(ADA, &row, &emoji(0), ADA)).unwrap();
    rig.run(add(ADA, &row, &emoji(30))).unwrap();
    let order = counts(&rig, &row);
    assert_eq!((order.len(), &order[19].0), (20, &emoji(30)));
}

#[test]
fn all_reactions_of_an_emoji_or_all_go_at_once() {
    let mut rig = community();
    let (row, other) = (rig.post(ADA, "a"), rig.post(ADA, "b"));
    for user in [OWNER, ADA, BEN] {
        for emoji in [THUMB, DARK_THUMB, HEART] {
            rig.run(add(user, &row, emoji)).unwrap();
            rig.run(add(user, &other, emoji)).unwrap();
        }
    }
    rig.take_events();
    rig.run(clear(OWNER, &row, Some(THUMB))).unwrap();
    assert_eq!(rig.take_names(), [EventName::MessageReactionRemoveEmoji]);
    let left: Vec<_> = counts(&rig, &row)
        .into_iter()
        .map(|(emoji, _)| emoji)
        .collect();
    assert_eq!(left, [DARK_THUMB, HEART]);
    assert_rebuilt(&rig);
    rig.run(clear(OWNER, &row, Some(THUMB))).unwrap();
    assert!(rig.take_events().is_empty());
    // Who reacted before may do it again.
    rig.run(add(BEN, &row, THUMB)).unwrap();
    rig.run(add(ADA, &row, THUMB)).unwrap();
    assert_eq!(rig.take_names().len(), 2);
    rig.run(clear(OWNER, &row, None)).unwrap();
    assert_eq!(rig.take_names(), [EventName::MessageReactionRemoveAll]);
    assert_eq!(counts(&rig, &row), []);
    assert_eq!(counts(&rig, &other).len(), 3);
    assert_eq!(rig.rows(TableId::Reactions).len(), 9);
    assert_rebuilt(&rig);
}

#[test]
fn a_deleted_message_takes_its_reactions_along() {
    for crash in [false, true] {
        let mut rig = community();
        let row = rig.post(ADA, "a");
        rig.run(add(BEN, &row, THUMB)).unwrap();
        if crash {
            rig.crash();
        }
        rig.run(delete(ADA, &row)).unwrap();
        assert!(rig.rows(TableId::Reactions).is_empty());
        assert_eq!(
            code(rig.run(add(BEN, &row, THUMB))),
            ErrorCode::UnknownMessage
        );
        let refused = rig.run(remove(BEN, &row, THUMB, BEN));
        assert_eq!(code(refused), ErrorCode::UnknownMessage);
        assert_eq!(
            code(rig.run(clear(OWNER, &row, None))),
            ErrorCode::UnknownMessage
        );
    }
}

#[test]
fn who_waits_for_a_reaction_sees_what_came_before_him() {
    let mut rig = community();
    let row = rig.post(ADA, "a");
    rig.run(add(BEN, &row, THUMB)).unwrap();
    rig.crash();
    rig.take_events();
    let first = rig.ask(GroupCommand::AddReaction(add(BEN, &row, THUMB)));
    rig.deliver();
    assert_eq!(
        rig.fetches.len(),
        1,
        "the message is there, now the reaction"
    );
    let key = rig.fetches[0].1.clone();
    assert_eq!(key.partition, Part::Num(row.id.0));
    let second = rig.ask(GroupCommand::RemoveReaction(remove(BEN, &row, THUMB, BEN)));
    assert_eq!(rig.fetches.len(), 1, "it is read once");
    // The row is on its way, as it was; meanwhile it goes.
    rig.ask(GroupCommand::ClearReactions(clear(OWNER, &row, None)));
    rig.ask(GroupCommand::AddReaction(add(OWNER, &row, THUMB)));
    rig.answers.clear();
    rig.deliver();
    let order: Vec<_> = rig.answers.drain(..).map(|(to, _)| to).collect();
    assert_eq!(order, [first, second]);
    use EventName::{MessageReactionAdd, MessageReactionRemove, MessageReactionRemoveAll};
    assert_eq!(
        rig.take_names(),
        [
            MessageReactionRemoveAll,
            MessageReactionAdd,
            MessageReactionAdd,
            MessageReactionRemove
        ]
    );
    assert_eq!(counts(&rig, &row), [(THUMB.to_owned(), 1)]);
    assert_rebuilt(&rig);
    assert!(!crate::entity::Core::is_in_use(&rig.core));
}

#[test]
fn the_event_names_who_and_whose() {
    let mut rig = community();
    let row = rig.post(ADA, "a");
    rig.take_events();
    rig.run(add(BEN, &row, THUMB)).unwrap();
    rig.run(remove(BEN, &row, THUMB, BEN)).unwrap();
    rig.run(add(BEN, &row, HEART)).unwrap();
    rig.run(clear(OWNER, &row, Some(HEART))).unwrap();
    let events = rig.take_events();
    let bodies: Vec<_> = events.iter().map(crate::testkit::readable).collect();
    insta::assert_json_snapshot!("reactions", bodies);
    assert!(events.iter().all(|event| {
        dispatch(event).unwrap().intents
            == rookery_protocol::intents::Intents::GUILD_MESSAGE_REACTIONS
    }));
}

#[test]
fn an_edit_keeps_the_reactions() {
    let mut rig = community();
    let row = rig.post(ADA, "a");
    rig.run(add(BEN, &row, THUMB)).unwrap();
    rig.run(edit(ADA, &row, "b")).unwrap();
    assert_eq!(counts(&rig, &row).len(), 1);
    let key = Key::new(row.id, format!("{THUMB}/{:020}", BEN.0).as_str());
    let found = crate::testkit::ready(store::get::<Reactions>(&rig.store, &key)).unwrap();
    assert_eq!(found.unwrap().user, BEN);
}
