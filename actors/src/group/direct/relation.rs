//! How two people stand to each other: what each of them may wish, and what becomes of it. Pure data in, pure data out.

use rookery_protocol::command::Answer;
use rookery_protocol::command::group::RelationWish;
use rookery_protocol::document::{Friendship, PairDocument, Relation};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::UserId;
use rookery_protocol::time::Millis;

/// Which of the two somebody is: 0 or 1.
pub(super) fn side(pair: &PairDocument, user: UserId) -> Option<usize> {
    pair.people.iter().position(|&one| one == user)
}

/// How one of the two stands to the other. Of a block only who made it knows.
pub(super) fn relation(pair: &PairDocument, side: usize) -> Relation {
    if pair.blocks[side] {
        return Relation::Blocked;
    }
    match pair.friendship {
        Friendship::None => Relation::None,
        Friendship::Friends => Relation::Friend,
        Friendship::Asked(by) if by == pair.people[side] => Relation::Outgoing,
        Friendship::Asked(_) => Relation::Incoming,
    }
}

/// The pair once one of the two has got his wish; it may be as it was.
pub(super) fn wished(
    pair: &PairDocument,
    side: usize,
    wish: RelationWish,
    now: Millis,
) -> Answer<PairDocument> {
    let me = pair.people[side];
    let mut next = pair.clone();
    match wish {
        RelationWish::Friend => {
            if pair.blocks.contains(&true) {
                return Err(ErrorCode::FriendRequestBlocked.into());
            }
            next.friendship = match pair.friendship {
                Friendship::Friends => return Err(ErrorCode::AlreadyFriends.into()),
                Friendship::Asked(by) if by != me => Friendship::Friends,
                Friendship::Asked(_) | Friendship::None => Friendship::Asked(me),
            };
        }
        RelationWish::Block => {
            next.blocks[side] = true;
            next.friendship = Friendship::None;
        }
        RelationWish::Nothing => {
            next.blocks[side] = false;
            next.friendship = Friendship::None;
        }
    }
    if next != *pair {
        next.since = now;
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use rookery_protocol::error::ErrorCode::{AlreadyFriends, FriendRequestBlocked};

    use super::*;
    use Friendship::{Asked, Friends, None as Apart};
    use RelationWish::{Block, Friend, Nothing};

    const ADA: UserId = UserId(2);
    const BEN: UserId = UserId(3);

    /// What becomes of a state by Ada's wish.
    fn of(
        friendship: Friendship,
        blocks: [bool; 2],
        wish: RelationWish,
    ) -> Result<(Friendship, [bool; 2]), ErrorCode> {
        let pair = PairDocument {
            people: [ADA, BEN],
            friendship,
            since: Millis(1),
            blocks,
        };
        let next = wished(&pair, 0, wish, Millis(2)).map_err(|refusal| refusal.code)?;
        let (before, after) = (Millis(1), Millis(2));
        let is_same = (next.friendship, next.blocks) == (friendship, blocks);
        assert_eq!(next.since, if is_same { before } else { after });
        Ok((next.friendship, next.blocks))
    }

    #[test]
    fn every_wish_in_every_state() {
        const NO: [bool; 2] = [false; 2];
        const MINE: [bool; 2] = [true, false];
        const HIS: [bool; 2] = [false, true];
        const BOTH: [bool; 2] = [true; 2];
        let table = [
            (Apart, NO, Friend, Ok((Asked(ADA), NO))),
            (Asked(ADA), NO, Friend, Ok((Asked(ADA), NO))),
            (Asked(BEN), NO, Friend, Ok((Friends, NO))),
            (Friends, NO, Friend, Err(AlreadyFriends)),
            (Apart, MINE, Friend, Err(FriendRequestBlocked)),
            (Apart, HIS, Friend, Err(FriendRequestBlocked)),
            (Apart, BOTH, Friend, Err(FriendRequestBlocked)),
            (Apart, NO, Block, Ok((Apart, MINE))),
            (Asked(ADA), NO, Block, Ok((Apart, MINE))),
            (Asked(BEN), NO, Block, Ok((Apart, MINE))),
            (Friends, NO, Block, Ok((Apart, MINE))),
            (Apart, MINE, Block, Ok((Apart, MINE))),
            (Apart, HIS, Block, Ok((Apart, BOTH))),
            (Apart, NO, Nothing, Ok((Apart, NO))),
            (Asked(ADA), NO, Nothing, Ok((Apart, NO))),
            (Asked(BEN), NO, Nothing, Ok((Apart, NO))),
            (Friends, NO, Nothing, Ok((Apart, NO))),
            (Apart, MINE, Nothing, Ok((Apart, NO))),
            (Apart, HIS, Nothing, Ok((Apart, HIS))),
            (Apart, BOTH, Nothing, Ok((Apart, HIS))),
        ];
        for (friendship, blocks, wish, expected) in table {
            let found = of(friendship, blocks, wish);
            assert_eq!(found, expected, "{friendship:?} {blocks:?} {wish:?}");
        }
    }
}
