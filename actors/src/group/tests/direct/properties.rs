//! Any sequence of what two people do: the snapshot, both lists, and what each of them was shown say the same, which is
//! what a model says that keeps the two apart.

use proptest::prelude::*;
use rookery_protocol::document::Friendship;

use super::*;

#[derive(Debug, Clone, Copy)]
enum Op {
    Wish(usize, RelationWish),
    Open(usize, bool),
    Post(usize),
    Rename(usize, u8),
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    let who = || 0..2usize;
    let wish = prop_oneof![
        3 => Just(RelationWish::Friend),
        1 => Just(RelationWish::Block),
        2 => Just(RelationWish::Nothing),
    ];
    prop_oneof![
        8 => (who(), wish).prop_map(|(who, wish)| Op::Wish(who, wish)),
        3 => (who(), any::<bool>()).prop_map(|(who, open)| Op::Open(who, open)),
        3 => who().prop_map(Op::Post),
        1 => (who(), 0..3u8).prop_map(|(who, n)| Op::Rename(who, n)),
        1 => Just(Op::Crash),
    ]
}

const PEOPLE: [UserId; 2] = [ADA, BEN];

/// What each of the two wants of the other, kept apart; what they are to each other follows.
#[derive(Debug, Clone, Copy, Default)]
struct Side {
    /// He asked to be friends, and that stands.
    wants: bool,
    blocks: bool,
    open: bool,
}

/// What a person's client knows from what it was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Seen {
    relation: u64,
    open: bool,
    blocks: bool,
}

fn expected(sides: &[Side; 2], me: usize) -> Seen {
    let (mine, his) = (sides[me], sides[1 - me]);
    let relation = match (mine.blocks, mine.wants, his.wants) {
        (true, ..) => 2,
        (_, true, true) => 1,
        (_, false, true) => 3,
        (_, true, false) => 4,
        (_, false, false) => 0,
    };
    Seen {
        relation,
        open: mine.open,
        blocks: mine.blocks,
    }
}

/// Does to the model what an op should; whether it should be granted.
fn apply(sides: &mut [Side; 2], op: Op) -> bool {
    let is_war = sides.iter().any(|side| side.blocks);
    match op {
        Op::Wish(me, RelationWish::Friend) => {
            if is_war || (sides[0].wants && sides[1].wants) {
                return false;
            }
            sides[me].wants = true;
        }
        Op::Wish(me, RelationWish::Block) => {
            sides[me].blocks = true;
            sides.iter_mut().for_each(|side| side.wants = false);
        }
        Op::Wish(me, RelationWish::Nothing) => {
            sides[me].blocks = false;
            sides.iter_mut().for_each(|side| side.wants = false);
        }
        Op::Open(me, open) => sides[me].open = open,
        Op::Post(_) => {
            if is_war {
                return false;
            }
            sides.iter_mut().for_each(|side| side.open = true);
        }
        Op::Rename(..) | Op::Crash => {}
    }
    true
}

/// What a client makes of what it is told.
fn look(seen: &mut Seen, notice: &Notice) {
    match notice {
        Notice::Related { relation, .. } => seen.blocks = *relation == Relation::Blocked,
        Notice::Show(dispatch) => {
            let body: Value = serde_json::from_slice(&dispatch.body).unwrap();
            match dispatch.name {
                EventName::RelationshipAdd => seen.relation = body["type"].as_u64().unwrap(),
                EventName::RelationshipUpdate => assert_eq!(body["type"], seen.relation),
                EventName::RelationshipRemove => {
                    assert_eq!(body["type"], seen.relation);
                    seen.relation = 0;
                }
                EventName::ChannelCreate => {
                    assert!(!seen.open, "it is there already");
                    seen.open = true;
                }
                EventName::ChannelDelete => seen.open = false,
                EventName::ChannelUpdate | EventName::MessageCreate => {
                    assert!(
                        seen.open,
                        "{:?} of a channel it does not know",
                        dispatch.name
                    );
                }
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn what_two_people_are_to_each_other_is_one_fact(ops in prop::collection::vec(op(), 1..60)) {
        let mut rig = pair_with(BEN);
        let mut sides = [Side::default(); 2];
        let mut seen = [Seen::default(); 2];
        for op in ops {
            rig.now = rig.now.plus(1);
            let granted = apply(&mut sides, op);
            let answer = match op {
                Op::Wish(me, wish) => rig.wish(PEOPLE[me], wish).map(|_| ()),
                Op::Open(me, open) => rig.open(PEOPLE[me], open).map(|_| ()),
                Op::Post(me) => rig.run(message(PEOPLE[me], CHANNEL, "x")).map(|_| ()),
                Op::Rename(me, n) => {
                    let global_name = Some(n.to_string());
                    let profile = Profile { global_name, ..profile(PEOPLE[me]) };
                    rig.notice(PEOPLE[me], Notice::ProfileChanged(profile));
                    Ok(())
                }
                Op::Crash => {
                    rig.crash();
                    Ok(())
                }
            };
            prop_assert_eq!(answer.is_ok(), granted, "{:?}", op);
            for (to, notice) in std::mem::take(&mut rig.sent) {
                let me = PEOPLE.iter().position(|&user| user == user_of(to)).unwrap();
                look(&mut seen[me], &notice);
            }
            let lists = rig.lists();
            for me in 0..2 {
                let should = expected(&sides, me);
                prop_assert_eq!(seen[me], should, "what {} was told", PEOPLE[me]);
                let row = lists.get(&PEOPLE[me]);
                let listed = Seen {
                    relation: row.map_or(0, |row| row.relation.wire().into()),
                    open: row.is_some_and(|row| row.open),
                    blocks: row.is_some_and(|row| row.relation == Relation::Blocked),
                };
                prop_assert_eq!(listed, should, "the list of {}", PEOPLE[me]);
                prop_assert_eq!(row.is_some(), should.open || should.relation > 0);
            }
            let pair = rig.live().document.pair().unwrap();
            prop_assert_eq!(pair.blocks, sides.map(|side| side.blocks));
            prop_assert!(!pair.blocks.contains(&true) || pair.friendship == Friendship::None);
            let loaded = rig.load().unwrap();
            prop_assert_eq!(&loaded.live.unwrap().document, &rig.live().document);
        }
        prop_assert!(rig.events.is_empty());
    }
}
