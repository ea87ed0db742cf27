//! What the registry shows to whom.

use rookery_actors::relay::SessionRef;
use rookery_protocol::client::presence::{Platform, Said, Status};
use rookery_protocol::ids::{GroupId, UserId};
use rookery_protocol::limits;

use super::{At, Kin, Memory, Registry, Scope, Shown};

const GROUP: GroupId = GroupId(100);
const OTHER: GroupId = GroupId(101);
const ADA: UserId = UserId(1);
const BEN: UserId = UserId(2);

fn at(slot: u32) -> At {
    At {
        lane: 0,
        session: SessionRef {
            slot,
            generation: 0,
        },
    }
}

fn said(status: Status) -> Said {
    Said {
        status,
        activities: Vec::new(),
    }
}

/// A session of `user` in a group.
fn enter(memory: &Memory, slot: u32, user: UserId, status: Status) {
    memory.open(at(slot), user, said(status), Platform::Web);
    memory.enter(at(slot), user, GROUP);
}

fn in_group(shown: &[Shown], group: GroupId) -> Vec<(UserId, Option<Status>)> {
    let of_group = |shown: &Shown| match &shown.scope {
        Scope::Group(of, _) if *of == group => {
            let status = shown.presence.as_ref().map(|presence| presence.status);
            Some((shown.user, status))
        }
        _ => None,
    };
    shown.iter().filter_map(of_group).collect()
}

fn to_friend(shown: &[Shown], friend: UserId) -> Vec<(UserId, Option<Status>)> {
    let theirs = shown.iter().filter(|s| s.scope == Scope::Friend(friend));
    let status = |s: &Shown| s.presence.as_ref().map(|presence| presence.status);
    theirs.map(|s| (s.user, status(s))).collect()
}

#[test]
fn the_changes_of_a_second_are_shown_once() {
    let memory = Memory::default();
    enter(&memory, 0, ADA, Status::Idle);
    memory.set(at(0), ADA, said(Status::Dnd));
    memory.set(at(0), ADA, said(Status::Online));
    assert_eq!(
        in_group(&memory.take(), GROUP),
        [(ADA, Some(Status::Online))]
    );
    assert_eq!(memory.take(), []);
    memory.set(at(0), ADA, said(Status::Idle));
    memory.set(at(0), ADA, said(Status::Online));
    assert_eq!(memory.take(), []);
}

#[test]
fn the_most_active_session_counts_and_the_last_one_ends_it() {
    let memory = Memory::default();
    enter(&memory, 0, ADA, Status::Online);
    enter(&memory, 1, ADA, Status::Idle);
    memory.take();
    memory.close(at(0), ADA);
    assert_eq!(memory.count(GROUP), 1);
    assert_eq!(in_group(&memory.take(), GROUP), [(ADA, Some(Status::Idle))]);
    memory.close(at(1), ADA);
    assert_eq!(memory.count(GROUP), 0);
    assert!(memory.knows(ADA), "until it is shown");
    assert_eq!(in_group(&memory.take(), GROUP), [(ADA, None)]);
    assert!(!memory.knows(ADA));
    assert_eq!(memory.take(), []);
}

#[test]
fn who_comes_back_within_a_second_was_never_gone() {
    let memory = Memory::default();
    enter(&memory, 0, ADA, Status::Online);
    memory.take();
    memory.close(at(0), ADA);
    enter(&memory, 1, ADA, Status::Online);
    assert_eq!(memory.take(), []);
}

#[test]
fn the_invisible_are_not_there() {
    let memory = Memory::default();
    enter(&memory, 0, ADA, Status::Offline);
    enter(&memory, 1, BEN, Status::Online);
    memory.relate(
        ADA,
        Kin {
            friends: vec![BEN],
            blocked: vec![],
        },
    );
    let shown = memory.take();
    assert_eq!(in_group(&shown, GROUP), [(BEN, Some(Status::Online))]);
    assert_eq!(to_friend(&shown, BEN), []);
    assert_eq!(memory.count(GROUP), 1);
    assert!(memory.among(BEN, GROUP, &[ADA]).is_empty());
    memory.set(at(0), ADA, said(Status::Dnd));
    assert_eq!(in_group(&memory.take(), GROUP), [(ADA, Some(Status::Dnd))]);
    memory.set(at(0), ADA, said(Status::Offline));
    assert_eq!(in_group(&memory.take(), GROUP), [(ADA, None)]);
    assert_eq!(memory.count(GROUP), 1);
}

#[test]
fn a_group_is_told_who_enters_and_not_who_leaves_it() {
    let memory = Memory::default();
    enter(&memory, 0, ADA, Status::Online);
    memory.take();
    memory.enter(at(0), ADA, OTHER);
    let shown = memory.take();
    assert_eq!(in_group(&shown, OTHER), [(ADA, Some(Status::Online))]);
    assert_eq!(in_group(&shown, GROUP), []);
    memory.leave(at(0), ADA, OTHER);
    assert_eq!(memory.take(), []);
    assert_eq!((memory.count(OTHER), memory.count(GROUP)), (0, 1));
    assert!(!memory.is_inside(at(0), ADA, OTHER) && memory.is_inside(at(0), ADA, GROUP));
    memory.leave(at(0), ADA, OTHER);
    assert_eq!(memory.count(GROUP), 1);
}

#[test]
fn blocks_hide_in_both_directions() {
    let memory = Memory::default();
    enter(&memory, 0, ADA, Status::Online);
    enter(&memory, 1, BEN, Status::Online);
    memory.relate(
        ADA,
        Kin {
            friends: vec![],
            blocked: vec![BEN],
        },
    );
    for shown in memory.take() {
        let other = if shown.user == ADA { BEN } else { ADA };
        assert_eq!(shown.scope, Scope::Group(GROUP, vec![other]));
    }
    for (viewer, other) in [(ADA, BEN), (BEN, ADA)] {
        let seen: Vec<UserId> = memory
            .online(Some(viewer), GROUP)
            .iter()
            .map(|(u, _)| *u)
            .collect();
        assert_eq!(seen, [viewer]);
        assert!(memory.among(viewer, GROUP, &[other]).is_empty());
        assert!(memory.is_kept_from(viewer));
    }
    memory.relate(ADA, Kin::default());
    assert!(!memory.is_kept_from(BEN));
    assert_eq!(memory.online(Some(BEN), GROUP).len(), 2);
    // The end of who blocks ends what he hides.
    memory.relate(
        ADA,
        Kin {
            friends: vec![],
            blocked: vec![BEN],
        },
    );
    memory.close(at(0), ADA);
    memory.take();
    assert!(!memory.is_kept_from(BEN));
}

#[test]
fn friends_are_told_also_those_made_later() {
    let memory = Memory::default();
    let carl = UserId(3);
    enter(&memory, 0, ADA, Status::Online);
    enter(&memory, 1, BEN, Status::Idle);
    enter(&memory, 2, carl, Status::Online);
    memory.relate(
        ADA,
        Kin {
            friends: vec![BEN, UserId(9)],
            blocked: vec![],
        },
    );
    let shown = memory.take();
    assert_eq!(to_friend(&shown, BEN), [(ADA, Some(Status::Online))]);
    assert_eq!(to_friend(&shown, UserId(9)), []);
    assert_eq!(memory.friends(ADA)[0].0, BEN);
    memory.relate(
        ADA,
        Kin {
            friends: vec![BEN, carl],
            blocked: vec![],
        },
    );
    let shown = memory.take();
    assert_eq!(to_friend(&shown, BEN), []);
    assert_eq!(to_friend(&shown, carl), [(ADA, Some(Status::Online))]);
    memory.close(at(0), ADA);
    let shown = memory.take();
    assert_eq!(to_friend(&shown, BEN), [(ADA, None)]);
    assert_eq!(to_friend(&shown, carl), [(ADA, None)]);
}

#[test]
fn a_session_catches_up_on_what_was_shown_between_its_picture_and_its_entry() {
    let memory = Memory::default();
    enter(&memory, 0, ADA, Status::Online);
    memory.take();
    memory.open(at(1), BEN, said(Status::Online), Platform::Web);
    let picture = memory.picture(at(1), BEN, GROUP, 10);
    assert_eq!(picture[0].1.status, Status::Online);
    memory.set(at(0), ADA, said(Status::Dnd));
    memory.take();
    memory.enter(at(1), BEN, GROUP);
    let shown = memory.take();
    let given: Vec<&Shown> = shown
        .iter()
        .filter(|s| s.scope == Scope::Session(at(1), GROUP))
        .collect();
    assert_eq!(given.len(), 1);
    assert_eq!(
        given[0].presence.as_ref().map(|p| p.status),
        Some(Status::Dnd)
    );
    // With a picture of the same second there is nothing to catch up on.
    memory.open(at(2), UserId(3), said(Status::Online), Platform::Web);
    memory.picture(at(2), UserId(3), GROUP, 10);
    memory.enter(at(2), UserId(3), GROUP);
    let shown = memory.take();
    assert!(!shown.iter().any(|s| matches!(s.scope, Scope::Session(..))));
}

#[test]
fn a_group_with_too_many_online_is_told_nothing() {
    let memory = Memory::default();
    let most = u32::try_from(limits::PRESENCE_GROUP_ONLINE).unwrap();
    for slot in 0..=most {
        enter(&memory, slot, UserId(u64::from(slot) + 10), Status::Online);
    }
    assert_eq!(memory.take(), []);
    assert_eq!(memory.picture(at(0), UserId(10), GROUP, 7).len(), 7);
    memory.close(at(0), UserId(10));
    assert_eq!(in_group(&memory.take(), GROUP), [(UserId(10), None)]);
    let before = memory.version(GROUP);
    memory.set(at(1), UserId(11), said(Status::Idle));
    assert_ne!(memory.version(GROUP), before);
}
