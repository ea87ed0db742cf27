//! The forms of messages. They are read from a JSON value, wherever that came from.

use rookery_protocol::client::embed::Embed;
use rookery_protocol::client::message::SUPPRESS_EMBEDS;
use rookery_protocol::document::Nonce;
use rookery_protocol::ids::{MessageId, RoleId, UserId};
use rookery_protocol::{limits, text};
use serde_json::Value;

use crate::http::embeds;
use crate::http::form::{Field, Form};

/// The flag of a message that does not make a sound.
const SUPPRESS_NOTIFICATIONS: u32 = 1 << 12;

/// The form of a new message.
pub(in crate::http) struct MessageForm {
    pub(in crate::http) content: String,
    pub(in crate::http) tts: bool,
    pub(in crate::http) nonce: Option<Nonce>,
    pub(in crate::http) enforce_nonce: bool,
    pub(in crate::http) flags: u32,
    pub(in crate::http) reference: Option<Reference>,
    pub(in crate::http) allowed: Allowed,
    pub(in crate::http) embeds: Vec<Embed>,
}

/// The form of a change of a message; none leaves something as it is.
pub(in crate::http) struct EditForm {
    pub(in crate::http) content: Option<String>,
    pub(in crate::http) flags: Option<u32>,
    pub(in crate::http) allowed: Allowed,
    pub(in crate::http) embeds: Option<Vec<Embed>>,
}

/// The message to be answered.
pub(in crate::http) struct Reference {
    pub(in crate::http) message: MessageId,
    pub(in crate::http) is_required: bool,
}

/// Whom a message may mention.
///
/// Source: <https://discord.com/developers/docs/resources/message#allowed-mentions-object>
pub(in crate::http) struct Allowed {
    users: Names<UserId>,
    roles: Names<RoleId>,
    everyone: bool,
    /// The author of the message it answers.
    pub(in crate::http) replied_user: bool,
}

/// Which of those named in the content.
enum Names<T> {
    All,
    Only(Vec<T>),
}

impl<T: PartialEq> Names<T> {
    fn keep(&self, names: &mut Vec<T>) {
        if let Self::Only(only) = self {
            names.retain(|name| only.contains(name));
        }
    }
}

impl Allowed {
    /// What counts when the form says nothing.
    const ALL: Self = Self {
        users: Names::All,
        roles: Names::All,
        everyone: true,
        replied_user: true,
    };

    /// Users and roles that a content mentions, and whether it mentions everybody.
    pub(in crate::http) fn mentioned(&self, content: &str) -> (Vec<UserId>, Vec<RoleId>, bool) {
        let mut users = text::mentioned_users(content);
        let mut roles = text::mentioned_roles(content);
        self.users.keep(&mut users);
        self.roles.keep(&mut roles);
        let everyone = self.everyone && text::mentions_everyone(content);
        (users, roles, everyone)
    }
}

/// Reads a new message.
pub(in crate::http) fn message(form: &Form<'_>) -> Option<MessageForm> {
    let reference = form.object("message_reference").optional();
    let reference = reference.and_then(|reference| {
        let message = reference.id("message_id").required();
        let is_required = reference.flag("fail_if_not_exists").or(true);
        reference
            .choice("type", "0", |n| (n == 0).then_some(()))
            .optional();
        message.map(|message| Reference {
            message,
            is_required,
        })
    });
    Some(MessageForm {
        content: content(form).or(String::new()),
        tts: form.flag("tts").or(false),
        nonce: form.field("nonce", "NONCE_TYPE_INVALID", nonce).optional(),
        enforce_nonce: form.flag("enforce_nonce").or(false),
        flags: flags(form).unwrap_or(0),
        reference,
        allowed: allowed(form),
        embeds: embeds::read(form).unwrap_or_default(),
    })
}

/// Reads a change of a message.
pub(in crate::http) fn edit(form: &Form<'_>) -> Option<EditForm> {
    Some(EditForm {
        content: content(form).patch().map(Option::unwrap_or_default),
        flags: flags(form),
        allowed: allowed(form),
        embeds: embeds::read(form),
    })
}

/// The flags that a sender may set; the others are left out.
fn flags(form: &Form<'_>) -> Option<u32> {
    let flags = form.integer("flags", 0..=u64::from(u32::MAX)).optional()?;
    let flags = u32::try_from(flags).unwrap_or(0);
    Some(flags & (SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS))
}

fn allowed(form: &Form<'_>) -> Allowed {
    let Some(form) = form.object("allowed_mentions").optional() else {
        return Allowed::ALL;
    };
    let most = limits::MENTIONS_PER_MESSAGE;
    let parse = form.list("parse", most, "BASE_TYPE_CHOICES", |value, _| {
        let kinds = ["users", "roles", "everyone"];
        let kind = kinds.into_iter().find(|kind| value == kind);
        kind.ok_or_else(|| format!("Value must be one of {kinds:?}."))
    });
    let parse = parse.or(Vec::new());
    let users = form.ids("users", most).or(Vec::new());
    let roles = form.ids("roles", most).or(Vec::new());
    Allowed {
        users: names(&form, &parse, "users", users),
        roles: names(&form, &parse, "roles", roles),
        everyone: parse.contains(&"everyone"),
        replied_user: form.flag("replied_user").or(false),
    }
}

/// Either all of a kind, or those listed: both at once contradict each other.
fn names<T>(form: &Form<'_>, parse: &[&str], kind: &str, listed: Vec<T>) -> Names<T> {
    if !parse.contains(&kind) {
        return Names::Only(listed);
    }
    if !listed.is_empty() {
        let code = "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE";
        let message = format!("parse:[\"{kind}\"] and {kind}: [ids...] are mutually exclusive.");
        form.fault("", code, message);
    }
    Names::All
}

/// The content, clean and of an allowed length.
fn content<'a>(form: &Form<'a>) -> Field<'a, String> {
    let field = form.field("content", "STRING_TYPE_CONVERT", |value| match value {
        Value::String(text) => Ok(text::clean_content(text)),
        _ => Err("Could not interpret value as string.".to_owned()),
    });
    field.checked(|errors, path, content| {
        if content.chars().count() > limits::MESSAGE_CHARS {
            let message = format!("Must be {} or fewer in length.", limits::MESSAGE_CHARS);
            errors.add(path, "BASE_TYPE_MAX_LENGTH", message);
        }
    })
}

fn nonce(value: &Value) -> Result<Nonce, String> {
    match value {
        Value::Number(number) => number
            .as_i64()
            .map(Nonce::Number)
            .ok_or_else(|| "Nonce must be an integer or a string.".to_owned()),
        Value::String(text) if text.chars().count() <= limits::NONCE_CHARS => {
            Ok(Nonce::Text(text.clone()))
        }
        Value::String(_) => Err(format!(
            "Must be {} or fewer in length.",
            limits::NONCE_CHARS
        )),
        _ => Err("Nonce must be an integer or a string.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::form;
    use rookery_protocol::command::Answer;
    use serde_json::json;

    const CONTENT: &str = "<@1> <@2> <@&3> <@&4> @everyone";

    fn mentioned(allowed: &Value) -> Answer<(Vec<u64>, Vec<u64>, bool, bool)> {
        let body = json!({ "content": CONTENT, "allowed_mentions": allowed });
        let form = form::read(&body, message)?;
        let (users, roles, everyone) = form.allowed.mentioned(&form.content);
        let users = users.iter().map(|id| id.0).collect();
        let roles = roles.iter().map(|id| id.0).collect();
        Ok((users, roles, everyone, form.allowed.replied_user))
    }

    #[test]
    fn allowed_mentions_are_as_documented() {
        let all = vec!["users", "roles", "everyone"];
        let table = [
            (json!(null), (vec![1, 2], vec![3, 4], true, true)),
            (json!({}), (vec![], vec![], false, false)),
            (json!({ "parse": [] }), (vec![], vec![], false, false)),
            (
                json!({ "parse": all }),
                (vec![1, 2], vec![3, 4], true, false),
            ),
            (
                json!({ "parse": ["users"], "roles": ["4", "9"], "replied_user": true }),
                (vec![1, 2], vec![4], false, true),
            ),
            (
                json!({ "parse": ["everyone"], "users": [2] }),
                (vec![2], vec![], true, false),
            ),
            (
                json!({ "parse": ["users"], "users": [] }),
                (vec![1, 2], vec![], false, false),
            ),
        ];
        for (allowed, wanted) in table {
            assert_eq!(mentioned(&allowed), Ok(wanted), "{allowed}");
        }
    }

    #[test]
    fn allowed_mentions_that_contradict_themselves_are_refused() {
        let many = vec!["1"; 101];
        let table = [
            (json!({ "parse": ["users"], "users": ["1"] }), ""),
            (json!({ "parse": ["roles", "users"], "roles": ["1"] }), ""),
            (json!({ "parse": ["here"] }), ".parse.0"),
            (json!({ "parse": "users" }), ".parse"),
            (json!({ "users": ["x"] }), ".users.0"),
            (json!({ "roles": many }), ".roles"),
            (json!({ "replied_user": 7 }), ".replied_user"),
            (json!([]), ""),
        ];
        for (allowed, path) in table {
            let refusal = mentioned(&allowed).unwrap_err();
            let path = format!("allowed_mentions{path}");
            assert_eq!(refusal.fields[0].path, path, "{allowed}");
        }
    }
}
