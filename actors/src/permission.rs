//! What a member may do: the one statement of the algorithm, for the group, which decides, and for the relay lanes, which
//! send each session what its user sees.
//!
//! Source: <https://discord.com/developers/docs/topics/permissions>

use rookery_protocol::ids::{RoleId, UserId};
use rookery_protocol::permissions::{Overwrite, OverwriteTarget, Permissions};

/// What can differ from channel to channel; an overwrite of anything else says nothing.
pub(crate) const OF_CHANNELS: Permissions = Permissions(
    Permissions::ALL.0
        & !(Permissions::KICK_MEMBERS.0
            | Permissions::BAN_MEMBERS.0
            | Permissions::ADMINISTRATOR.0
            | Permissions::MANAGE_GUILD.0
            | Permissions::VIEW_AUDIT_LOG.0
            | Permissions::VIEW_GUILD_INSIGHTS.0
            | Permissions::CHANGE_NICKNAME.0
            | Permissions::MANAGE_NICKNAMES.0
            | Permissions::MANAGE_GUILD_EXPRESSIONS.0
            | Permissions::MODERATE_MEMBERS.0
            | Permissions::VIEW_CREATOR_MONETIZATION_ANALYTICS.0
            | Permissions::CREATE_GUILD_EXPRESSIONS.0),
);

/// What goes where SEND_MESSAGES is denied.
const OF_SENDING: Permissions = Permissions(
    Permissions::MENTION_EVERYONE.0
        | Permissions::SEND_TTS_MESSAGES.0
        | Permissions::ATTACH_FILES.0
        | Permissions::EMBED_LINKS.0,
);

/// What a timeout leaves.
const OF_READING: Permissions =
    Permissions(Permissions::VIEW_CHANNEL.0 | Permissions::READ_MESSAGE_HISTORY.0);

/// What somebody may do in the group as a whole. The owner and administrators may do everything; it shows in the answer's
/// ADMINISTRATOR.
pub(crate) fn base(
    is_owner: bool,
    everyone: Permissions,
    roles: impl IntoIterator<Item = Permissions>,
) -> Permissions {
    if is_owner {
        return Permissions::ALL;
    }
    let held = roles.into_iter().fold(everyone, |held, role| held | role);
    if held.allow(Permissions::ADMINISTRATOR) {
        Permissions::ALL
    } else {
        held
    }
}

/// What somebody who holds `base` in the group as a whole may do in a channel with these overwrites. `roles` are those
/// he holds besides `everyone`.
pub(crate) fn in_channel(
    base: Permissions,
    overwrites: &[Overwrite],
    everyone: RoleId,
    user: UserId,
    roles: &[RoleId],
) -> Permissions {
    if base.allow(Permissions::ADMINISTRATOR) {
        return Permissions::ALL;
    }
    // One pass: overwrites of the member win over those of his roles, which win over that of `@everyone`.
    let nothing = (Permissions::NONE, Permissions::NONE);
    let (mut of_everyone, mut of_roles, mut of_member) = (nothing, nothing, nothing);
    for overwrite in overwrites {
        let layer = match overwrite.target {
            OverwriteTarget::Role(role) if role == everyone => &mut of_everyone,
            OverwriteTarget::Role(role) if roles.contains(&role) => &mut of_roles,
            OverwriteTarget::Member(member) if member == user => &mut of_member,
            OverwriteTarget::Role(_) | OverwriteTarget::Member(_) => continue,
        };
        layer.0 |= overwrite.deny & OF_CHANNELS;
        layer.1 |= overwrite.allow & OF_CHANNELS;
    }
    let mut held = base;
    for (deny, allow) in [of_everyone, of_roles, of_member] {
        held = (held & !deny) | allow;
    }
    if !held.allow(Permissions::VIEW_CHANNEL) {
        return Permissions::NONE;
    }
    if !held.allow(Permissions::SEND_MESSAGES) {
        held = held & !OF_SENDING;
    }
    held
}

/// What is left of what somebody may do while he is timed out.
pub(crate) fn in_timeout(held: Permissions) -> Permissions {
    if held.allow(Permissions::ADMINISTRATOR) {
        held
    } else {
        held & OF_READING
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EVERYONE: RoleId = RoleId(1);
    const USER: UserId = UserId(100);

    /// A member of a group, with everything that matters for a channel.
    #[derive(Debug, Clone)]
    struct Case {
        is_owner: bool,
        is_timed_out: bool,
        /// Roles 1 (`@everyone`) to 5.
        roles: Vec<Permissions>,
        held: Vec<RoleId>,
        overwrites: Vec<Overwrite>,
    }

    fn computed(case: &Case) -> Permissions {
        let of = |role: &RoleId| case.roles[usize::try_from(role.0).unwrap() - 1];
        let base = base(case.is_owner, case.roles[0], case.held.iter().map(of));
        let held = in_channel(base, &case.overwrites, EVERYONE, USER, &case.held);
        if case.is_timed_out {
            in_timeout(held)
        } else {
            held
        }
    }

    /// The documented rules for one permission, the strongest first, each a sentence of the documentation.
    fn documented(case: &Case, wanted: Permissions) -> bool {
        let has = |set: Permissions, one: Permissions| set.0 & one.0 != 0;
        let roles = || {
            let mine = (2..=5).filter(|n| case.held.contains(&RoleId(*n)));
            std::iter::once(1).chain(mine)
        };
        let of = |n: u64| case.roles[usize::try_from(n).unwrap() - 1];
        let role_allows = |one| roles().any(|n| has(of(n), one));
        if case.is_owner || role_allows(Permissions::ADMINISTRATOR) {
            return true;
        }
        if case.is_timed_out
            && wanted != Permissions::VIEW_CHANNEL
            && wanted != Permissions::READ_MESSAGE_HISTORY
        {
            return false;
        }
        // Before what follows by itself.
        let granted = |one: Permissions| {
            let is_of_channels = has(OF_CHANNELS, one);
            let says = |target: OverwriteTarget, allow: bool| {
                case.overwrites.iter().any(|o| {
                    let set = if allow { o.allow } else { o.deny };
                    is_of_channels && o.target == target && has(set, one)
                })
            };
            let role_says = |allow| {
                (2..=5).any(|n| {
                    case.held.contains(&RoleId(n)) && says(OverwriteTarget::Role(RoleId(n)), allow)
                })
            };
            let (me, all) = (
                OverwriteTarget::Member(USER),
                OverwriteTarget::Role(EVERYONE),
            );
            if says(me, true) {
                true
            } else if says(me, false) {
                false
            } else if role_says(true) {
                true
            } else if role_says(false) {
                false
            } else if says(all, true) {
                true
            } else if says(all, false) {
                false
            } else {
                role_allows(one)
            }
        };
        let needs_sending = [
            Permissions::MENTION_EVERYONE,
            Permissions::SEND_TTS_MESSAGES,
            Permissions::ATTACH_FILES,
            Permissions::EMBED_LINKS,
        ];
        granted(wanted)
            && granted(Permissions::VIEW_CHANNEL)
            && (!needs_sending.contains(&wanted) || granted(Permissions::SEND_MESSAGES))
    }

    /// Sets in which the permissions that rules are about are as likely as not.
    fn set() -> impl Strategy<Value = Permissions> {
        let often = Permissions::VIEW_CHANNEL.0 | Permissions::SEND_MESSAGES.0;
        let admin = prop_oneof![7 => Just(0), 1 => Just(Permissions::ADMINISTRATOR.0)];
        (any::<u64>(), any::<u64>(), admin).prop_map(move |(bits, thin, admin)| {
            let bits = (bits & thin) | (bits & often);
            Permissions((bits & !Permissions::ADMINISTRATOR.0 | admin) & Permissions::ALL.0)
        })
    }

    fn overwrite() -> impl Strategy<Value = Overwrite> {
        let target = prop_oneof![
            4 => (1u64..=5).prop_map(|n| OverwriteTarget::Role(RoleId(n))),
            1 => Just(OverwriteTarget::Member(USER)),
            1 => Just(OverwriteTarget::Member(UserId(101))),
        ];
        (target, set(), set()).prop_map(|(target, allow, deny)| Overwrite {
            target,
            allow,
            deny,
        })
    }

    prop_compose! {
        fn case()(
            is_owner in prop::bool::weighted(0.05),
            is_timed_out in prop::bool::weighted(0.2),
            roles in prop::collection::vec(set(), 5),
            held in prop::collection::btree_set(2u64..=5, 0..4),
            mut overwrites in prop::collection::vec(overwrite(), 0..6),
        ) -> Case {
            let mut seen = std::collections::BTreeSet::new();
            overwrites.retain(|overwrite| seen.insert(overwrite.target));
            Case { is_owner, is_timed_out, roles, held: held.into_iter().map(RoleId).collect(), overwrites }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn what_is_computed_is_what_is_documented(case in case()) {
            let held = computed(&case);
            for bit in 0..64 {
                let one = Permissions(1 << bit);
                if Permissions::ALL.0 & one.0 != 0 {
                    prop_assert_eq!(held.0 & one.0 != 0, documented(&case, one), "bit {}", bit);
                }
            }
            prop_assert_eq!(held.0 & !Permissions::ALL.0, 0);
        }
    }
}
