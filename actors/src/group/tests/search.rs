//! Finding members by id and by name.

use rookery_protocol::command::group::{GetMembers, SearchMembers};
use rookery_protocol::error::ErrorCode;

use super::*;
use crate::testkit::code;

fn search(rig: &mut Rig<Group>, query: &str, limit: usize) -> Vec<UserId> {
    let request = SearchMembers {
        by: ADA,
        query: query.to_owned(),
        limit,
    };
    let rows = rig.run(request).unwrap();
    rows.iter().map(|row| row.user).collect()
}

fn rename(rig: &mut Rig<Group>, user: UserId, nick: &str, global: &str, username: &str) {
    let live = rig.core.live.as_mut().unwrap();
    let row = live.members.get_mut(&user).unwrap();
    row.nick = (!nick.is_empty()).then(|| nick.to_owned());
    row.global_name = (!global.is_empty()).then(|| global.to_owned());
    username.clone_into(&mut row.username);
}

#[test]
fn a_name_is_found_by_its_beginning_whatever_the_case() {
    let mut rig = community();
    rename(&mut rig, OWNER, "Zed", "Otto", "owner");
    rename(&mut rig, ADA, "", "\u{c4}nne", "ada");
    rename(&mut rig, BEN, "\u{e4}rger", "", "Ben");
    let table: [(&str, &[UserId]); 9] = [
        ("ze", &[OWNER]),
        ("OT", &[OWNER]),
        ("owner", &[OWNER]),
        ("owners", &[]),
        ("\u{c4}", &[ADA, BEN]),
        ("\u{e4}NN", &[ADA]),
        ("b", &[BEN]),
        ("tto", &[]),
        ("", &[OWNER, ADA, BEN]),
    ];
    for (query, expected) in table {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(search(&mut rig, query, 10), expected, "{query:?}");
    }
    assert_eq!(search(&mut rig, "", 2).len(), 2);
    let stranger = SearchMembers {
        by: UserId(999),
        query: String::new(),
        limit: 1,
    };
    assert_eq!(code(rig.run(stranger)), ErrorCode::MissingAccess);
}

#[test]
fn members_are_read_in_the_order_they_are_named() {
    let mut rig = community();
    let get = |by, users| GetMembers { by, users };
    let rows = rig.run(get(ADA, vec![BEN, UserId(999), OWNER])).unwrap();
    let found: Vec<UserId> = rows.iter().map(|row| row.user).collect();
    assert_eq!(found, [BEN, OWNER]);
    assert_eq!(
        code(rig.run(get(UserId(999), vec![BEN]))),
        ErrorCode::MissingAccess
    );
}
