//! Every numeric limit of Rookery, in one file. Sizes are bytes unless the name says otherwise.
//!
//! Where a limit is Discord's, clients rely on it; the others bound what a node holds for somebody else.

// --- accounts -------------------------------------------------------------------------------------------------

/// Length of a username in characters.
pub const USERNAME_CHARS: std::ops::RangeInclusive<usize> = 2..=32;
/// Length of a display name (and of a nickname) in characters.
pub const DISPLAY_NAME_CHARS: std::ops::RangeInclusive<usize> = 1..=32;
/// Length of a password in bytes; the upper end bounds the work of hashing.
pub const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 8..=128;
/// Length of an e-mail address in bytes (RFC 5321).
pub const EMAIL_BYTES: std::ops::RangeInclusive<usize> = 3..=254;
/// Logins an account keeps; the one used longest ago makes room.
pub const LOGINS_PER_USER: usize = 50;
/// Applications (bots) a user may own.
pub const APPLICATIONS_PER_USER: usize = 50;
/// Length of an application's description in characters.
pub const APPLICATION_DESCRIPTION_CHARS: std::ops::RangeInclusive<usize> = 0..=400;
/// Groups of a bot for each shard that it is advised to run.
pub const GROUPS_PER_SHARD: usize = 1_000;
/// Seconds an access token is valid.
pub const ACCESS_TOKEN_SECONDS: u64 = 15 * 60;
/// Seconds an unused refresh token is valid.
pub const REFRESH_TOKEN_SECONDS: u64 = 60 * 24 * 3600;
/// The longest `Authorization` value looked at.
pub const TOKEN_BYTES: usize = 1_024;

// --- groups ---------------------------------------------------------------------------------------------------

/// Groups a user may be in.
pub const GROUPS_PER_USER: usize = 200;
/// Groups a bot may be in: as many as Discord lets one shard have.
pub const GROUPS_PER_BOT: usize = 2_500;
/// Length of a group's name in characters.
pub const GROUP_NAME_CHARS: std::ops::RangeInclusive<usize> = 2..=100;
/// Length of a group's description in characters.
pub const GROUP_DESCRIPTION_CHARS: std::ops::RangeInclusive<usize> = 0..=300;
/// Members of a group.
pub const MEMBERS_PER_GROUP: usize = 500_000;
/// Above this many members a group is "large": its GUILD_CREATE carries only the member himself.
pub const LARGE_GROUP_MEMBERS: usize = 250;
/// Channels of a group.
pub const CHANNELS_PER_GROUP: usize = 500;
/// Length of a channel's name in characters.
pub const CHANNEL_NAME_CHARS: std::ops::RangeInclusive<usize> = 1..=100;
/// Length of a channel's topic in characters.
pub const CHANNEL_TOPIC_CHARS: std::ops::RangeInclusive<usize> = 0..=1_024;
/// Roles of a group, `@everyone` included.
pub const ROLES_PER_GROUP: usize = 250;
/// Invites of a group.
pub const INVITES_PER_GROUP: usize = 1_000;
/// Characters of an invite code.
pub const INVITE_CODE_CHARS: usize = 10;
/// The longest life of an invite in seconds (0 is for ever).
pub const INVITE_MAX_AGE_SECONDS: u64 = 604_800;
/// The largest number of uses of an invite (0 is unlimited).
pub const INVITE_MAX_USES: u64 = 100;
/// Members in one page of a listing.
pub const MEMBERS_PAGE: std::ops::RangeInclusive<usize> = 1..=1_000;

/// Length of a role's name in characters.
pub const ROLE_NAME_CHARS: std::ops::RangeInclusive<usize> = 1..=100;
/// Overwrites of a channel.
pub const OVERWRITES_PER_CHANNEL: usize = 500;
/// Bans of a group; it knows their ids by heart (8 bytes each).
pub const BANS_PER_GROUP: usize = 100_000;
/// Bans in one page of a listing.
pub const BANS_PAGE: std::ops::RangeInclusive<usize> = 1..=1_000;
/// The longest timeout of a member, in milliseconds: 28 days.
pub const TIMEOUT_MS: u64 = 28 * 24 * 3_600 * 1_000;
/// Users that one request may ban.
pub const BULK_BAN: std::ops::RangeInclusive<usize> = 1..=200;
/// How far back a ban deletes messages, in seconds: 7 days.
pub const BAN_DELETE_SECONDS: u64 = 7 * 24 * 3_600;
/// How long an entry of an audit log is kept, in milliseconds: 45 days.
pub const AUDIT_MS: u64 = 45 * 24 * 3_600 * 1_000;
/// Entries in one page of an audit log.
pub const AUDIT_PAGE: std::ops::RangeInclusive<usize> = 1..=100;
/// Entries of an audit log that a filtered page looks at.
pub const AUDIT_SCAN: usize = 10_000;
/// Members in one answer to a search.
pub const MEMBER_SEARCH_PAGE: std::ops::RangeInclusive<usize> = 1..=1_000;
/// Members in one GUILD_MEMBERS_CHUNK.
pub const MEMBERS_CHUNK: usize = 1_000;
/// Users that one opcode 8 may name.
pub const MEMBERS_REQUEST_USERS: usize = 100;
/// Members online above which a group's presences go only to who looks at a range of its member list.
pub const PRESENCE_GROUP_ONLINE: usize = 1_000;
/// Members above which GUILD_CREATE carries nobody but the member himself, as with Discord: libraries ask for what they
/// need.
pub const GUILD_CREATE_MEMBERS: usize = 75_000;
/// Members online that the GUILD_CREATE of a large group carries.
pub const GUILD_CREATE_ONLINE: usize = 1_000;
/// Presences that a session may set in [`PRESENCE_WINDOW_MS`]; what is more is not taken.
pub const PRESENCE_UPDATES: u32 = 5;
/// The window of [`PRESENCE_UPDATES`], in milliseconds.
pub const PRESENCE_WINDOW_MS: u64 = 20_000;
/// Length of an activity's name in characters.
pub const ACTIVITY_CHARS: std::ops::RangeInclusive<usize> = 1..=128;
/// Requests for members of a session that wait; what is more is answered with RATE_LIMITED.
pub const MEMBERS_REQUESTS: usize = 16;
/// Milliseconds until a session may ask for all members of the same group again.
pub const MEMBERS_REQUEST_ALL_MS: u64 = 30_000;
/// Members that a request for a name answers at most.
pub const MEMBERS_REQUEST_QUERY: u64 = 100;
/// Bytes of a request's nonce; a longer one is left out, as with Discord.
pub const MEMBERS_REQUEST_NONCE: usize = 32;
/// Length of a custom status in characters.
pub const CUSTOM_STATUS_CHARS: usize = 128;
/// Activities of a presence.
pub const ACTIVITIES: usize = 5;
/// Rows of one range of a member list, and ranges of one session.
pub const MEMBER_LIST_RANGE: u32 = 100;
/// Ranges of a member list that a session looks at.
pub const MEMBER_LIST_RANGES: usize = 5;

// --- friends and direct channels ------------------------------------------------------------------------------

/// Relationships and open direct channels of a user: with so many he gets no new one.
pub const DIRECTS_PER_USER: usize = 1_000;
/// The same with the users he blocks, which he may do when he has no room for anything else.
pub const DIRECT_ROWS_PER_USER: usize = 2 * DIRECTS_PER_USER;
/// People in a direct channel of more than two.
pub const RECIPIENTS_PER_DIRECT: usize = 10;
/// Length of the name of a direct channel of more than two, in characters.
pub const DIRECT_NAME_CHARS: std::ops::RangeInclusive<usize> = 1..=100;

// --- messages -------------------------------------------------------------------------------------------------

/// Length of a message's content in characters.
pub const MESSAGE_CHARS: usize = 2_000;
/// Messages in one page of a history.
pub const MESSAGES_PAGE: std::ops::RangeInclusive<usize> = 1..=100;
/// Length of a message nonce in characters.
pub const NONCE_CHARS: usize = 25;
/// How long a nonce is remembered, in milliseconds.
pub const NONCE_MS: u64 = 10 * 60 * 1_000;
/// Nonces remembered per group.
pub const NONCES_PER_GROUP: usize = 10_000;
/// Mentions of users, and of roles, that one message resolves.
pub const MENTIONS_PER_MESSAGE: usize = 100;
/// Pins of a channel.
pub const PINS_PER_CHANNEL: usize = 50;
/// Pins in one page of a channel's.
pub const PINS_PAGE: std::ops::RangeInclusive<usize> = 1..=50;
/// Bytes of an emoji in a path; the longest there are have fewer.
pub const EMOJI_BYTES: usize = 64;
/// Different reactions to a message.
pub const REACTIONS_PER_MESSAGE: usize = 20;
/// Users in one page of those who reacted.
pub const REACTIONS_PAGE: std::ops::RangeInclusive<usize> = 1..=100;
/// Messages of one bulk deletion.
pub const BULK_DELETE: std::ops::RangeInclusive<usize> = 2..=100;
/// The oldest message that a bulk deletion takes, in milliseconds: 14 days.
pub const BULK_DELETE_MS: u64 = 14 * 24 * 3_600 * 1_000;
/// Embeds of a message.
pub const EMBEDS_PER_MESSAGE: usize = 10;
/// Characters of all embeds of a message together.
pub const EMBED_CHARS: usize = 6_000;
/// Characters of an embed's title, and of the names of its author and fields.
pub const EMBED_NAME_CHARS: usize = 256;
/// Characters of an embed's description.
pub const EMBED_DESCRIPTION_CHARS: usize = 4_096;
/// Characters of the value of an embed's field.
pub const EMBED_VALUE_CHARS: usize = 1_024;
/// Characters of an embed's footer.
pub const EMBED_FOOTER_CHARS: usize = 2_048;
/// Fields of an embed.
pub const EMBED_FIELDS: usize = 25;
/// Bytes of a URL.
pub const URL_BYTES: usize = 2_048;
/// Unread mentions that a user's account remembers; the oldest makes room.
pub const MENTIONS_PER_USER: usize = 250;
/// Unread mentions in one page.
pub const MENTIONS_PAGE: std::ops::RangeInclusive<usize> = 1..=100;
/// Channels whose read state a user keeps; the one read longest ago makes room.
pub const READ_STATES_PER_USER: usize = 10_000;
/// Authors whose last message a group remembers for its channels in slow mode.
pub const SLOW_AUTHORS_PER_GROUP: usize = 10_000;

/// Messages a group keeps in memory for edits and deletions.
pub const RECENT_MESSAGES_PER_GROUP: usize = 256;
/// Reactions a group keeps in memory, to know who reacted already.
pub const RECENT_REACTIONS_PER_GROUP: usize = 1_024;
/// Rows that commands of a group wait for; above it callers are answered busy.
pub const WAITING_PER_GROUP: usize = 256;

// --- files ----------------------------------------------------------------------------------------------------

/// Files of a message.
pub const ATTACHMENTS_PER_MESSAGE: usize = 10;
/// Bytes of one file, and of all files of a message: what `[media] max_upload_bytes` may be at most and is by default.
pub const UPLOAD_BYTES: u64 = 100 * 1_024 * 1_024;
/// Characters of a file's name.
pub const FILENAME_CHARS: usize = 260;
/// Characters of a file's description.
pub const FILE_DESCRIPTION_CHARS: usize = 1_024;
/// Seconds an upload may take.
pub const UPLOAD_SECONDS: u64 = 15 * 60;
/// Uploads under way at the same time on a node.
pub const UPLOADS: usize = 64;
/// Seconds the URL of a file is valid.
pub const FILE_URL_SECONDS: u64 = 24 * 3_600;
/// Bytes of an avatar or icon as it comes.
pub const IMAGE_BYTES: usize = 8 * 1_024 * 1_024;
/// Pixels of an avatar or icon as it comes, in each direction.
pub const IMAGE_PIXELS: u32 = 8_192;
/// Pixels of an avatar or icon as it is kept, in each direction.
pub const IMAGE_KEPT_PIXELS: u32 = 512;

// --- event log ------------------------------------------------------------------------------------------------

/// Events a group keeps for those who missed some.
pub const EVENTS_PER_ENTITY: u64 = 10_000;
/// How long an event is kept, in milliseconds; the newest is always kept.
pub const EVENT_MS: u64 = 10 * 60 * 1_000;

// --- HTTP -----------------------------------------------------------------------------------------------------

/// Body of an HTTP request.
pub const BODY_BYTES: usize = 256 * 1_024;
/// Nesting of a JSON text.
pub const JSON_DEPTH: usize = 32;
/// Seconds a client may take to send a request's head, and that a kept-alive connection may idle: longer than the 60 s for
/// which proxies keep theirs, so that none writes a request into a connection that is being closed.
pub const HEAD_SECONDS: u64 = 75;
/// Seconds a client may take for the TLS handshake.
pub const TLS_HANDSHAKE_SECONDS: u64 = 10;
/// Seconds a request may take as a whole.
pub const REQUEST_SECONDS: u64 = 15;
/// Length of an audit log reason in characters.
pub const REASON_CHARS: usize = 512;

// --- gateway --------------------------------------------------------------------------------------------------

/// A frame from a client.
pub const GATEWAY_FRAME_BYTES: usize = 4_096;
/// Frames from a client in [`GATEWAY_WINDOW_MS`].
pub const GATEWAY_FRAMES: u32 = 120;
/// The window of [`GATEWAY_FRAMES`], in milliseconds.
pub const GATEWAY_WINDOW_MS: u64 = 60_000;
/// Milliseconds between heartbeats that HELLO asks for.
pub const HEARTBEAT_MS: u64 = 41_250;
/// Milliseconds without a frame after which a socket is closed with 4009.
pub const HEARTBEAT_DEADLINE_MS: u64 = HEARTBEAT_MS * 2;
/// Milliseconds from the handshake to IDENTIFY or RESUME.
pub const IDENTIFY_DEADLINE_MS: u64 = 30_000;
/// Milliseconds a session without a socket can be resumed, and that the replay log reaches back.
pub const RESUME_MS: u64 = 120_000;
/// Bytes of shared event bodies a lane's replay log holds.
pub const REPLAY_LOG_BYTES: usize = 64 * 1_024 * 1_024;
/// Unsent bytes of a session after which its socket is closed resumably.
pub const OUTBOX_BYTES: usize = 1_024 * 1_024;
/// Sessions of one user on a node; the oldest is closed to make room.
pub const SESSIONS_PER_USER: usize = 50;
/// Identifies a user may do in 24 hours (`session_start_limit`).
pub const IDENTIFIES_PER_DAY: u32 = 1_000;
/// Messages that wait in a lane's inbox.
pub const LANE_INBOX: usize = 8_192;

// --- entities -------------------------------------------------------------------------------------------------

/// Messages that wait for one entity; above it callers are answered busy.
pub const MAILBOX: u64 = 1_024;
/// Milliseconds a caller waits for an entity.
pub const ASK_MS: u64 = 5_000;
/// Milliseconds without a message after which a user is passivated. Short: loading one is a read of a few rows, and
/// what people do in groups does not touch it.
pub const USER_IDLE_MS: u64 = 60_000;
/// Milliseconds without a message after which a group is passivated; a large one takes a while to load.
pub const GROUP_IDLE_MS: u64 = 5 * 60 * 1_000;
/// Units in one commit.
pub const COMMIT_UNITS: usize = 512;
/// Units that wait for the commit lane; above it entities are answered busy.
pub const COMMIT_QUEUE: usize = 16_384;
/// Milliseconds before a commit of unknown outcome is repeated; doubles up to [`COMMIT_RETRY_MAX_MS`].
pub const COMMIT_RETRY_FIRST_MS: u64 = 10;
/// The longest pause before a commit of unknown outcome is repeated, in milliseconds.
pub const COMMIT_RETRY_MAX_MS: u64 = 1_000;
/// Pages of the embedded store held in memory; what is beyond comes from the page cache of the operating system.
pub const STORE_CACHE_BYTES: usize = 32 * 1_024 * 1_024;
