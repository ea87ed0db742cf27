//! The pair of two people: made once, opened and closed, friends, blocks, and what their accounts do to it.

use EventName::{
    ChannelCreate, ChannelDelete, ChannelUpdate, MessageCreate, RelationshipAdd,
    RelationshipRemove, RelationshipUpdate,
};
use RelationWish::{Block, Friend, Nothing};

use super::*;
use crate::store::Write;

#[test]
fn a_pair_is_made_once_and_is_in_nobodys_list() {
    let mut first = pair_with(BEN);
    for (table, rows) in [
        (TableId::Pairs, 1),
        (TableId::Channels, 1),
        (TableId::Groups, 1),
        (TableId::Members, 2),
        (TableId::Memberships, 0),
        (TableId::Directs, 0),
    ] {
        assert_eq!(first.rows(table).len(), rows, "{table}");
    }
    assert!(first.sent.is_empty() && first.events.is_empty());
    let view = first.run(GetDirect { by: BEN }).unwrap();
    assert_eq!(view.people, [ADA, BEN]);
    assert_eq!(
        code(first.run(GetDirect { by: OUTSIDER })),
        ErrorCode::MissingAccess
    );
    let people = [profile(ADA), profile(BEN)];
    assert_eq!(
        code(first.run(CreatePair {
            people: people.clone()
        })),
        ErrorCode::Internal
    );

    let mut second = Rig::<Group>::on(GroupId(2_000), first.store);
    let refused = second.run(CreatePair {
        people: people.clone(),
    });
    assert_eq!(code(refused), ErrorCode::Busy, "they have one");
    assert!(second.core.live.is_none());
    let [ada, ben] = people;
    let swapped = CreatePair { people: [ben, ada] };
    assert_eq!(code(second.run(swapped)), ErrorCode::Internal);
}

#[test]
fn a_channel_is_opened_and_closed_by_each_for_himself() {
    let mut rig = pair_with(BEN);
    rig.open(ADA, true).unwrap();
    let shown = rig.shown();
    assert_eq!((shown[0].0, shown[0].1), (ADA, ChannelCreate));
    insta::assert_json_snapshot!("pair_channel", shown[0].2);
    assert_eq!(shown.len(), 1);
    let lists = rig.lists();
    assert_eq!(lists.keys().collect::<Vec<_>>(), [&ADA]);
    assert_eq!(
        (lists[&ADA].open, &lists[&ADA].recipients[..]),
        (true, &[BEN][..])
    );

    rig.open(ADA, true).unwrap();
    assert!(rig.writes.is_empty() && rig.shown().is_empty());
    rig.open(ADA, false).unwrap();
    assert_eq!(rig.shown_names(), [(ADA, ChannelDelete)]);
    assert!(rig.lists().is_empty());
    assert_eq!(code(rig.open(OUTSIDER, true)), ErrorCode::MissingAccess);
}

#[test]
fn who_is_written_to_sees_the_channel_first() {
    let mut rig = pair_with(BEN);
    rig.open(ADA, true).unwrap();
    rig.shown();
    let posted = rig.run(message(ADA, CHANNEL, "hello")).unwrap().message;
    let shown = rig.shown();
    let names: Vec<_> = shown.iter().map(|(user, name, _)| (*user, *name)).collect();
    assert_eq!(
        names,
        [
            (BEN, ChannelCreate),
            (ADA, MessageCreate),
            (BEN, MessageCreate)
        ]
    );
    assert_eq!(shown[0].2["recipients"][0]["id"], ADA.to_string());
    assert!(shown[1].2.get("guild_id").is_none() && shown[1].2.get("member").is_none());
    assert!(rig.lists().values().all(|row| row.open));
    assert!(rig.events.is_empty(), "a direct channel has no sessions");

    rig.run(message(BEN, CHANNEL, "hello yourself")).unwrap();
    assert_eq!(
        rig.shown_names(),
        [(ADA, MessageCreate), (BEN, MessageCreate)]
    );
    let is_snapshot = |write: &Write| {
        matches!(
            write,
            Write::Put {
                table: TableId::Groups,
                ..
            }
        )
    };
    assert!(
        !rig.writes.iter().any(is_snapshot),
        "a message writes rows only"
    );

    rig.crash();
    let view = rig.run(GetDirect { by: ADA }).unwrap();
    assert!(view.last_message.is_some_and(|last| last > posted.id));
    let channel = CHANNEL;
    assert_eq!(
        code(rig.run(message(OUTSIDER, channel, "may I?"))),
        ErrorCode::MissingAccess
    );
}

#[test]
fn typing_is_shown_to_those_who_have_the_channel_open() {
    let mut rig = pair_with(BEN);
    rig.open(ADA, true).unwrap();
    let typing = |rig: &mut Rig<Group>| {
        let (by, channel) = (profile(ADA), CHANNEL);
        rig.run(StartTyping { by, channel })
    };
    assert_eq!(typing(&mut rig).unwrap().show_to, [ADA]);
    rig.open(BEN, true).unwrap();
    assert_eq!(typing(&mut rig).unwrap().show_to, [ADA, BEN]);
    rig.wish(BEN, Block).unwrap();
    assert_eq!(code(typing(&mut rig)), ErrorCode::CannotMessageUser);
}

#[test]
fn friends_are_made_by_asking_and_accepting_and_both_see_it() {
    let mut rig = pair_with(BEN);
    rig.wish(ADA, Friend).unwrap();
    let shown = rig.shown();
    assert_eq!(shown.len(), 2);
    assert_eq!(
        (shown[0].0, shown[0].1, &shown[0].2["type"]),
        (ADA, RelationshipAdd, &4.into())
    );
    assert_eq!(
        (shown[1].0, shown[1].1, &shown[1].2["type"]),
        (BEN, RelationshipAdd, &3.into())
    );
    insta::assert_json_snapshot!("relationship_add", shown[1].2);
    assert_eq!(rig.lists()[&BEN].relation, Relation::Incoming);
    assert!(
        !rig.lists()[&BEN].open,
        "friends have no open channel for it"
    );

    rig.wish(ADA, Friend).unwrap();
    assert!(
        rig.writes.is_empty() && rig.shown().is_empty(),
        "asking twice"
    );
    rig.wish(BEN, Friend).unwrap();
    let types: Vec<_> = rig
        .shown()
        .into_iter()
        .map(|(_, name, body)| (name, body["type"].clone()))
        .collect();
    assert_eq!(
        types,
        [(RelationshipAdd, 1.into()), (RelationshipAdd, 1.into())]
    );
    assert_eq!(code(rig.wish(ADA, Friend)), ErrorCode::AlreadyFriends);

    rig.wish(BEN, Nothing).unwrap();
    let shown = rig.shown();
    assert!(
        shown
            .iter()
            .all(|(_, name, body)| (*name, &body["type"]) == (RelationshipRemove, &1.into()))
    );
    assert_eq!(shown.len(), 2);
    assert!(rig.lists().is_empty());
    rig.wish(BEN, Nothing).unwrap();
    assert!(rig.writes.is_empty());
}

#[test]
fn a_block_ends_what_there_was_and_the_other_learns_no_more() {
    let mut rig = pair_with(BEN);
    rig.wish(ADA, Friend).unwrap();
    rig.wish(BEN, Friend).unwrap();
    let said = rig.run(message(ADA, CHANNEL, "hello")).unwrap().message;
    rig.sent.clear();
    rig.wish(BEN, Block).unwrap();
    let related: Vec<_> = rig
        .sent
        .iter()
        .filter(|(_, notice)| matches!(notice, Notice::Related { .. }))
        .cloned()
        .collect();
    let told = |user: UserId, other, relation| {
        (
            user.into(),
            Notice::Related {
                user: other,
                relation,
            },
        )
    };
    assert_eq!(
        related,
        [
            told(ADA, BEN, Relation::None),
            told(BEN, ADA, Relation::Blocked)
        ]
    );
    let shown = rig.shown();
    assert_eq!(
        (shown[0].0, shown[0].1, &shown[0].2["type"]),
        (ADA, RelationshipRemove, &1.into())
    );
    assert_eq!(
        (shown[1].0, shown[1].1, &shown[1].2["type"]),
        (BEN, RelationshipAdd, &2.into())
    );
    assert_eq!(rig.lists()[&ADA].relation, Relation::None);

    for by in [ADA, BEN] {
        let refused = rig.run(message(by, CHANNEL, "hello?"));
        assert_eq!(code(refused), ErrorCode::CannotMessageUser);
        assert_eq!(code(rig.wish(by, Friend)), ErrorCode::FriendRequestBlocked);
    }
    let live = rig.core.live.as_ref().unwrap();
    assert_eq!(
        code(live.require_may_react(ADA)),
        ErrorCode::ReactionBlocked
    );
    live.require_may_react(BEN).unwrap();

    let pin = SetPinned {
        by: profile(ADA),
        channel: CHANNEL,
        message: said.id,
        pinned: true,
        around: Surroundings::default(),
        reason: None,
    };
    assert_eq!(code(rig.run(pin)), ErrorCode::CannotMessageUser);

    // Ada's wish for nothing does not lift Ben's block.
    rig.wish(ADA, Nothing).unwrap();
    assert_eq!(
        code(rig.run(message(ADA, CHANNEL, "please"))),
        ErrorCode::CannotMessageUser
    );
    rig.shown();
    rig.wish(BEN, Nothing).unwrap();
    assert_eq!(rig.shown_names(), [(BEN, RelationshipRemove)]);
    rig.run(message(ADA, CHANNEL, "thanks")).unwrap();
}

#[test]
fn bots_are_written_to_and_blocked_but_are_nobodys_friends_and_keep_no_list() {
    let mut rig = pair_with(BOT);
    assert_eq!(code(rig.wish(ADA, Friend)), ErrorCode::BotsHaveNoFriends);
    assert_eq!(code(rig.wish(BOT, Block)), ErrorCode::BotsHaveNoFriends);
    rig.open(BOT, true).unwrap();
    assert!(rig.shown().is_empty() && rig.lists().is_empty());
    rig.run(message(BOT, CHANNEL, "beep")).unwrap();
    assert_eq!(
        rig.shown_names(),
        [
            (ADA, ChannelCreate),
            (ADA, MessageCreate),
            (BOT, MessageCreate)
        ]
    );
    rig.wish(ADA, Block).unwrap();
    assert_eq!(rig.shown_names(), [(ADA, RelationshipAdd)]);
    assert_eq!(rig.lists().len(), 1);
    assert_eq!(
        code(rig.run(message(BOT, CHANNEL, "beep?"))),
        ErrorCode::CannotMessageUser
    );
}

#[test]
fn one_relates_to_the_other_of_the_pair_and_to_nobody_else() {
    let mut rig = pair_with(BEN);
    let relate = |by, other| SetRelation {
        by: profile(by),
        other: profile(other),
        wish: Friend,
    };
    let table = [
        (relate(ADA, ADA), ErrorCode::CannotFriendSelf),
        (relate(ADA, OUTSIDER), ErrorCode::UnknownUser),
        (relate(OUTSIDER, ADA), ErrorCode::MissingAccess),
    ];
    for (request, expected) in table {
        assert_eq!(code(rig.run(request)), expected);
    }
    assert!(rig.sent.is_empty());
}

#[test]
fn a_pair_is_no_community_and_no_channel_of_a_few() {
    let mut rig = pair_with(BEN);
    let by = ADA;
    assert_eq!(code(rig.run(GetGroup { by })), ErrorCode::UnknownGuild);
    assert_eq!(code(rig.run(DeleteGroup { by })), ErrorCode::UnknownGuild);
    assert_eq!(code(rig.run(ListChannels { by })), ErrorCode::UnknownGuild);
    let leave = RemoveMember {
        by,
        user: profile(ADA),
        reason: None,
    };
    assert_eq!(code(rig.run(leave)), ErrorCode::UnknownGuild);
    let invite = super::super::invite(ADA, CHANNEL, "code");
    assert_eq!(code(rig.run(invite)), ErrorCode::CannotActOnDirect);
    let delete = DeleteChannel {
        by,
        channel: CHANNEL,
        reason: None,
    };
    assert_eq!(code(rig.run(delete)), ErrorCode::CannotActOnDirect);
    let rename = UpdateDirect {
        by: profile(ADA),
        name: Some(Some("us".to_owned())),
        icon: None,
    };
    assert_eq!(code(rig.run(rename)), ErrorCode::CannotActOnDirect);
    let add = AddRecipient {
        by: profile(ADA),
        user: profile(OUTSIDER),
    };
    assert_eq!(code(rig.run(add)), ErrorCode::CannotActOnDirect);
    let remove = RemoveRecipient {
        by: profile(ADA),
        user: profile(ADA),
    };
    assert_eq!(code(rig.run(remove)), ErrorCode::CannotActOnDirect);

    let mut community = super::super::community();
    assert_eq!(
        code(community.run(GetDirect { by })),
        ErrorCode::InvalidAction
    );
    assert_eq!(code(community.open(ADA, true)), ErrorCode::InvalidAction);
}

#[test]
fn a_new_profile_is_shown_to_the_other() {
    let mut rig = pair_with(BEN);
    let renamed = Profile {
        global_name: Some("Countess".to_owned()),
        ..profile(ADA)
    };
    rig.notice(ADA, Notice::ProfileChanged(renamed.clone()));
    assert!(
        rig.shown().is_empty(),
        "they have nothing to do with each other"
    );
    rig.wish(BEN, Friend).unwrap();
    rig.open(BEN, true).unwrap();
    rig.shown();
    rig.notice(ADA, Notice::ProfileChanged(renamed));
    let shown = rig.shown();
    assert_eq!((shown[0].0, shown[0].1), (BEN, RelationshipUpdate));
    assert_eq!(shown[0].2["user"]["global_name"], "Countess");
    assert_eq!((shown[1].0, shown[1].1), (BEN, ChannelUpdate));
    assert_eq!(shown[1].2["recipients"][0]["global_name"], "Countess");
    assert_eq!(shown.len(), 2);
}

#[test]
fn of_a_deleted_account_the_other_keeps_the_history_and_his_block() {
    let mut rig = pair_with(BEN);
    rig.wish(ADA, Friend).unwrap();
    rig.wish(BEN, Friend).unwrap();
    rig.run(message(ADA, CHANNEL, "remember me")).unwrap();
    rig.shown();
    rig.notice(ADA, Notice::AccountDeleted(Profile::deleted(ADA)));
    assert_eq!(
        rig.shown_names(),
        [(BEN, RelationshipRemove), (BEN, ChannelUpdate)]
    );
    let lists = rig.lists();
    assert_eq!(lists.keys().collect::<Vec<_>>(), [&BEN]);
    assert_eq!(
        (lists[&BEN].open, lists[&BEN].relation),
        (true, Relation::None)
    );
    rig.run(ReadHistory {
        by: BEN,
        channel: CHANNEL,
    })
    .unwrap();
    let refused = rig.run(message(BEN, CHANNEL, "where are you?"));
    assert_eq!(code(refused), ErrorCode::CannotMessageUser);
    rig.wish(BEN, Block).unwrap();
    assert_eq!(rig.lists()[&BEN].relation, Relation::Blocked);
    rig.shown();
    rig.notice(ADA, Notice::AccountDeleted(Profile::deleted(ADA)));
    assert_eq!(rig.lists()[&BEN].relation, Relation::Blocked);
}
