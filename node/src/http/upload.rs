//! The body of a message: JSON, or `multipart/form-data` with files that go to the disk as they come. Nothing of a file is
//! held in memory beyond a few chunks, and nothing of it is read before its sender may attach files there.
//!
//! Source: <https://discord.com/developers/docs/reference#uploading-files>

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::Stream;
use multer::{Constraints, Field, Multipart, SizeLimit};
use rookery_protocol::command::Answer;
use rookery_protocol::command::group::Authorize;
use rookery_protocol::document::Attachment;
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::ids::{AttachmentId, ChannelId, GroupId, UserId};
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use serde_json::{Map, Value};

use super::body::{JsonBody, parse};
use super::form::Form;
use super::refusal::Refusal;
use crate::app::App;
use crate::media::upload::Whole;
use crate::media::{Place, name};

/// Parts of a body: files, the form, and some that are ignored.
const PARTS: usize = limits::ATTACHMENTS_PER_MESSAGE + 32;
/// Bytes of the heads of all parts.
const HEADS: u64 = 64 * 1_024;
/// Bytes that may come without ending a head: a few chunks of a connection.
const UNPARSED: usize = 1_024 * 1_024;
/// Seconds without a byte after which an upload has stalled.
const STALLED: Duration = Duration::from_secs(limits::REQUEST_SECONDS);
/// How long what a refused client goes on sending is read and thrown away, so that it sees the refusal.
const LINGER: Duration = Duration::from_secs(10);

/// Whether a request brings files: it may take [`limits::UPLOAD_SECONDS`].
pub(super) fn is_upload(request: &Request) -> bool {
    let takes_files = matches!(*request.method(), Method::POST | Method::PATCH);
    takes_files
        && boundary(request.headers()).is_some()
        && request.uri().path().contains("/messages")
}

/// The boundary of a multipart body.
fn boundary(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    multer::parse_boundary(kind).ok()
}

/// Where a message goes, and what must be held there to attach files to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    /// The sender.
    pub(super) by: UserId,
    /// The group.
    pub(super) group: GroupId,
    /// The channel.
    pub(super) channel: ChannelId,
    /// What the sender must hold.
    pub(super) permissions: Permissions,
}

/// A message's form with its files, which are deleted when it is dropped before [`MessageBody::store`].
pub(super) struct MessageBody {
    form: JsonBody,
    files: Vec<UploadedFile>,
    _place: Option<Place>,
}

/// A file that was sent.
struct UploadedFile {
    /// The `n` of `files[n]`.
    number: Option<u64>,
    /// What its sender calls it.
    name: String,
    file: Whole,
}

/// What the form's `attachments` say of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    /// The number of a file that comes with the form, or the id of one that is there.
    id: u64,
    name: Option<String>,
    description: Option<String>,
}

/// The form's `attachments`; none when they are not named.
pub(super) fn read_attachments(form: &Form<'_>) -> Option<Vec<Described>> {
    form.field("attachments", "LIST_TYPE_CONVERT", |value| {
        let list = value.as_array();
        let list = list.ok_or_else(|| "Only iterables may be used in a ListType".to_owned())?;
        if list.len() > limits::ATTACHMENTS_PER_MESSAGE {
            let most = limits::ATTACHMENTS_PER_MESSAGE;
            return Err(format!("Must be {most} or fewer in length."));
        }
        list.iter().map(described).collect()
    })
    .optional()
}

fn described(value: &Value) -> Result<Described, String> {
    let id = match &value["id"] {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let text = |key: &str| match &value[key] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(format!("Could not interpret {key} as string.")),
    };
    let description = text("description")?;
    let most = limits::FILE_DESCRIPTION_CHARS;
    if description
        .as_ref()
        .is_some_and(|text| text.chars().count() > most)
    {
        return Err(format!("A description must be {most} or fewer in length."));
    }
    Ok(Described {
        id: id.ok_or_else(|| "An attachment needs an id.".to_owned())?,
        name: text("filename")?,
        description: description.filter(|text| !text.is_empty()),
    })
}

impl MessageBody {
    /// Reads a request's body.
    ///
    /// # Errors
    /// What is wrong with it; of files also what the group refuses, before they are read.
    pub(super) async fn receive(
        app: &App,
        target: Target,
        request: Request,
    ) -> Result<Self, Refusal> {
        let Some(boundary) = boundary(request.headers()) else {
            return Ok(Self {
                form: JsonBody::from_request(request, &()).await?,
                files: Vec::new(),
                _place: None,
            });
        };
        let most = app.media.max_upload_bytes();
        let whole = most + limits::BODY_BYTES as u64 + HEADS;
        let length = request.headers().get(CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let (source, rest) = Source::new(request.into_body());
        let received = if length.is_some_and(|length| length > whole) {
            Err(ErrorCode::FileTooLarge.into())
        } else {
            let parsing = Arc::clone(&rest.unparsed);
            let limit = SizeLimit::new().whole_stream(whole);
            let constraints = Constraints::new().size_limit(limit);
            let reader = Reader {
                app,
                target,
                parsing,
                multipart: Multipart::with_constraints(source, boundary, constraints),
                files: Vec::new(),
                bytes: 0,
                place: None,
            };
            reader.read().await
        };
        if received.is_err() {
            rest.linger();
        }
        Ok(received?)
    }

    /// Reads the form.
    ///
    /// # Errors
    /// `InvalidFormBody`.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Form<'_>) -> Option<T>) -> Answer<T> {
        self.form.read(read)
    }

    /// Whether files came along.
    pub(super) fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Puts the files into their places and answers what the message is to say of them, and which of `described` are files
    /// that it has already. From then on they are garbage unless a message claims them: see [`Stored::settle`].
    ///
    /// # Errors
    /// The form describes what did not come; the disk fails.
    pub(super) async fn store<'a>(
        self,
        app: &'a App,
        channel: ChannelId,
        described: Option<&[Described]>,
        may_keep: bool,
    ) -> Answer<Stored<'a>> {
        let numbers: Vec<u64> = (0..).zip(&self.files).map(UploadedFile::place).collect();
        let list = described.unwrap_or(&[]);
        let others = list.iter().filter(|file| !numbers.contains(&file.id));
        let keep: Vec<AttachmentId> = others.map(|file| AttachmentId(file.id)).collect();
        if !may_keep && !keep.is_empty() {
            let message = "An attachment is described that did not come along.";
            return Err(ApiError::field(
                "attachments",
                "ATTACHMENT_NOT_FOUND",
                message,
            ));
        }
        let mut stored = Stored {
            app,
            channel,
            keep: described.map(|_| keep),
            files: Vec::new(),
        };
        for (number, uploaded) in numbers.into_iter().zip(self.files) {
            let said = list.iter().find(|file| file.id == number);
            let name = said.and_then(|said| said.name.as_ref());
            let file = Attachment {
                id: AttachmentId(app.ids.mint()?),
                filename: name::clean(name.unwrap_or(&uploaded.name)),
                description: said.and_then(|said| said.description.clone()),
                size: uploaded.file.size,
                content_type: uploaded.file.kind.to_owned(),
                width: uploaded.file.pixels.map(|(width, _)| width),
                height: uploaded.file.pixels.map(|(_, height)| height),
            };
            let id = file.id;
            stored.files.push(file);
            if let Err(refusal) = app.media.settle(channel, id, uploaded.file).await {
                stored.forget();
                return Err(refusal);
            }
        }
        Ok(stored)
    }
}

impl UploadedFile {
    /// Its number; those without one are counted.
    fn place((at, file): (u64, &Self)) -> u64 {
        file.number.unwrap_or(at)
    }
}

/// Files in their places that no message has claimed yet.
pub(super) struct Stored<'a> {
    app: &'a App,
    channel: ChannelId,
    /// Files of the message that stay; none: all of them.
    pub(super) keep: Option<Vec<AttachmentId>>,
    /// What the message is to say of the new ones.
    pub(super) files: Vec<Attachment>,
}

impl Stored<'_> {
    /// Deletes the files if they were surely not claimed: `claimed` is what the group answered, and whether the message
    /// has them. When the outcome is unknown, the sweep decides by the rows.
    pub(super) fn settle<T>(
        self,
        answer: Answer<T>,
        claimed: impl FnOnce(&T) -> bool,
    ) -> Answer<T> {
        let is_claimed = match &answer {
            Ok(answer) => claimed(answer),
            Err(refusal) => refusal.code == ErrorCode::Unavailable,
        };
        if !is_claimed {
            self.forget();
        }
        answer
    }

    fn forget(&self) {
        let files = self.files.iter().map(|file| file.id).collect();
        self.app.media.forget(self.channel, files);
    }
}

/// Reads the parts of a body.
struct Reader<'a> {
    app: &'a App,
    target: Target,
    multipart: Multipart<'static>,
    /// What the source counts; reset whenever the parser has got on.
    parsing: Arc<AtomicUsize>,
    files: Vec<UploadedFile>,
    /// Bytes of all files.
    bytes: u64,
    place: Option<Place>,
}

impl Reader<'_> {
    async fn read(mut self) -> Answer<MessageBody> {
        let mut form: Option<Value> = None;
        let mut fields = Map::new();
        let mut room = limits::BODY_BYTES;
        let mut parts = 0;
        while let Some(mut field) = in_time(self.multipart.next_field()).await? {
            self.parsing.store(0, Relaxed);
            parts += 1;
            if parts > PARTS {
                return Err(invalid("Too many parts."));
            }
            if let Some(name) = field.file_name() {
                let name = name.to_owned();
                self.file(field, name).await?;
                continue;
            }
            let mut bytes = Vec::new();
            while let Some(chunk) = self.chunk(&mut field).await? {
                room = room
                    .checked_sub(chunk.len())
                    .ok_or(ErrorCode::PayloadTooLarge)?;
                bytes.extend_from_slice(&chunk);
            }
            match field.name() {
                Some("payload_json") => form = Some(parse(&bytes)?),
                // The fields of a form can be parts of their own.
                Some(name) => {
                    let text =
                        String::from_utf8(bytes).map_err(|_| invalid("A part is no UTF-8."))?;
                    fields.insert(name.to_owned(), Value::String(text));
                }
                None => {}
            }
        }
        Ok(MessageBody {
            form: JsonBody::of(form.unwrap_or(Value::Object(fields))),
            files: self.files,
            _place: self.place,
        })
    }

    async fn file(&mut self, mut field: Field<'static>, name: String) -> Answer<()> {
        if self.files.len() >= limits::ATTACHMENTS_PER_MESSAGE {
            return Err(ErrorCode::MaximumAttachments.into());
        }
        if self.place.is_none() {
            let Target {
                by,
                group,
                channel,
                permissions,
            } = self.target;
            let request = Authorize {
                by,
                permissions,
                channel: Some(channel),
            };
            self.app.directory.ask(group, request).await?;
            self.place = Some(self.app.media.place(by)?);
        }
        let number = field.name().and_then(number);
        let is_known = |file: &UploadedFile| file.number.is_some() && file.number == number;
        if self.files.iter().any(is_known) {
            return Err(invalid("Two files have the same number."));
        }
        let mut file = self.app.media.begin().await?;
        while let Some(chunk) = self.chunk(&mut field).await? {
            self.bytes += chunk.len() as u64;
            if self.bytes > self.app.media.max_upload_bytes() {
                return Err(ErrorCode::FileTooLarge.into());
            }
            file.write(&chunk).await?;
        }
        self.files.push(UploadedFile {
            number,
            name,
            file: file.finish().await?,
        });
        Ok(())
    }

    async fn chunk(&self, field: &mut Field<'static>) -> Answer<Option<Bytes>> {
        let chunk = in_time(field.chunk()).await?;
        self.parsing.store(0, Relaxed);
        Ok(chunk)
    }
}

/// The number of a part called `files[n]`.
fn number(name: &str) -> Option<u64> {
    name.strip_prefix("files[")?.strip_suffix(']')?.parse().ok()
}

/// What the parser says, unless nothing comes for too long.
async fn in_time<T>(next: impl Future<Output = multer::Result<T>>) -> Answer<T> {
    let next = tokio::time::timeout(STALLED, next).await;
    let next = next.map_err(|_| invalid("The upload stalled."))?;
    next.map_err(|error| match error {
        multer::Error::StreamSizeExceeded { .. } => ErrorCode::FileTooLarge.into(),
        _ => invalid("The body is no valid multipart form."),
    })
}

fn invalid(message: &str) -> ApiError {
    ApiError::field("", "MULTIPART_INVALID", message)
}

/// A body that goes on being there when its reader gives up.
type Shared = Arc<parking_lot::Mutex<BodyDataStream>>;

/// What is left of a body.
struct Rest {
    body: Shared,
    unparsed: Arc<AtomicUsize>,
}

impl Rest {
    /// Reads what still comes and throws it away, for a while: a client that is cut off while it sends does not see why.
    fn linger(self) {
        let drain = async move {
            let mut body = Paced {
                body: self.body,
                unparsed: Arc::default(),
                has_yielded: false,
            };
            while let Some(Ok(_)) = body.next().await {
                body.unparsed.store(0, Relaxed);
            }
        };
        tokio::spawn(tokio::time::timeout(LINGER, drain));
    }
}

struct Source;

impl Source {
    #[allow(clippy::new_ret_no_self, reason = "both ends of one body")]
    fn new(body: Body) -> (Paced, Rest) {
        let body = Arc::new(parking_lot::Mutex::new(body.into_data_stream()));
        let unparsed = Arc::<AtomicUsize>::default();
        let source = Paced {
            body: Arc::clone(&body),
            unparsed: Arc::clone(&unparsed),
            has_yielded: false,
        };
        (source, Rest { body, unparsed })
    }
}

/// A body as the parser may read it: one chunk at a time, since it takes in whatever is ready; and it ends with an error
/// when the parser takes in a lot without finding anything.
struct Paced {
    body: Shared,
    unparsed: Arc<AtomicUsize>,
    has_yielded: bool,
}

impl Stream for Paced {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.has_yielded) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = self.body.lock().poll_next_unpin(cx);
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            self.has_yielded = true;
            let unparsed = self.unparsed.fetch_add(chunk.len(), Relaxed) + chunk.len();
            if unparsed > UNPARSED {
                let error = std::io::Error::other("too much without a part");
                return Poll::Ready(Some(Err(axum::Error::new(error))));
            }
        }
        polled
    }
}
