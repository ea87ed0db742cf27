//! Avatars and icons in forms.

use rookery_actors::entity::Clock;
use rookery_protocol::command::Answer;

use crate::app::App;
use crate::media::Album;

/// What a form says of an image (absent, null, or a `data:` URL) as the entities take it: with the hash of the image, which
/// is stored then.
///
/// # Errors
/// `InvalidFormBody` on `field`; the disk fails.
#[allow(clippy::option_option, reason = "the shape of every patch command")]
pub(super) async fn change(
    app: &App,
    album: Album,
    field: &str,
    patch: Option<Option<String>>,
) -> Answer<Option<Option<String>>> {
    let limits = &app.config.limits;
    let quota = limits.enabled.then_some(limits.create);
    let now = app.clock.now();
    app.media
        .change_image(album, field, patch, quota, now)
        .await
}
