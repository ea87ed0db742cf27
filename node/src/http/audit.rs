//! `GET /guilds/{id}/audit-logs`.

use std::collections::BTreeSet;

use axum::extract::State;
use rookery_actors::entity::Clock;
use rookery_actors::store::{self, Order, Scan};
use rookery_protocol::client::audit::log;
use rookery_protocol::command::Answer;
use rookery_protocol::document::{AuditAction, AuditLog, AuditRow, TableId};
use rookery_protocol::ids::{AuditId, GroupId, UserId};
use rookery_protocol::permissions::Permissions;
use rookery_protocol::time::Millis;
use rookery_protocol::{limits, snowflake};

use super::body::{Params, Query};
use super::guard::require;
use super::refusal::{Reply, ok};
use crate::app::App;
use crate::auth::Caller;

/// Entries read at once.
const PAGE: usize = 500;
/// Entries of one answer when nothing is said.
const DEFAULT_LIMIT: u64 = 50;

/// Which entries are wanted.
struct Wish {
    user: Option<UserId>,
    /// By its number on the wire: of one that is never written there are no entries.
    action: Option<u64>,
    before: Option<AuditId>,
    after: Option<AuditId>,
    limit: usize,
}

impl Wish {
    fn fits(&self, row: &AuditRow) -> bool {
        self.user.is_none_or(|user| row.by == user)
            && self.action.is_none_or(|action| row.action.wire() == action)
    }
}

/// The newest entries first, or with `after` those next above it, the oldest first.
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    query: Query,
) -> Reply {
    let group = params.group()?;
    let wish = query.read(|form| {
        let (low, high) = limits::AUDIT_PAGE.into_inner();
        let mark = |key| form.mark(key, AuditId(0)).optional();
        let before = mark("before").filter(|id| *id != AuditId(0));
        let limit = form.integer("limit", low as u64..=high as u64);
        Some(Wish {
            user: form.id("user_id").optional(),
            action: form
                .integer("action_type", 0..=u64::from(u16::MAX))
                .optional(),
            before,
            after: mark("after"),
            limit: usize::try_from(limit.or(DEFAULT_LIMIT)).unwrap_or(low),
        })
    })?;
    require(&app, &caller, group, Permissions::VIEW_AUDIT_LOG).await?;
    let rows = read(&app, group, &wish).await?;
    let mut people: BTreeSet<UserId> = rows.iter().map(|row| row.by).collect();
    people.extend(rows.iter().filter_map(target));
    let profiles = app.accounts.profiles(people).await?;
    let mut users: Vec<_> = profiles.values().collect();
    users.sort_by_key(|profile| profile.id);
    Ok(ok(&log(&rows, &users)))
}

/// The user that something was done to.
fn target(row: &AuditRow) -> Option<UserId> {
    let is_user = matches!(
        row.action,
        AuditAction::MemberKick
            | AuditAction::MemberBanAdd
            | AuditAction::MemberBanRemove
            | AuditAction::MemberUpdate
            | AuditAction::MemberRoleUpdate
            | AuditAction::BotAdd
            | AuditAction::MessageDelete
            | AuditAction::MessagePin
            | AuditAction::MessageUnpin
    );
    row.target.filter(|_| is_user).map(UserId)
}

/// Reads page by page until enough entries fit; of a rare kind at most [`limits::AUDIT_SCAN`] entries are looked at.
async fn read(app: &App, group: GroupId, wish: &Wish) -> Answer<Vec<AuditRow>> {
    let oldest = Millis(app.clock.now().0.saturating_sub(limits::AUDIT_MS));
    let mut above = AuditId(snowflake::floor(oldest)).max(wish.after.unwrap_or(AuditId(0)));
    let mut below = wish.before;
    let order = if wish.after.is_some() {
        Order::Ascending
    } else {
        Order::Descending
    };
    let (mut found, mut seen) = (Vec::new(), 0);
    while found.len() < wish.limit && seen < limits::AUDIT_SCAN {
        let scan = Scan {
            table: TableId::AuditLog,
            partition: group.into(),
            above: Some(above.into()),
            below: below.map(Into::into),
            order,
            limit: PAGE,
        };
        let page = store::scan::<AuditLog>(app.store.as_ref(), scan).await;
        let page = page.map_err(crate::fault::read_failed)?;
        let Some((_, last)) = page.last() else { break };
        match order {
            Order::Ascending => above = last.id,
            Order::Descending => below = Some(last.id),
        }
        let is_last = page.len() < PAGE;
        seen += page.len();
        let fitting = page.into_iter().map(|(_, row)| row);
        let fitting = fitting.filter(|row| wish.fits(row));
        found.extend(fitting.take(wish.limit - found.len()));
        if is_last {
            break;
        }
    }
    Ok(found)
}
