//! The files of messages: which message each belongs to. Their bytes are the node's; a file that no row of
//! [`Attachments`] names is garbage there.

use rookery_protocol::command::Answer;
use rookery_protocol::document::{Attachment, AttachmentOwner, Attachments, Key, MessageRow};
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::ids::AttachmentId;
use rookery_protocol::limits;
use rookery_protocol::permissions::Permissions;
use rookery_protocol::time::Millis;

use super::{Live, Turn};

/// Writes that files belong to a message.
pub(super) fn claim_files(turn: &mut Turn<'_>, row: &MessageRow, files: &[Attachment]) {
    let message = row.id;
    for file in files {
        turn.put::<Attachments>(Key::new(row.channel, file.id), &AttachmentOwner { message });
    }
}

/// Deletes the rows of a message's files, with the message; answers which files are garbage now.
pub(super) fn forget_files(turn: &mut Turn<'_>, row: &MessageRow) -> Vec<AttachmentId> {
    let files = row.attachments.iter().map(|file| file.id);
    let files: Vec<AttachmentId> = files.collect();
    for &file in &files {
        turn.delete::<Attachments>(Key::new(row.channel, file));
    }
    files
}

/// What an edit changes of a message's files.
#[derive(Debug)]
pub(super) struct Changed {
    gone: Vec<AttachmentId>,
    added: Vec<Attachment>,
}

impl Changed {
    /// Writes it.
    pub(super) fn write(&self, turn: &mut Turn<'_>, row: &MessageRow) {
        for &file in &self.gone {
            turn.delete::<Attachments>(Key::new(row.channel, file));
        }
        claim_files(turn, row, &self.added);
    }
}

impl Live {
    /// Leaves a message only the files of `keep`, if that is there, and adds others (ATTACH_FILES).
    pub(super) fn edit_files(
        &self,
        now: Millis,
        row: &mut MessageRow,
        keep: Option<Vec<AttachmentId>>,
        added: Vec<Attachment>,
    ) -> Answer<Changed> {
        let mut gone = Vec::new();
        if let Some(keep) = keep {
            if keep
                .iter()
                .any(|id| row.attachments.iter().all(|file| file.id != *id))
            {
                let message = "This attachment is not of this message";
                return Err(ApiError::field(
                    "attachments",
                    "ATTACHMENT_NOT_FOUND",
                    message,
                ));
            }
            row.attachments.retain(|file| {
                let stays = keep.contains(&file.id);
                if !stays {
                    gone.push(file.id);
                }
                stays
            });
        }
        if !added.is_empty() {
            let seat = self.seat(now, row.author, row.channel)?;
            seat.require(Permissions::ATTACH_FILES)?;
            row.attachments.extend(added.iter().cloned());
            if row.attachments.len() > limits::ATTACHMENTS_PER_MESSAGE {
                return Err(ErrorCode::MaximumAttachments.into());
            }
        }
        if row.content.is_empty() && row.embeds.is_empty() && row.attachments.is_empty() {
            return Err(ErrorCode::EmptyMessage.into());
        }
        Ok(Changed { gone, added })
    }
}
