//! `/channels/{id}/permissions`, and how permissions and overwrites stand in forms.

use axum::extract::State;
use rookery_protocol::command::group::{DeleteOverwrite, PutOverwrite};
use rookery_protocol::ids::{RoleId, UserId};
use rookery_protocol::limits;
use rookery_protocol::permissions::{Overwrite, OverwriteTarget, Permissions};

use super::body::{JsonBody, Params};
use super::form::Form;
use super::reason::Reason;
use super::refusal::{Reply, no_content};
use crate::app::App;
use crate::auth::Caller;

/// A set of permissions: a decimal string, or a number. Bits that mean nothing here are left out.
pub(super) fn permissions(form: &Form<'_>, key: &str) -> Option<Permissions> {
    let bits = form.integer(key, 0..=u64::MAX).optional();
    bits.map(|bits| Permissions(bits) & Permissions::ALL)
}

/// The overwrite for somebody whose id stands elsewhere.
fn read_overwrite(form: &Form<'_>, id: Option<u64>) -> Option<Overwrite> {
    let kinds = |number| (number < 2).then_some(number);
    let kind = form.choice("type", "0, 1", kinds).required();
    let allow = permissions(form, "allow").unwrap_or_default();
    let deny = permissions(form, "deny").unwrap_or_default();
    let target = match kind? {
        0 => OverwriteTarget::Role(RoleId(id?)),
        _ => OverwriteTarget::Member(UserId(id?)),
    };
    Some(Overwrite {
        target,
        allow,
        deny,
    })
}

/// The overwrites of a channel's form; null is none at all.
pub(super) fn read_overwrites(form: &Form<'_>) -> Option<Vec<Overwrite>> {
    let forms = form.objects("permission_overwrites", limits::OVERWRITES_PER_CHANNEL);
    let forms = forms.patch()?.unwrap_or_default();
    let read = |form: &Form<'_>| {
        let id = form.id::<RoleId>("id").required();
        read_overwrite(form, id.map(|id| id.0))
    };
    Some(forms.iter().filter_map(read).collect())
}

/// `PUT /channels/{id}/permissions/{overwrite}`
pub(super) async fn put(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
    body: JsonBody,
) -> Reply {
    let channel = params.channel()?;
    let id = params.id::<RoleId>("overwrite_id")?;
    let overwrite = body.read(|form| read_overwrite(form, Some(id.0)))?;
    let group = app.index.group_of(channel).await?;
    let request = PutOverwrite {
        by: caller.id(),
        channel,
        overwrite,
        reason,
    };
    app.directory.ask(group, request).await?;
    Ok(no_content())
}

/// `DELETE /channels/{id}/permissions/{overwrite}`
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    Reason(reason): Reason,
) -> Reply {
    let channel = params.channel()?;
    let target = params.id::<RoleId>("overwrite_id")?.0;
    let group = app.index.group_of(channel).await?;
    let request = DeleteOverwrite {
        by: caller.id(),
        channel,
        target,
        reason,
    };
    app.directory.ask(group, request).await?;
    Ok(no_content())
}
