//! Messages.

use rookery_protocol::command::group::*;
use rookery_protocol::document::{ChannelKind, MessageKind, Messages, Nonce, TableId};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::event::EventName;
use rookery_protocol::ids::MessageId;
use rookery_protocol::limits;
use rookery_protocol::snowflake;

use super::*;
use crate::entity::Core;
use crate::store::Write;
use crate::testkit::{code, dispatch};

pub(super) fn edit(by: UserId, row: &MessageRow, content: &str) -> EditMessage {
    EditMessage {
        embeds: None,
        keep: None,
        attachments: Vec::new(),
        by: profile(by),
        channel: row.channel,
        message: row.id,
        content: Some(content.to_owned()),
        mentions: Mentioned::default(),
        around: Surroundings::default(),
        flags: None,
    }
}

pub(super) fn delete(by: UserId, row: &MessageRow) -> DeleteMessage {
    let (channel, message) = (row.channel, row.id);
    DeleteMessage {
        reason: None,
        by,
        channel,
        message,
    }
}

pub(super) fn with_nonce(by: UserId, channel: ChannelId, content: &str, nonce: i64) -> PostMessage {
    PostMessage {
        embeds: Vec::new(),
        attachments: Vec::new(),
        nonce: Some(Nonce::Number(nonce)),
        enforce_nonce: true,
        ..message(by, channel, content)
    }
}

pub(super) fn stored(rig: &Rig<Group>, row: &MessageRow) -> Option<MessageRow> {
    let key = Key::new(row.channel, row.id);
    let found = crate::testkit::ready(store::get::<Messages>(&rig.store, &key));
    found.unwrap()
}

#[test]
fn a_message_is_one_row_one_event_and_one_answer() {
    let mut rig = community();
    let text = rig.text();
    let request = PostMessage {
        embeds: Vec::new(),
        attachments: Vec::new(),
        tts: true,
        mentions: mentioning(vec![profile(BEN), profile(OUTSIDER), profile(BEN)]),
        flags: 4096,
        ..message(ADA, text, "hi <@3> <@9>")
    };
    let posted = rig.run(request).unwrap();
    assert!(!posted.repeated);
    let row = posted.message;
    assert_eq!(
        (row.author, row.kind, row.flags),
        (ADA, MessageKind::Default, 4096)
    );
    assert_eq!(row.mentions, [BEN], "only members are mentioned, once");
    assert!(!row.tts, "not without the permission");
    assert_eq!(snowflake::created_at(row.id.0), rig.now);
    let key = Key::new(text, row.id);
    let [Write::Insert { table, key: at, .. }] = rig.writes.as_slice() else {
        panic!("one row");
    };
    assert_eq!((table, at), (&TableId::Messages, &key));
    let events = rig.take_events();
    let dispatch = dispatch(&events[0]).unwrap();
    assert_eq!(dispatch.name, EventName::MessageCreate);
    assert_eq!(dispatch.content_for, Some(vec![ADA, BEN]));
    assert_eq!(stored(&rig, &row), Some(row));
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let mut rig = community();
    let (text, category) = (rig.text(), rig.channel(ChannelKind::Category));
    assert_eq!(
        code(rig.run(message(ADA, text, ""))),
        ErrorCode::EmptyMessage
    );
    assert_eq!(
        code(rig.run(message(ADA, category, "x"))),
        ErrorCode::NonTextChannel
    );
    let by = ADA;
    assert_eq!(
        code(rig.run(ReadHistory {
            by,
            channel: category
        })),
        ErrorCode::NonTextChannel
    );
    let voice = rig.channel(ChannelKind::Voice);
    rig.run(message(ADA, voice, "x")).unwrap();
}

#[test]
fn ids_rise_when_the_clock_does_not() {
    let mut rig = community();
    let first = rig.post(ADA, "1").id;
    let second = rig.post(ADA, "2").id;
    rig.crash();
    let third = rig.post(ADA, "3").id;
    rig.now = START;
    rig.crash();
    let fourth = rig.post(ADA, "4").id;
    assert!(first < second && second < third && third < fourth);
}

#[test]
fn a_nonce_finds_its_message_for_a_while() {
    let mut rig = community();
    let text = rig.text();
    let first = rig.run(with_nonce(ADA, text, "a", 7)).unwrap();
    rig.take_events();
    let again = rig.run(with_nonce(ADA, text, "b", 7)).unwrap();
    assert_eq!(
        (again.message, again.repeated),
        (first.message.clone(), true)
    );
    assert!(rig.writes.is_empty() && rig.events.is_empty());

    // As it is now, also after a crash, when it must be read.
    let edited = rig.run(edit(ADA, &first.message, "c")).unwrap();
    rig.crash();
    let again = rig.run(with_nonce(ADA, text, "d", 7)).unwrap();
    assert_eq!((again.message, again.repeated), (edited, true));

    // It is another nonce of another author, in another channel, or as another type.
    let voice = rig.channel(ChannelKind::Voice);
    assert!(!rig.run(with_nonce(BEN, text, "e", 7)).unwrap().repeated);
    assert!(!rig.run(with_nonce(ADA, voice, "e", 7)).unwrap().repeated);
    let as_text = PostMessage {
        embeds: Vec::new(),
        attachments: Vec::new(),
        nonce: Some(Nonce::Text("7".to_owned())),
        ..with_nonce(ADA, text, "e", 7)
    };
    assert!(!rig.run(as_text).unwrap().repeated);
    // Only who asks for it is answered with an earlier one.
    let plain = PostMessage {
        embeds: Vec::new(),
        attachments: Vec::new(),
        enforce_nonce: false,
        ..with_nonce(ADA, text, "f", 7)
    };
    let second = rig.run(plain).unwrap();
    assert!(!second.repeated);
    assert_eq!(
        rig.run(with_nonce(ADA, text, "g", 7)).unwrap().message,
        second.message
    );

    // Ids of a new life begin a little in the future when the clock stands still.
    rig.now = rig.now.plus(limits::NONCE_MS + 5);
    assert!(!rig.run(with_nonce(ADA, text, "h", 7)).unwrap().repeated);
}

#[test]
fn the_nonce_of_a_deleted_message_is_free_before_and_after_a_crash() {
    for crash in [false, true] {
        let mut rig = community();
        let text = rig.text();
        let first = rig.run(with_nonce(ADA, text, "a", 7)).unwrap().message;
        rig.run(delete(ADA, &first)).unwrap();
        if crash {
            rig.crash();
        }
        assert!(!rig.run(with_nonce(ADA, text, "b", 7)).unwrap().repeated);
    }
}

#[test]
fn a_reply_answers_a_message_of_its_channel() {
    let mut rig = community();
    let text = rig.text();
    let first = rig.post(BEN, "question?");
    let reply = |row: &MessageRow| PostMessage {
        embeds: Vec::new(),
        attachments: Vec::new(),
        reply_to: Some(Referenced {
            message: row.clone(),
            author: profile(row.author),
        }),
        ..message(ADA, text, "answer")
    };
    let answer = rig.run(reply(&first)).unwrap().message;
    assert_eq!(
        (answer.kind, answer.reply_to),
        (MessageKind::Reply, Some(first.id))
    );

    let elsewhere = MessageRow {
        channel: rig.channel(ChannelKind::Voice),
        ..first.clone()
    };
    let refusal = rig.run(reply(&elsewhere)).unwrap_err();
    assert_eq!(refusal.fields[0].path, "message_reference");

    // The edge looked it up before it was deleted.
    rig.run(delete(BEN, &first)).unwrap();
    let refusal = rig.run(reply(&first)).unwrap_err();
    assert_eq!(refusal.fields[0].code, "MESSAGE_REFERENCE_UNKNOWN_MESSAGE");

    rig.everyone(Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES);
    assert_eq!(code(rig.run(reply(&answer))), ErrorCode::MissingPermissions);
}

#[test]
fn one_edits_ones_own_messages_only() {
    let mut rig = community();
    rig.run(accept(UserId(10), "open")).unwrap();
    let row = rig.post(ADA, "a");
    rig.take_events();
    rig.now = rig.now.plus(5);
    let request = EditMessage {
        embeds: None,
        keep: None,
        attachments: Vec::new(),
        mentions: mentioning(vec![profile(BEN)]),
        ..edit(ADA, &row, "b <@3>")
    };
    let edited = rig.run(request).unwrap();
    assert_eq!(
        (edited.content.as_str(), edited.edited_at),
        ("b <@3>", Some(rig.now))
    );
    assert_eq!(edited.mentions, [BEN]);
    assert_eq!(rig.take_names(), [EventName::MessageUpdate]);
    assert_eq!(stored(&rig, &row), Some(edited.clone()));

    for by in [BEN, OWNER] {
        let refused = rig.run(edit(by, &row, "x"));
        assert_eq!(code(refused), ErrorCode::CannotEditOthersMessage);
    }
    assert_eq!(code(rig.run(edit(ADA, &row, ""))), ErrorCode::EmptyMessage);
    let flags = |flags| EditMessage {
        embeds: None,
        keep: None,
        attachments: Vec::new(),
        content: None,
        flags,
        ..edit(ADA, &row, "")
    };
    let flagged = rig.run(flags(Some(4))).unwrap();
    assert_eq!((flagged.flags, flagged.edited_at), (4, edited.edited_at));
    assert_eq!(flagged.mentions, [BEN]);
    rig.take_events();
    assert_eq!(rig.run(flags(None)).unwrap(), flagged);
    assert!(rig.writes.is_empty() && rig.events.is_empty());

    let joined = rig.live().recent.iter().filter_map(|(_, row)| row);
    let joined = joined
        .filter(|row| row.author == UserId(10))
        .last()
        .unwrap()
        .clone();
    assert_eq!(
        code(rig.run(edit(UserId(10), &joined, "x"))),
        ErrorCode::SystemMessage
    );
}

#[test]
fn a_deleted_message_stays_deleted() {
    for crash in [false, true] {
        let mut rig = community();
        let row = rig.post(ADA, "a");
        if crash {
            rig.crash();
        }
        assert_eq!(
            code(rig.run(delete(BEN, &row))),
            ErrorCode::MissingPermissions
        );
        rig.take_events();
        rig.run(delete(ADA, &row)).unwrap();
        assert_eq!(rig.take_names(), [EventName::MessageDelete]);
        if crash {
            rig.crash();
        }
        assert_eq!(
            code(rig.run(edit(ADA, &row, "b"))),
            ErrorCode::UnknownMessage
        );
        assert_eq!(code(rig.run(delete(ADA, &row))), ErrorCode::UnknownMessage);
        assert_eq!(stored(&rig, &row), None);
        let own = rig.post(ADA, "c");
        rig.run(delete(OWNER, &own)).unwrap();
    }
}

#[test]
fn commands_for_a_message_that_must_be_read_keep_their_order() {
    let mut rig = community();
    let row = rig.post(ADA, "a");
    rig.crash();
    let first = rig.ask(GroupCommand::EditMessage(edit(ADA, &row, "b")));
    let second = rig.ask(GroupCommand::DeleteMessage(delete(OWNER, &row)));
    let third = rig.ask(GroupCommand::EditMessage(edit(ADA, &row, "c")));
    assert_eq!(rig.fetches.len(), 1, "it is read once");
    assert!(rig.core.is_in_use());
    // What does not need it does not wait.
    let meanwhile = message(BEN, row.channel, "meanwhile");
    rig.ask(GroupCommand::PostMessage(meanwhile));
    assert_eq!(rig.unanswered(), 3);
    rig.answers.clear();
    rig.take_events();
    rig.deliver();
    let answers: Vec<_> = rig.answers.drain(..).collect();
    let order: Vec<_> = answers.iter().map(|(to, _)| *to).collect();
    assert_eq!(order, [first, second, third]);
    assert!(answers[0].1.is_ok() && answers[1].1.is_ok());
    assert_eq!(answers[2].1, Err(ErrorCode::UnknownMessage.into()));
    assert_eq!(
        rig.take_names(),
        [
            EventName::MessageUpdate,
            EventName::MessageDelete,
            EventName::GuildAuditLogEntryCreate
        ]
    );
    assert!(!rig.core.is_in_use());
    assert_eq!(stored(&rig, &row), None);
}

#[test]
fn a_store_that_does_not_answer_is_unavailable_to_who_waits() {
    let mut rig = community();
    let row = rig.post(ADA, "a");
    rig.crash();
    rig.ask(GroupCommand::EditMessage(edit(ADA, &row, "b")));
    rig.ask(GroupCommand::DeleteMessage(delete(ADA, &row)));
    rig.fail_fetch();
    let answers: Vec<_> = rig
        .answers
        .drain(..)
        .map(|(_, answer)| code(answer))
        .collect();
    assert_eq!(answers, [ErrorCode::Unavailable; 2]);
    assert_eq!(rig.run(edit(ADA, &row, "c")).unwrap().content, "c");
}

#[test]
fn who_waits_is_asked_again_for_his_permission() {
    let mut rig = community();
    let row = rig.post(ADA, "a");
    rig.crash();
    rig.ask(GroupCommand::EditMessage(edit(ADA, &row, "b")));
    let (by, user) = (OWNER, profile(ADA));
    rig.ask(GroupCommand::RemoveMember(RemoveMember {
        reason: None,
        by,
        user,
    }));
    rig.answers.clear();
    rig.deliver();
    let (_, answer) = rig.answers.pop_front().unwrap();
    assert_eq!(code(answer), ErrorCode::MissingAccess);
    assert_eq!(stored(&rig, &row), Some(row));
}

#[test]
fn who_waits_for_a_group_that_ends_is_answered() {
    let mut rig = community();
    let row = rig.post(ADA, "a");
    rig.crash();
    rig.ask(GroupCommand::EditMessage(edit(ADA, &row, "b")));
    rig.ask(GroupCommand::DeleteGroup(DeleteGroup { by: OWNER }));
    rig.answers.clear();
    rig.deliver();
    let (_, answer) = rig.answers.pop_front().unwrap();
    assert_eq!(code(answer), ErrorCode::UnknownChannel);
    assert_eq!(rig.unanswered(), 0);
}

#[test]
fn only_so_many_wait() {
    let mut rig = community();
    let row = rig.post(ADA, "a");
    rig.crash();
    for _ in 0..=limits::WAITING_PER_GROUP {
        rig.ask(GroupCommand::EditMessage(edit(ADA, &row, "b")));
    }
    let (_, answer) = rig.answers.pop_front().unwrap();
    assert_eq!(code(answer), ErrorCode::Busy);
    rig.deliver();
    assert_eq!(rig.answers.len(), limits::WAITING_PER_GROUP);
    assert_eq!(rig.unanswered(), 0);
}

#[test]
fn a_message_that_cannot_be_there_is_not_looked_for() {
    let mut rig = community();
    let last = rig.post(ADA, "a");
    rig.crash();
    let future = MessageRow {
        id: MessageId(last.id.0 + 1),
        ..last.clone()
    };
    assert_eq!(
        code(rig.run(edit(ADA, &future, "b"))),
        ErrorCode::UnknownMessage
    );
    rig.ask(GroupCommand::EditMessage(edit(ADA, &future, "b")));
    assert!(rig.fetches.is_empty());
    let elsewhere = MessageRow {
        channel: rig.channel(ChannelKind::Voice),
        ..last
    };
    assert_eq!(
        code(rig.run(edit(ADA, &elsewhere, "b"))),
        ErrorCode::UnknownMessage
    );
}

#[test]
fn messages_beyond_the_recent_ones_are_read() {
    let mut rig = community();
    let row = rig.post(ADA, "a");
    for _ in 0..limits::RECENT_MESSAGES_PER_GROUP {
        rig.post(BEN, "b");
    }
    rig.ask(GroupCommand::EditMessage(edit(ADA, &row, "c")));
    assert_eq!(rig.fetches.len(), 1);
    rig.deliver();
    assert_eq!(stored(&rig, &row).unwrap().content, "c");
}

#[test]
fn typing_is_a_value_and_not_in_the_log() {
    let mut rig = community();
    let (by, channel) = (profile(ADA), rig.text());
    rig.run(StartTyping { by, channel }).unwrap();
    assert!(rig.events.is_empty() && rig.writes.is_empty());
    assert_eq!(
        dispatch(&rig.signals[0]).unwrap().name,
        EventName::TypingStart
    );
}
