//! The direct channel of a few people.

use EventName::{
    ChannelCreate, ChannelDelete, ChannelRecipientAdd, ChannelRecipientRemove, ChannelUpdate,
    MessageCreate,
};
use rookery_protocol::document::MessageKind;
use rookery_protocol::limits;

use super::*;

const CY: UserId = UserId(4);

/// Ada's channel with Ben and Cy.
fn few() -> Rig<Group> {
    let mut rig = inhabited(&[ADA, BEN, CY, OUTSIDER]);
    let by = profile(ADA);
    let recipients = vec![profile(BEN), profile(CY)];
    rig.run(CreateDirect { by, recipients }).unwrap();
    rig
}

fn remove(by: UserId, user: UserId) -> RemoveRecipient {
    let (by, user) = (profile(by), profile(user));
    RemoveRecipient { by, user }
}

fn add(by: UserId, user: UserId) -> AddRecipient {
    let (by, user) = (profile(by), profile(user));
    AddRecipient { by, user }
}

/// What the newest message is.
fn last_kind(rig: &Rig<Group>) -> MessageKind {
    let rows = rig.rows(TableId::Messages);
    let (_, row) = rows.last_key_value().unwrap();
    decode::<rookery_protocol::document::Messages>(row)
        .unwrap()
        .kind
}

#[test]
fn a_channel_of_a_few_is_shown_to_all_of_them_at_once() {
    let mut rig = few();
    let shown = rig.shown();
    let to: Vec<_> = shown.iter().map(|(user, name, _)| (*user, *name)).collect();
    assert_eq!(
        to,
        [
            (ADA, ChannelCreate),
            (BEN, ChannelCreate),
            (CY, ChannelCreate)
        ]
    );
    insta::assert_json_snapshot!("few_channel", shown[1].2);
    let lists = rig.lists();
    assert_eq!(lists.len(), 3);
    assert_eq!(lists[&CY].recipients, [ADA, BEN]);
    assert_eq!(
        lists[&CY].group.as_ref().map(|group| group.owner),
        Some(ADA)
    );
    rig.run(message(CY, CHANNEL, "hello")).unwrap();
    assert_eq!(
        rig.shown_names(),
        [ADA, BEN, CY].map(|user| (user, MessageCreate))
    );
    assert_eq!(code(rig.open(ADA, false)), ErrorCode::InvalidAction);
    let related = SetRelation {
        by: profile(ADA),
        other: profile(BEN),
        wish: RelationWish::Friend,
    };
    assert_eq!(code(rig.run(related)), ErrorCode::InvalidAction);
}

#[test]
fn who_may_not_be_in_one() {
    let mut rig = Rig::<Group>::new(GROUP);
    let with = |recipients| CreateDirect {
        by: profile(ADA),
        recipients,
    };
    let bot = with(vec![profile(BEN), profile(BOT)]);
    assert_eq!(code(rig.run(bot)), ErrorCode::InvalidRecipients);
    let many = (100..110).map(|id| profile(UserId(id))).collect();
    assert_eq!(code(rig.run(with(many))), ErrorCode::MaximumRecipients);
    assert!(rig.core.live.is_none());

    let mut rig = few();
    for id in 100..107 {
        rig.run(add(ADA, UserId(id))).unwrap();
    }
    assert_eq!(rig.live().members.len(), limits::RECIPIENTS_PER_DIRECT);
    assert_eq!(
        code(rig.run(add(ADA, OUTSIDER))),
        ErrorCode::MaximumRecipients
    );
    rig.run(remove(ADA, BEN)).unwrap();
    assert_eq!(code(rig.run(add(ADA, BOT))), ErrorCode::InvalidRecipients);
    assert_eq!(code(rig.run(add(BEN, BEN))), ErrorCode::MissingAccess);
}

#[test]
fn its_name_and_icon_change_before_everybodys_eyes() {
    let mut rig = few();
    rig.shown();
    let update = |name: Option<Option<&str>>, icon: Option<Option<&str>>| UpdateDirect {
        by: profile(BEN),
        name: name.map(|name| name.map(str::to_owned)),
        icon: icon.map(|icon| icon.map(str::to_owned)),
    };
    rig.run(update(Some(Some("Rooks")), None)).unwrap();
    let shown = rig.shown();
    assert_eq!(
        (shown[0].0, shown[0].1, &shown[0].2["name"]),
        (ADA, ChannelUpdate, &"Rooks".into())
    );
    assert_eq!(
        (shown[3].1, &shown[3].2["type"]),
        (MessageCreate, &4.into())
    );
    assert_eq!(shown[3].2["content"], "Rooks");
    rig.run(update(Some(Some("Rooks")), None)).unwrap();
    rig.run(update(None, None)).unwrap();
    assert!(rig.writes.is_empty() && rig.shown().is_empty());
    rig.run(update(None, Some(Some("abc")))).unwrap();
    assert_eq!(last_kind(&rig), MessageKind::IconChange);
    let view = rig.run(update(Some(None), Some(None))).unwrap();
    let group = view.group.direct_group().unwrap();
    assert_eq!((group.name, group.icon), (None, None));
    let stranger = UpdateDirect {
        by: profile(OUTSIDER),
        ..update(Some(Some("mine")), None)
    };
    assert_eq!(code(rig.run(stranger)), ErrorCode::MissingAccess);
}

#[test]
fn who_comes_sees_the_channel_and_the_others_see_him() {
    let mut rig = few();
    rig.shown();
    rig.run(add(BEN, OUTSIDER)).unwrap();
    let names = rig.shown_names();
    let added = [ADA, BEN, CY].map(|user| (user, ChannelRecipientAdd));
    assert_eq!(names[..3], added);
    assert_eq!(names[3], (OUTSIDER, ChannelCreate));
    assert_eq!(
        names[4..],
        [ADA, BEN, CY, OUTSIDER].map(|user| (user, MessageCreate))
    );
    assert_eq!(last_kind(&rig), MessageKind::RecipientAdd);
    assert_eq!(rig.lists()[&CY].recipients, [ADA, BEN, OUTSIDER]);
    rig.run(add(ADA, OUTSIDER)).unwrap();
    assert!(rig.writes.is_empty(), "he is there already");
    rig.crash();
    assert_eq!(rig.live().people.len(), 4);
    rig.run(message(OUTSIDER, CHANNEL, "hi")).unwrap();
}

#[test]
fn the_owner_removes_others_and_his_place_passes_on() {
    let mut rig = few();
    rig.shown();
    assert_eq!(
        code(rig.run(remove(BEN, CY))),
        ErrorCode::MissingPermissions
    );
    assert_eq!(code(rig.run(remove(ADA, OUTSIDER))), ErrorCode::UnknownUser);
    rig.run(remove(ADA, BEN)).unwrap();
    let names = rig.shown_names();
    let gone = [
        (BEN, ChannelDelete),
        (ADA, ChannelRecipientRemove),
        (CY, ChannelRecipientRemove),
    ];
    assert_eq!(names[..3], gone);
    assert_eq!(names[3..], [(ADA, MessageCreate), (CY, MessageCreate)]);
    assert_eq!(last_kind(&rig), MessageKind::RecipientRemove);
    assert_eq!(
        code(rig.run(message(BEN, CHANNEL, "!"))),
        ErrorCode::MissingAccess
    );
    assert_eq!(rig.lists().len(), 2);

    rig.run(remove(ADA, ADA)).unwrap();
    assert_eq!(
        rig.shown_names(),
        [
            (ADA, ChannelDelete),
            (CY, ChannelRecipientRemove),
            (CY, ChannelUpdate),
            (CY, MessageCreate)
        ]
    );
    assert_eq!(rig.live().document.owner, CY);
    rig.run(remove(CY, CY)).unwrap();
    assert_eq!(rig.shown_names(), [(CY, ChannelDelete)]);
    assert!(rig.core.live.is_none());
    for table in [TableId::Groups, TableId::Members, TableId::Directs] {
        assert!(rig.rows(table).is_empty(), "{table}");
    }
    assert_eq!(
        rig.rows(TableId::EndedGroups).len(),
        1,
        "the janitor deletes what was written"
    );
    assert_eq!(
        code(rig.run(GetDirect { by: CY })),
        ErrorCode::UnknownChannel
    );
}

#[test]
fn a_deleted_account_leaves() {
    let mut rig = few();
    rig.shown();
    rig.notice(ADA, Notice::AccountDeleted(Profile::deleted(ADA)));
    assert_eq!(rig.live().document.owner, BEN);
    assert!(!rig.lists().contains_key(&ADA));
    rig.notice(ADA, Notice::AccountDeleted(Profile::deleted(ADA)));
    for user in [BEN, CY] {
        rig.notice(user, Notice::AccountDeleted(Profile::deleted(user)));
    }
    assert!(rig.core.live.is_none(), "the last one has left");
}
