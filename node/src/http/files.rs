//! Delivers files: those of messages by signed URLs, avatars and icons by their hash. What is delivered is bytes of strangers
//! under our name, so each answer says what they are (from a short list), that nobody may guess otherwise, and that nothing
//! in them may run.

use std::path::PathBuf;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, body::Body};
use rookery_actors::entity::Clock;
use rookery_actors::links::Signature;
use rookery_actors::store;
use rookery_protocol::command::Answer;
use rookery_protocol::document::{Attachment, Attachments, Key, Messages};
use rookery_protocol::error::ErrorCode;
use rookery_protocol::ids::{AttachmentId, ChannelId, GroupId, UserId};
use rookery_protocol::limits;
use tower_http::services::ServeFile;

use super::body::{Params, Query};
use super::refusal::{Refusal, Reply};
use crate::app::App;
use crate::fault;
use crate::media::picture::{default_avatar, is_hash};
use crate::media::{Album, kind};

/// Nothing in a file runs or loads anything, should a browser show it as a page.
const POLICY: &str = "sandbox; default-src 'none'";
/// Pages elsewhere may show them.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// What is named by its hash never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The routes of files, outside of the API's prefixes.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(
            "/attachments/{channel_id}/{file_id}/{name}",
            get(attachment),
        )
        .route("/avatars/{user_id}/{file}", get(avatar))
        .route("/icons/{guild_id}/{file}", get(icon))
        .route("/channel-icons/{channel_id}/{file}", get(channel_icon))
        .route("/embed/avatars/{file}", get(embed_avatar))
}

/// `GET /attachments/{channel}/{id}/{name}?ex&hm`. The name is for people; it does not matter here.
async fn attachment(
    State(app): State<App>,
    params: Params,
    query: Query,
    request: Request,
) -> Reply {
    let missing = || Refusal::from(ErrorCode::NotFound);
    let channel: ChannelId = params.id("channel_id").map_err(|_| missing())?;
    let id: AttachmentId = params.id("file_id").map_err(|_| missing())?;
    let signature = query.read(|form| {
        let expires = form.text("ex").optional()?;
        let expires = u64::from_str_radix(&expires, 16).ok()?;
        let mac = form.text("hm").optional()?;
        Some(Signature { expires, mac })
    });
    let signature = signature.map_err(|_| missing())?;
    if !app.links.admits(channel, id, &signature, app.clock.now()) {
        return Err(missing());
    }
    let file = find(&app, channel, id).await?.ok_or_else(missing)?;
    let kind = kind::pinned(&file.content_type);
    let age = limits::FILE_URL_SECONDS;
    let what = Delivery {
        path: app.media.attachment(channel, id),
        kind,
        tag: id.to_string(),
        // It is not for everybody, and may be deleted.
        caching: format!("private, max-age={age}, immutable"),
        disposition: Some(disposition(kind, &file.filename)),
    };
    what.deliver(&app, request).await
}

/// What its message says of a file.
async fn find(app: &App, channel: ChannelId, id: AttachmentId) -> Answer<Option<Attachment>> {
    let store = app.store.as_ref();
    let owner = store::get::<Attachments>(store, &Key::new(channel, id)).await;
    let Some(owner) = owner.map_err(fault::read_failed)? else {
        return Ok(None);
    };
    let row = store::get::<Messages>(store, &Key::new(channel, owner.message)).await;
    let row = row.map_err(fault::read_failed)?;
    Ok(row.and_then(|row| row.attachments.into_iter().find(|file| file.id == id)))
}

/// `GET /avatars/{user}/{hash}.{png|jpg|jpeg|webp|gif}`
async fn avatar(State(app): State<App>, params: Params, request: Request) -> Reply {
    let user = params.id::<UserId>("user_id");
    image(&app, user.map(Album::Avatar), &params, request).await
}

/// `GET /icons/{guild}/{hash}.{png|jpg|jpeg|webp|gif}`
async fn icon(State(app): State<App>, params: Params, request: Request) -> Reply {
    let group = params.id::<GroupId>("guild_id");
    image(&app, group.map(Album::Icon), &params, request).await
}

/// `GET /channel-icons/{channel}/{hash}.{png|jpg|jpeg|webp|gif}`: a direct channel's id is that of its group.
async fn channel_icon(State(app): State<App>, params: Params, request: Request) -> Reply {
    let group = params.id::<GroupId>("channel_id");
    image(&app, group.map(Album::Icon), &params, request).await
}

/// An image; it is a PNG whatever the extension asks for, and says so.
async fn image(
    app: &App,
    album: Result<Album, Refusal>,
    params: &Params,
    request: Request,
) -> Reply {
    let missing = ErrorCode::NotFound;
    let album = album.map_err(|_| missing)?;
    let (hash, extension) = params.text("file").split_once('.').ok_or(missing)?;
    let is_asked = matches!(extension, "png" | "jpg" | "jpeg" | "webp" | "gif");
    if !is_asked || !is_hash(hash) {
        return Err(missing.into());
    }
    let what = Delivery {
        path: app.media.image(album, hash),
        kind: "image/png",
        tag: hash.to_owned(),
        caching: FOR_EVER.to_owned(),
        disposition: None,
    };
    what.deliver(app, request).await
}

/// `GET /embed/avatars/{0..5}.png`
async fn embed_avatar(params: Params) -> Reply {
    let number = params.text("file").strip_suffix(".png");
    let number = number.and_then(|number| number.parse().ok());
    let png = number.and_then(default_avatar);
    let mut response = Response::new(Body::from(png.ok_or(ErrorCode::NotFound)?));
    protect(response.headers_mut(), "image/png", FOR_EVER);
    Ok(response)
}

/// A file that is delivered.
struct Delivery {
    path: PathBuf,
    kind: &'static str,
    /// Two files with the same tag are the same.
    tag: String,
    caching: String,
    disposition: Option<String>,
}

impl Delivery {
    /// The file or the part that is asked for, with its headers.
    async fn deliver(self, app: &App, request: Request) -> Reply {
        let tag = format!("\"{}\"", self.tag);
        let known = request.headers().get(IF_NONE_MATCH);
        let known = known.and_then(|known| known.to_str().ok());
        let is_known = known.is_some_and(|known| {
            let mut tags = known.split(',').map(str::trim);
            tags.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
        });
        let mut response = if is_known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            app.media.fetch(&self.path).await?;
            let served = ServeFile::new(&self.path).try_call(request).await;
            served
                .map_err(|error| {
                    tracing::error!(%error, "a file could not be read");
                    ErrorCode::Internal
                })?
                .map(Body::new)
        };
        if response.status() == StatusCode::NOT_FOUND {
            return Err(ErrorCode::NotFound.into());
        }
        let headers = response.headers_mut();
        protect(headers, self.kind, &self.caching);
        put(headers, ETAG, &tag);
        if let Some(disposition) = &self.disposition {
            put(headers, CONTENT_DISPOSITION, disposition);
        }
        Ok(response)
    }
}

/// Says what a body is, and that it is nothing else.
fn protect(headers: &mut HeaderMap, kind: &'static str, caching: &str) {
    put(headers, CONTENT_TYPE, kind);
    put(headers, CACHE_CONTROL, caching);
    put(headers, CONTENT_SECURITY_POLICY, POLICY);
    put(headers, RESOURCE_POLICY, "cross-origin");
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // All values are ASCII.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// `Content-Disposition`: media in their place, the rest to be saved, under a name in the form of RFC 5987.
fn disposition(kind: &str, name: &str) -> String {
    use std::fmt::Write as _;
    let place = if kind::is_shown(kind) {
        "inline"
    } else {
        "attachment"
    };
    let mut value = format!("{place}; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(value, "%{byte:02X}");
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_headers_are_escaped() {
        let table = [
            ("image/png", "cat.png", "inline; filename*=UTF-8''cat.png"),
            (
                kind::TEXT,
                "a b.txt",
                "attachment; filename*=UTF-8''a%20b.txt",
            ),
            (
                kind::BYTES,
                "\u{fc}\".exe",
                "attachment; filename*=UTF-8''%C3%BC%22.exe",
            ),
        ];
        for (kind, name, value) in table {
            assert_eq!(disposition(kind, name), value);
        }
    }
}
