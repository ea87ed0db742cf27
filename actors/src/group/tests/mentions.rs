//! Whom messages mention, who is told, and embeds.

use rookery_protocol::client::embed::Embed;
use rookery_protocol::command::Notice;
use rookery_protocol::command::group::*;
use rookery_protocol::document::MentionRow;
use rookery_protocol::error::ErrorCode;
use rookery_protocol::permissions::{Overwrite, OverwriteTarget};

use super::messages::{delete, edit};
use super::*;
use crate::testkit::{code, dispatch, readable};

fn everybody() -> Mentioned {
    Mentioned {
        users: vec![profile(BEN)],
        roles: vec![
            RoleId(70),
            RoleId(71),
            RoleId(GROUP.0),
            RoleId(70),
            RoleId(9),
        ],
        everyone: true,
    }
}

#[test]
fn roles_and_everybody_are_mentioned_by_who_may() {
    let mut rig = community();
    let text = rig.text();
    rig.give(BEN, 70, 1, Permissions::NONE);
    rig.give(BEN, 71, 1, Permissions::NONE);
    rig.edit(|document| document.roles[2].mentionable = true);
    let request = |by| PostMessage {
        mentions: everybody(),
        ..message(by, text, "hey")
    };
    let row = rig.run(request(ADA)).unwrap().message;
    assert!(row.mention_everyone, "@everyone may do it by default");
    assert_eq!(row.mention_roles, [RoleId(70), RoleId(71)]);

    rig.everyone(Permissions(
        Permissions::DEFAULT.0 & !Permissions::MENTION_EVERYONE.0,
    ));
    let row = rig.run(request(ADA)).unwrap().message;
    assert!(!row.mention_everyone);
    assert_eq!(
        (row.mention_roles, row.mentions),
        (vec![RoleId(71)], vec![BEN])
    );
    let row = rig.run(request(OWNER)).unwrap().message;
    assert!(row.mention_everyone);
    rig.take_events();
    let change = EditMessage {
        around: Surroundings::default(),
        ..edit(OWNER, &row, "nobody")
    };
    let row = rig.run(change).unwrap();
    assert!(!row.mention_everyone && row.mention_roles.is_empty() && row.mentions.is_empty());
}

#[test]
fn people_are_told_once_by_name() {
    let mut rig = community();
    let text = rig.text();
    rig.run(AddBot {
        by: OWNER,
        bot: profile(BOT),
        permissions: Permissions::NONE,
    })
    .unwrap();
    rig.sent.clear();
    let users = [ADA, BEN, BOT, OUTSIDER].map(profile).to_vec();
    let request = PostMessage {
        mentions: Mentioned {
            everyone: true,
            ..mentioning(users)
        },
        ..message(ADA, text, "hey")
    };
    let row = rig.run(request).unwrap().message;
    assert_eq!(row.mentions, [ADA, BEN, BOT]);
    let mention = MentionRow {
        channel: text,
        message: row.id,
        group: Some(GROUP),
        author: ADA,
    };
    assert_eq!(rig.sent, [(BEN.into(), Notice::Mentioned(mention))]);
    rig.sent.clear();
    // A change calls nobody.
    rig.run(EditMessage {
        mentions: mentioning(vec![profile(OWNER)]),
        ..edit(ADA, &row, "hey you")
    })
    .unwrap();
    assert!(rig.sent.is_empty());
    // Nor is told who does not see it.
    rig.edit(|document| {
        let mut channels = document.channels.iter_mut();
        let channel = channels.find(|channel| channel.id == text).unwrap();
        channel.overwrites.push(Overwrite {
            target: OverwriteTarget::Member(BEN),
            allow: Permissions::NONE,
            deny: Permissions::VIEW_CHANNEL,
        });
    });
    let request = PostMessage {
        mentions: mentioning(vec![profile(BEN)]),
        ..message(ADA, text, "hey")
    };
    assert_eq!(rig.run(request).unwrap().message.mentions, [BEN]);
    assert!(rig.sent.is_empty());
}

fn embed(title: &str) -> Embed {
    Embed {
        kind: "rich".to_owned(),
        title: Some(title.to_owned()),
        ..Embed::default()
    }
}

#[test]
fn embeds_need_leave_and_can_be_replaced_and_hidden() {
    let mut rig = community();
    let text = rig.text();
    let with = |content: &str| PostMessage {
        embeds: vec![embed("a")],
        ..message(ADA, text, content)
    };
    let row = rig.run(with("")).unwrap().message;
    assert_eq!(row.embeds, [embed("a")]);
    rig.take_events();
    let change = |embeds: Option<Vec<Embed>>, flags| EditMessage {
        content: None,
        embeds,
        flags,
        around: Surroundings {
            people: vec![profile(ADA)],
            answered: None,
        },
        ..edit(ADA, &row, "")
    };
    let changed = rig.run(change(Some(vec![embed("b")]), None)).unwrap();
    assert_eq!(changed.embeds, [embed("b")]);
    assert!(changed.edited_at.is_some());
    let refused = rig.run(change(Some(Vec::new()), None));
    assert_eq!(code(refused), ErrorCode::EmptyMessage);
    rig.take_events();
    // A moderator hides them, and can change nothing else.
    let hide = |by: UserId, content: Option<&str>| EditMessage {
        by: profile(by),
        content: content.map(str::to_owned),
        ..change(None, Some(4))
    };
    assert_eq!(
        code(rig.run(hide(BEN, None))),
        ErrorCode::CannotEditOthersMessage
    );
    let refused = rig.run(hide(OWNER, Some("x")));
    assert_eq!(code(refused), ErrorCode::CannotEditOthersMessage);
    let hidden = rig.run(hide(OWNER, None)).unwrap();
    assert_eq!((hidden.flags, hidden.embeds.len()), (4, 1));
    let events = rig.take_events();
    let shown = &readable(&events[0])["d"];
    assert_eq!(shown["embeds"].as_array().unwrap().len(), 0);
    assert_eq!(shown["author"]["id"], ADA.to_string());
    assert_eq!(dispatch(&events[0]).unwrap().content_for, Some(vec![ADA]));

    rig.everyone(Permissions(
        Permissions::DEFAULT.0 & !Permissions::EMBED_LINKS.0,
    ));
    assert_eq!(code(rig.run(with(""))), ErrorCode::MissingPermissions);
    assert!(rig.run(with("text")).unwrap().message.embeds.is_empty());
}

#[test]
fn a_change_of_an_answer_shows_what_it_answers() {
    let mut rig = community();
    let text = rig.text();
    let first = rig.post(BEN, "question?");
    let answer = rig
        .run(PostMessage {
            reply_to: Some(Referenced {
                message: first.clone(),
                author: profile(BEN),
            }),
            ..message(ADA, text, "answer")
        })
        .unwrap()
        .message;
    let around = Surroundings {
        people: vec![profile(ADA), profile(BEN)],
        answered: Some(first.clone()),
    };
    let change = |content: &str, around: Surroundings| EditMessage {
        around,
        ..edit(ADA, &answer, content)
    };
    let shown = |rig: &mut Rig<Group>| {
        let events = rig.take_events();
        readable(events.last().unwrap())["d"]["referenced_message"].clone()
    };
    for crash in [false, true] {
        if crash {
            rig.crash();
        }
        rig.run(change(&format!("b{crash}"), around.clone()))
            .unwrap();
        assert_eq!(shown(&mut rig)["content"], "question?");
    }
    let events_have_it = |rig: &mut Rig<Group>| {
        let events = rig.take_events();
        let body = readable(events.last().unwrap())["d"].clone();
        body.get("referenced_message").cloned()
    };
    // Nobody looked: that is not the same as being gone.
    rig.crash();
    rig.run(change("d", Surroundings::default())).unwrap();
    assert_eq!(events_have_it(&mut rig), None);
    rig.run(delete(BEN, &first)).unwrap();
    // The edge looked before it was deleted.
    rig.run(change("e", around)).unwrap();
    assert_eq!(events_have_it(&mut rig), Some(serde_json::Value::Null));
}
