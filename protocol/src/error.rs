//! Every code a client can be answered with, and Discord's error shape.
//!
//! Sources: <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>,
//! <https://discord.com/developers/docs/reference#error-messages>

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = ($code:literal, $status:literal, $message:literal)),* $(,)?) => {
        /// A client-visible error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "each variant's message says what it is")]
        pub enum ErrorCode { $($(#[$doc])* $name),* }

        impl ErrorCode {
            /// All codes, for the table test and the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The number in the JSON body's `code`.
            pub fn code(self) -> u32 {
                match self { $(Self::$name => $code),* }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// The sentence in the JSON body's `message`.
            pub fn message(self) -> &'static str {
                match self { $(Self::$name => $message),* }
            }
        }
    };
}

codes! {
    // General answers have code 0 and speak through the status.
    NotFound = (0, 404, "404: Not Found"),
    MethodNotAllowed = (0, 405, "405: Method Not Allowed"),
    Unauthorized = (0, 401, "401: Unauthorized"),
    PayloadTooLarge = (0, 413, "Request entity too large"),
    UnsupportedMediaType = (0, 415, "Content-Type must be application/json"),
    /// An entity's mailbox or the commit queue is full: nothing was done.
    Busy = (0, 503, "The server is overloaded; try again"),
    /// The outcome is unknown: retry with the same nonce.
    Unavailable = (0, 503, "Service temporarily unavailable; the outcome is unknown"),
    Internal = (0, 500, "500: Internal Server Error"),
    RateLimited = (0, 429, "You are being rate limited."),

    UnknownApplication = (10002, 404, "Unknown Application"),
    UnknownChannel = (10003, 404, "Unknown Channel"),
    UnknownGuild = (10004, 404, "Unknown Guild"),
    UnknownInvite = (10006, 404, "Unknown Invite"),
    UnknownMember = (10007, 404, "Unknown Member"),
    UnknownMessage = (10008, 404, "Unknown Message"),
    UnknownRole = (10011, 404, "Unknown Role"),
    UnknownToken = (10012, 404, "Unknown Token"),
    UnknownUser = (10013, 404, "Unknown User"),
    UnknownEmoji = (10014, 400, "Unknown Emoji"),
    UnknownSession = (10020, 404, "Unknown Session"),
    UnknownBan = (10026, 404, "Unknown Ban"),
    UnknownOverwrite = (10009, 404, "Unknown permission overwrite"),

    BotsCannotUse = (20001, 403, "Bots cannot use this endpoint"),
    OnlyBotsCanUse = (20002, 403, "Only bots can use this endpoint"),

    SlowMode = (20016, 429, "This action cannot be performed due to slowmode rate limit"),

    MaximumGuilds = (30001, 400, "Maximum number of guilds reached (200)"),
    MaximumChannels = (30013, 400, "Maximum number of guild channels reached (500)"),
    MaximumRoles = (30005, 400, "Maximum number of guild roles reached (250)"),
    MaximumFriends = (30002, 400, "Maximum number of friends reached (1000)"),
    MaximumPins = (30003, 400, "Maximum number of pins reached (50)"),
    MaximumRecipients = (30004, 400, "Maximum number of recipients reached (10)"),
    MaximumReactions = (30010, 400, "Maximum number of reactions reached (20)"),
    MaximumAttachments = (30015, 400, "Maximum number of attachments in a message reached (10)"),
    MaximumOverwrites = (30060, 400, "Maximum number of permission overwrites reached (500)"),
    MaximumBans = (30035, 400, "Maximum number of bans has been reached"),
    MaximumInvites = (30016, 400, "Maximum number of invites reached (1000)"),
    MaximumApplications = (30023, 400, "Maximum number of applications reached (50)"),
    MaximumMembers = (30019, 400, "Maximum number of server members reached"),

    FileTooLarge = (40005, 413, "Request entity too large. Try sending something smaller in size"),
    BulkBanFailed = (500000, 400, "Failed to ban users"),
    ReactionBlocked = (90001, 403, "Reaction was blocked"),
    CannotFriendSelf = (80007, 403, "You cannot send friend requests to yourself"),
    FriendRequestBlocked = (80001, 403, "Friend request blocked"),
    NoSuchFriend = (80004, 400, "No users with that username exist"),
    BotsHaveNoFriends = (80002, 403, "Bots cannot have friends"),
    AlreadyFriends = (80008, 400, "You are already friends with this user"),
    OwnsGroups = (40011, 400, "You must transfer ownership of any owned guilds before deleting account"),

    MissingAccess = (50001, 403, "Missing Access"),
    CannotEditOthersMessage = (50005, 403, "Cannot edit a message authored by another user"),
    InvalidAccountType = (50002, 403, "Invalid account type"),
    CannotActOnDirect = (50003, 403, "Cannot execute action on a DM channel"),
    CannotMessageUser = (50007, 403, "Cannot send messages to this user"),
    BulkDeleteCount = (50016, 400, "Provided too few or too many messages to delete. Must provide at least 2 and fewer than 100 messages to delete"),
    PinElsewhere = (50019, 403, "A message can only be pinned to the channel it was sent in"),
    InvalidRecipients = (50033, 400, "Invalid Recipient(s)"),
    TooOldToBulkDelete = (50034, 400, "A message provided was too old to bulk delete"),
    InvalidRole = (50028, 400, "Invalid role"),
    InvalidFile = (50046, 400, "Invalid file uploaded"),
    ImageTooLarge = (50045, 400, "File uploaded exceeds the maximum size"),
    EmptyMessage = (50006, 400, "Cannot send an empty message"),
    NonTextChannel = (50008, 400, "Cannot send messages in a non-text channel"),
    MissingPermissions = (50013, 403, "You lack permissions to perform that action"),
    SystemMessage = (50021, 403, "Cannot execute action on a system message"),
    InvalidToken = (50014, 401, "Invalid authentication token provided"),
    InvalidAction = (50024, 400, "Cannot execute action on this channel type"),
    CannotRemoveOwner = (50055, 400, "The owner of a guild cannot be removed or leave it"),
    InvalidFormBody = (50035, 400, "Invalid Form Body"),
    InviteAcceptedElsewhere = (50036, 400, "An invite was accepted to a guild the application's bot is not in"),
    InvalidApiVersion = (50041, 400, "Invalid API version provided"),
    BannedFromGuild = (40007, 403, "The user is banned from this guild"),
    RegistrationClosed = (40001, 403, "Registration is closed on this server"),
    InvalidJson = (50109, 400, "The request body contains invalid JSON."),
    NotInVoice = (40032, 400, "Target user is not connected to voice."),
    VoiceFull = (0, 403, "The voice channel is full"),
    /// An operator has locked the account.
    Suspended = (20013, 403, "This account is disabled"),
    BotsCannotOwn = (50132, 400, "Ownership cannot be transferred to a bot user"),
}

/// One fault of one field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where: keys joined with dots, array indexes as numbers; empty for the form as a whole.
    pub path: String,
    /// Discord's code for the fault, e.g. `BASE_TYPE_BAD_LENGTH`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// A refusal as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}", .code.message())]
pub struct ApiError {
    /// What is refused.
    pub code: ErrorCode,
    /// The faulty fields, of [`ErrorCode::InvalidFormBody`] only.
    pub fields: Vec<FieldError>,
    /// Milliseconds until it may be tried again, of [`ErrorCode::SlowMode`] only.
    #[serde(default)]
    pub retry_after_ms: Option<u64>,
    /// What the log calls this fault, of [`ErrorCode::Internal`] only.
    #[serde(default)]
    pub incident: Option<String>,
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            fields: Vec::new(),
            retry_after_ms: None,
            incident: None,
        }
    }
}

impl ApiError {
    /// A form with one faulty field.
    pub fn field(
        path: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let field = FieldError {
            path: path.into(),
            code: code.into(),
            message: message.into(),
        };
        Self {
            fields: vec![field],
            ..ErrorCode::InvalidFormBody.into()
        }
    }

    /// `Internal`, with the name that the log has for what went wrong.
    pub fn incident(name: impl Into<String>) -> Self {
        Self {
            incident: Some(name.into()),
            ..ErrorCode::Internal.into()
        }
    }

    /// `SlowMode` for so many milliseconds more.
    pub fn slow_mode(retry_after_ms: u64) -> Self {
        Self {
            retry_after_ms: Some(retry_after_ms),
            ..ErrorCode::SlowMode.into()
        }
    }

    /// The JSON body: `{code, message, errors: {field: {_errors: [{code, message}]}}}`; with `retry_after` in seconds.
    pub fn body(&self) -> Value {
        let mut body = json!({ "code": self.code.code(), "message": self.code.message() });
        if let Some(incident) = &self.incident {
            let message = self.code.message();
            body["message"] = format!("{message} (incident {incident})").into();
        }
        if !self.fields.is_empty() {
            let mut errors = Map::new();
            for field in &self.fields {
                let path = if field.path.is_empty() {
                    None
                } else {
                    Some(field.path.as_str())
                };
                insert(&mut errors, path, field);
            }
            body["errors"] = Value::Object(errors);
        }
        if let Some(ms) = self.retry_after_ms {
            #[allow(
                clippy::cast_precision_loss,
                reason = "hours in milliseconds fit in 53 bits"
            )]
            let ms = ms as f64;
            body["retry_after"] = (ms / 1_000.0).into();
        }
        body
    }
}

/// Puts a fault under the keys of `path`; without one it is the form's own.
fn insert(node: &mut Map<String, Value>, path: Option<&str>, fault: &FieldError) {
    if let Some(path) = path {
        let (key, rest) = path
            .split_once('.')
            .map_or((path, None), |(key, rest)| (key, Some(rest)));
        let child = node.entry(key).or_insert_with(|| Value::Object(Map::new()));
        // Always an object: only `_errors` holds a list, and no field is called so.
        if let Value::Object(child) = child {
            insert(child, rest, fault);
        }
        return;
    }
    let list = node
        .entry("_errors")
        .or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.push(json!({ "code": fault.code, "message": fault.message }));
    }
}

/// Collects the faults of a form, so that a client sees all of them at once.
#[derive(Debug, Default)]
pub struct FormErrors(Vec<FieldError>);

impl FormErrors {
    /// Adds a fault.
    pub fn add(&mut self, path: &str, code: &str, message: impl Into<String>) {
        self.0.push(FieldError {
            path: path.to_owned(),
            code: code.to_owned(),
            message: message.into(),
        });
    }

    /// Whether there is no fault so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `BASE_TYPE_BAD_LENGTH` unless `chars` lies in `range`.
    pub fn check_length(
        &mut self,
        path: &str,
        chars: usize,
        range: std::ops::RangeInclusive<usize>,
    ) {
        if !range.contains(&chars) {
            let (low, high) = (range.start(), range.end());
            self.add(
                path,
                "BASE_TYPE_BAD_LENGTH",
                format!("Must be between {low} and {high} in length."),
            );
        }
    }

    /// `NUMBER_TYPE_MIN`/`NUMBER_TYPE_MAX` unless `value` lies in `range`.
    pub fn check_number(&mut self, path: &str, value: u64, range: std::ops::RangeInclusive<u64>) {
        if value < *range.start() {
            let low = range.start();
            self.add(
                path,
                "NUMBER_TYPE_MIN",
                format!("int value should be greater than or equal to {low}."),
            );
        } else if value > *range.end() {
            let high = range.end();
            self.add(
                path,
                "NUMBER_TYPE_MAX",
                format!("int value should be less than or equal to {high}."),
            );
        }
    }

    /// The refusal, if there is any fault.
    pub fn finish(self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ApiError {
                fields: self.0,
                ..ErrorCode::InvalidFormBody.into()
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_error_names_the_path_of_its_field() {
        let mut errors = FormErrors::default();
        errors.check_length("channels.0.name", 0, 1..=100);
        errors.add("channels", "BASE_TYPE_BAD_LENGTH", "too many");
        let body = errors.finish().unwrap_err().body();
        assert_eq!(body["code"], 50035);
        assert_eq!(
            body["errors"]["channels"]["0"]["name"]["_errors"][0]["code"],
            "BASE_TYPE_BAD_LENGTH"
        );
        assert_eq!(
            body["errors"]["channels"]["_errors"][0]["message"],
            "too many"
        );
    }

    #[test]
    fn an_incident_is_named_in_the_message() {
        let body = ApiError::incident("2Xy").body();
        assert_eq!(
            (&body["code"], &body["message"]),
            (
                &json!(0),
                &json!("500: Internal Server Error (incident 2Xy)")
            )
        );
    }

    #[test]
    fn slow_mode_says_in_seconds_when_it_ends() {
        let body = ApiError::slow_mode(1_500).body();
        assert_eq!(
            (&body["code"], &body["retry_after"]),
            (&json!(20016), &json!(1.5))
        );
    }

    #[test]
    fn a_fault_of_the_form_as_a_whole_has_no_key() {
        let body = ApiError::field("", "DICT_TYPE_CONVERT", "no object").body();
        assert_eq!(body["errors"]["_errors"][0]["code"], "DICT_TYPE_CONVERT");
    }
}
