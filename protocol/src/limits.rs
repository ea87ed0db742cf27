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
/// People who left a group and of whom it keeps that they were timed out, muted or deafened; who left first is forgotten.
pub const SANCTIONS_PER_GROUP: usize = 1_000;
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
/// Milliseconds after which an entity whose rows cannot be read is loaded anew.
pub const SPOILED_MS: u64 = 10_000;

/// Commands of other nodes that an entity remembers to have done; above it they are answered busy.
pub const REQUESTS_PER_ENTITY: usize = 16_384;
/// How long it remembers one at least, in milliseconds: longer than anybody repeats a request.
pub const REQUEST_MS: u64 = 2 * REQUEST_SECONDS * 1_000;
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
/// Bytes of one row; a unit with a larger one is refused. MongoDB's documents hold 16 MiB, key and all.
pub const ROW_BYTES: usize = 15 * 1_024 * 1_024;
/// Bytes of rows in one command to MongoDB, whose commands are documents too; a row above it has one of its own.
pub const STORE_COMMAND_BYTES: usize = 12 * 1_024 * 1_024;
/// Writes in one command to MongoDB, which takes 100,000.
pub const STORE_COMMAND_WRITES: usize = 10_000;
/// Milliseconds a call of the store in another process may take; then its outcome is unknown.
pub const STORE_CALL_MS: u64 = 5_000;
/// Milliseconds to find a server of the store that can be used, and to connect to one; within [`STORE_CALL_MS`], so that
/// the reason is known when it ends.
pub const STORE_SELECT_MS: u64 = 4_000;
/// Milliseconds between looks at each server of the store; changes are heard of at once.
pub const STORE_HEARTBEAT_MS: u64 = 2_000;
/// Connections of a node to each server of the store.
pub const STORE_CONNECTIONS: u32 = 64;
/// Times a commit that met another's is tried within one call.
pub const STORE_COMMIT_TRIES: u32 = 4;
/// The longest pause between two tries of a transaction that met another's, in milliseconds.
pub const STORE_CONFLICT_PAUSE_MS: u64 = 64;
/// Milliseconds a transaction may stand open, with nobody at work on it, before who is held up by it ends it: they take a
/// few, so its client is dead, stopped or cut off.
pub const STORE_ORPHAN_MS: u64 = 1_000;
/// Milliseconds a write of a lane's document waits at first for a transaction that holds it; doubles.
pub const STORE_SEIZE_MS: u64 = 50;

// --- voice channels -------------------------------------------------------------------------------------------

/// People in a voice channel, whatever its own limit.
pub const ROOM_PEOPLE: usize = 500;
/// People in all voice channels of a group.
pub const VOICE_STATES_PER_GROUP: usize = 1_000;
/// Milliseconds after which who is in a voice channel but not in its room is taken out of it.
pub const VOICE_ABSENT_MS: u64 = 30_000;
/// Voice states (opcode 4) of a session that wait.
pub const VOICE_FORMS: usize = 16;
/// Milliseconds between two questions of a room to its group.
pub const ROOM_BEAT_MS: u64 = 2_000;
/// Milliseconds after which a question of a room to its group counts as lost and is asked again: longer than an answer can
/// take, shorter than [`VOICE_ABSENT_MS`].
pub const ROOM_ANSWER_MS: u64 = 4 * ASK_MS;
/// Milliseconds between two looks of a node for rooms whose node is gone.
pub const ROOM_WATCH_MS: u64 = 1_000;
/// Milliseconds between two looks of a room at its clients.
pub const ROOM_LOOK_MS: u64 = 500;
/// Messages that wait for a room; above it, what comes is dropped and the client closed. Answers to what the room asked, and
/// ends, are taken all the same.
pub const ROOM_MAILBOX: u64 = 8_192;
/// Rooms of a node.
pub const ROOMS: usize = 4_096;
/// Milliseconds for which a client that lost its voice socket keeps its place while its media goes on.
pub const VOICE_RESUME_MS: u64 = 60_000;
/// The same when its media does not go on either.
pub const VOICE_LOST_MS: u64 = 10_000;
/// Bytes of a frame from a client on the voice socket: an offer, whose line ends JSON writes as two characters.
pub const VOICE_FRAME_BYTES: usize = OFFER_BYTES + 32 * 1_024;
/// Frames to a client that wait for its voice socket; above it, it is closed and may resume.
pub const VOICE_FRAMES_QUEUED: usize = 256;
/// Frames from a client on the voice socket within [`VOICE_WINDOW_MS`].
pub const VOICE_FRAMES: u32 = 240;
/// The window of [`VOICE_FRAMES`], in milliseconds.
pub const VOICE_WINDOW_MS: u64 = 60_000;
/// Milliseconds between two heartbeats of a voice socket.
pub const VOICE_HEARTBEAT_MS: u64 = 13_750;
/// Milliseconds without any frame after which a voice socket is closed.
pub const VOICE_SILENCE_MS: u64 = 41_250;
/// Milliseconds that a voice socket has for its first frame.
pub const VOICE_IDENTIFY_MS: u64 = 10_000;
/// Streams that a client may want at once.
pub const VOICE_WANTS: usize = 64;
/// Seconds that TURN credentials are good for.
pub const TURN_SECONDS: u64 = 12 * 60 * 60;

// --- backups --------------------------------------------------------------------------------------------------

/// The body of one record of a backup: the largest row that any store takes (16 MiB), and its key.
pub const ARCHIVE_RECORD_BYTES: usize = 17 * 1_024 * 1_024;
/// Bytes of a file in one record of a backup.
pub const ARCHIVE_CHUNK_BYTES: usize = 256 * 1_024;
/// The longest path of a file in a backup.
pub const ARCHIVE_PATH_BYTES: usize = 1_024;
/// Milliseconds that whoever takes a backup from a node may take nothing of it; then it is cut, since the store keeps old pages
/// for as long as it is under way.
pub const ARCHIVE_STALL_MS: u64 = 60_000;
/// Rows read at once when a whole store is walked.
pub const WALK_PAGE: usize = 512;
/// Rows of one commit of a restore.
pub const RESTORE_ROWS: usize = 2_000;
/// Bytes of rows after which a restore commits.
pub const RESTORE_BYTES: usize = 4 * 1_024 * 1_024;

// --- ownership ------------------------------------------------------------------------------------------------

/// Virtual shards that entities are spread over. Part of what is stored: it never changes.
pub const SHARDS: u16 = 4_096;
/// Shards claimed in one transaction.
pub const SHARD_WAVE: usize = 256;
/// Shards on their way from a node to others at the same time: what is asked of them waits for as long as they take together.
pub const SHARDS_LEAVING: usize = 24;
/// Milliseconds between two looks at who owns what while nothing moves.
pub const SHARD_SCAN_MS: u64 = 30_000;
/// Nodes of a cluster.
pub const CLUSTER_NODES: usize = 64;
/// Questions to other nodes that are open at a time, and questions of others that are under way.
pub const REMOTE_CALLS: usize = 16_384;
/// Commit lanes of a node. A second one only when a measurement asks for it.
pub const LANES_PER_NODE: u16 = 1;
/// Milliseconds between two renewals of a lease.
pub const RENEW_MS: u64 = 1_000;
/// Milliseconds that a lease holds, counted from the start of the last renewal that was acknowledged.
pub const LEASE_MS: u64 = 5_000;
/// Milliseconds that another's lease must stand still before it is condemned. The difference to [`LEASE_MS`] is what the
/// clocks of two machines may disagree on: both run within 5 % of true.
pub const CONDEMN_MS: u64 = 6_000;
/// The longest pause between two of my renewals that counts as time in which the store answered.
pub const CONDEMN_STEP_MS: u64 = 2_000;
/// Milliseconds after which a report of a refused connection is void.
pub const REFUSED_MS: u64 = 5_000;
/// Milliseconds that the link of two live nodes may be cut before the younger one is evicted.
pub const LINK_CUT_MS: u64 = 10_000;
/// Milliseconds after which a call of the store by the rules of ownership counts as unknown.
pub const OWNERSHIP_CALL_MS: u64 = 2_000;
/// Milliseconds before such a call is made again.
pub const STORE_PAUSE_MS: u64 = 250;
/// Milliseconds that ids are reserved ahead.
pub const ID_RESERVE_MS: u64 = 10_000;

// --- links between nodes --------------------------------------------------------------------------------------

/// Envelopes in one frame of a link.
pub const LINK_FRAME_ENVELOPES: usize = 256;
/// Bytes of a frame with more than one envelope.
pub const LINK_FRAME_BYTES: usize = 256 * 1_024;
/// Bytes of one envelope; one above [`LINK_FRAME_BYTES`] has a frame of its own. A picture of a group with its members
/// and channels at their limits is the largest.
pub const ENVELOPE_BYTES: usize = 8 * 1_024 * 1_024;
/// Bytes for one peer that are queued or not acknowledged by it; above it what must arrive is refused, above half of it what
/// may be lost is dropped.
pub const LINK_BUDGET_BYTES: usize = 16 * 1_024 * 1_024;
/// Bytes that are on their way to a peer without an acknowledgement; the rest waits in the queue.
pub const LINK_WINDOW_BYTES: usize = 4 * 1_024 * 1_024;
/// Frames that are on their way to a peer without an acknowledgement.
pub const LINK_WINDOW_FRAMES: usize = 1_024;
/// Frames taken from a peer after which they are acknowledged even if nothing else is sent to it.
pub const LINK_ACK_FRAMES: usize = 256;
/// Bytes taken from a peer after which they are acknowledged even if nothing else is sent to it.
pub const LINK_ACK_BYTES: usize = 256 * 1_024;
/// Milliseconds between two looks at a link: whether something is to be acknowledged, and whether it still lives.
pub const LINK_TICK_MS: u64 = 200;
/// Milliseconds without a frame to a peer after which an empty one is sent.
pub const LINK_ALIVE_MS: u64 = 1_000;
/// Milliseconds without a byte from a peer after which its link is dropped.
pub const LINK_IDLE_MS: u64 = 6_000;
/// Milliseconds that bytes wait for a peer's socket after which its link is dropped.
pub const LINK_STALL_MS: u64 = 6_000;
/// Milliseconds from the connection to the end of the handshake: TLS and the exchange of names.
pub const LINK_HANDSHAKE_MS: u64 = 3_000;
/// Milliseconds from there until the link carries envelopes.
pub const LINK_READY_MS: u64 = 3_000;
/// Milliseconds that a connection to a peer may take to be made.
pub const LINK_CONNECT_MS: u64 = 2_000;
/// Connections in their handshake; more are closed at once.
pub const LINK_HANDSHAKES: usize = 64;
/// The first pause before a peer is dialled again, in milliseconds; doubles up to [`LINK_RETRY_MAX_MS`].
pub const LINK_RETRY_FIRST_MS: u64 = 50;
/// The longest pause before a peer is dialled again, in milliseconds.
pub const LINK_RETRY_MAX_MS: u64 = 1_000;
/// Bytes of a message of ractor's handshake on a link.
pub const LINK_AUTH_BYTES: usize = 4 * 1_024;
/// Messages of ractor's handshake on a link, from one side.
pub const LINK_AUTH_FRAMES: u32 = 8;
/// Bytes of a control message of ractor on a link.
pub const LINK_CONTROL_BYTES: usize = 16 * 1_024;
/// Control messages of ractor in [`LINK_CONTROL_MS`]; it sends a ping and a pong every few seconds.
pub const LINK_CONTROL_FRAMES: u32 = 64;
/// The window of [`LINK_CONTROL_FRAMES`], in milliseconds.
pub const LINK_CONTROL_MS: u64 = 10_000;
/// Milliseconds that a link lasts to a node that the view does not show: it may have read a newer one.
pub const LINK_STRANGER_MS: u64 = 30_000;
/// Milliseconds that the end of the links may take, for what is queued to be acknowledged.
pub const LINK_FLUSH_MS: u64 = 1_000;

// --- sessions that move ---------------------------------------------------------------------------------------

/// Bytes of missed events that go with a session to another node; one that missed more starts anew. Fits an envelope.
pub const PARCEL_BYTES: usize = 6 * 1_024 * 1_024;
/// Milliseconds in which a session is looked for again whose node may live and does not answer; then its client comes again.
pub const COPY_WAIT_MS: u64 = 3_000;
/// Milliseconds after which copies of a node that is linked and tells nothing any more are dropped; longer than it takes a link
/// to be.
pub const STALE_COPY_MS: u64 = 20_000;
/// Milliseconds that a node which may have a session is given to hand it over.
pub const TAKE_MS: u64 = 5_000;
/// Milliseconds that a node which stops waits for others to take its sessions.
pub const RELEASE_MS: u64 = 2_000;
/// Bytes of sessions that one checkpoint tells a buddy of for the first time; more of them wait for the next one.
pub const CHECKPOINT_BYTES: usize = 2 * 1_024 * 1_024;
/// Checkpoints that a buddy looks back: one a second, so somewhat more than a session can be resumed.
pub const CHECKPOINTS_KEPT: u32 = 128;
/// Sessions of other nodes that a buddy keeps; more are not kept.
pub const KEPT_SESSIONS: usize = 65_536;
/// Topics of other nodes' sessions that a buddy keeps.
pub const KEPT_TOPICS: usize = 65_536;
/// Numbers of 16 to 32 bytes that a buddy keeps; above it, it looks back less far.
pub const KEPT_ENTRIES: usize = 2 * 1_024 * 1_024;

// --- what nodes share and may lose ----------------------------------------------------------------------------

/// Milliseconds that a request waits for Redis; then the node goes on without it.
pub const EPHEMERAL_MS: u64 = 50;
/// Milliseconds that work in the background waits for Redis.
pub const EPHEMERAL_BACKGROUND_MS: u64 = 1_000;
/// Milliseconds that a connection to Redis may take until it is of use.
pub const EPHEMERAL_CONNECT_MS: u64 = 2_000;
/// Milliseconds between two looks whether an idle Redis is still there.
pub const EPHEMERAL_PROBE_MS: u64 = 1_000;
/// Milliseconds for which a node believes its copy of an account or profile while it hears what others change.
pub const COPY_HEARD_MS: u64 = 10_000;
/// The same while it does not hear.
pub const COPY_UNHEARD_MS: u64 = 1_000;
/// Milliseconds that a profile stays in Redis. Longer than a request may take, so that one that read an old profile has
/// ended before it is forgotten that there is a newer one.
pub const PROFILE_SHARED_MS: u64 = 5 * 60 * 1_000;
/// Changed accounts that wait to be told to other nodes; above it they are told to forget everything.
pub const VOIDS_QUEUED: usize = 65_536;
/// Profiles that wait to be offered to other nodes; the oldest makes room.
pub const OFFERS_QUEUED: usize = 4_096;
/// Milliseconds between two signs of life of a node.
pub const BEAT_MS: u64 = 2_000;
/// Milliseconds that a node's sign of life lasts.
pub const HINT_MS: u64 = 6_000;
/// Nodes whose hints a node keeps.
pub const HINTS: usize = 1_024;
/// Milliseconds that people on a node are believed to be online without a sign of life from it.
pub const PRESENCE_SHARED_MS: u64 = 30_000;
/// People on other nodes of whom a node knows that they are online.
pub const PRESENCE_ELSEWHERE: usize = 262_144;

// --- voice rooms ----------------------------------------------------------------------------------------------

/// Bytes of an SDP offer. Chromium's with all slots is about 150 kB.
pub const OFFER_BYTES: usize = 256 * 1_024;
/// Media sections of an offer.
pub const OFFER_SECTIONS: usize = 40;
/// ICE candidates in an offer.
pub const OFFER_CANDIDATES: usize = 64;
/// Bytes of a section's `mid` and of a layer's `rid`: what str0m keeps of one.
pub const SECTION_NAME_BYTES: usize = 16;
/// Sections of an offer that receive audio.
pub const AUDIO_SLOTS: usize = 8;
/// Sections of an offer that receive video.
pub const VIDEO_SLOTS: usize = 24;
/// Layers of a simulcast video.
pub const SIMULCAST_LAYERS: usize = 3;
/// Peers of one room.
pub const ROOM_PEERS: usize = 1_000;
/// Voices that are forwarded at once: the loudest.
pub const LOUDEST: usize = 3;
/// Remote addresses that one peer may have at once; more are not believed until it restarts ICE.
pub const PEER_ADDRESSES: usize = 16;
/// Different SSRCs that one peer may ever send, those of resends included; packets of others are dropped.
pub const PEER_SSRCS: usize = 256;
/// Milliseconds that an offering peer may take until its media is connected.
pub const PEER_CONNECT_MS: u64 = 30_000;
/// Milliseconds that a peer whose connection was lost may take to come back.
pub const PEER_LOST_MS: u64 = 30_000;
/// Milliseconds between two requests for a keyframe of one layer.
pub const KEYFRAME_MERGE_MS: u64 = 400;
/// Milliseconds without a packet after which a video layer is held to be off.
pub const LAYER_IDLE_MS: u64 = 1_500;
/// Milliseconds that somebody who fell silent is still said to speak.
pub const SPEAKING_HOLD_MS: u64 = 500;
/// Milliseconds for which a voice that was let in cannot be displaced while it speaks.
pub const VOICE_HOLD_MS: u64 = 1_000;
/// Milliseconds between two steps of a room's clockwork: silence, requests that wait, layers.
pub const ROOM_TICK_MS: u64 = 100;
/// Milliseconds between two statistics of a peer.
pub const PEER_STATS_MS: u64 = 1_000;
/// Milliseconds for which a stream must be wanted smaller before whoever sends it is told so.
pub const DEMAND_CALM_MS: u64 = 3_000;
/// Milliseconds after a layer had to be dropped in which no higher one is tried.
pub const LAYER_CALM_MS: u64 = 2_000;
/// Milliseconds for which a viewer's most important picture plays on at its smallest layer when his way is thought not to bear
/// even that: an estimate dips below what there is when a way gets narrow.
pub const PAUSE_PATIENCE_MS: u64 = 5_000;
/// Video packets that are kept per slot to send them again.
pub const RESEND_PACKETS: usize = 512;
/// Milliseconds that they are kept.
pub const RESEND_MS: u64 = 2_000;
/// Milliseconds that packets of a picture wait for its last one, so that they are sent together.
pub const PICTURE_WAIT_MS: u64 = 2;
/// Packets that wait so.
pub const PICTURE_PACKETS: usize = 64;
/// Milliseconds that a media session's regular work (reports, estimating, statistics) waits for a packet to be done with.
pub const PATIENCE_MS: u64 = 25;
/// Milliseconds that a media session is on time after it sent something of itself.
pub const EXACT_MS: u64 = 100;
/// Datagrams that wait for a worker's socket; above it they are dropped and counted.
pub const DATAGRAMS_QUEUED: usize = 8_192;
/// Bytes of a datagram; a longer one is dropped.
pub const DATAGRAM_BYTES: usize = 2_000;
/// Bytes of the sockets' buffers in the kernel, if it allows them.
pub const MEDIA_SOCKET_BYTES: usize = 4 * 1_024 * 1_024;
/// Workers, and addresses that each listens on.
pub const MEDIA_WORKERS: usize = 64;
/// Messages to one worker that wait.
pub const MEDIA_ORDERS: usize = 16_384;

/// Messages that wait for an actor above which its node warns, if they become more.
pub const CROWDED_MAILBOX: u64 = 1_000;
/// Nanoseconds that handling a message may take before the node warns.
pub const SLOW_HANDLER_NS: u64 = 50_000_000;
/// Things that went wrong which are remembered until whoever warns takes them.
pub const INCIDENTS: usize = 256;
/// Traces of a node at a time.
pub const TRACES: usize = 16;
/// Messages that a trace keeps for who asks for them; more are counted.
pub const TRACE_LINES: usize = 2_048;
/// Milliseconds after which a trace that nobody asks for ends.
pub const TRACE_IDLE_MS: u64 = 10_000;
/// Tokens of the admin API.
pub const ADMIN_TOKENS: usize = 100;
/// Days that a token of the admin API may be good for.
pub const ADMIN_TOKEN_DAYS: u32 = 3_650;
/// Milliseconds that an act of an operator stays in the audit log: 400 days.
pub const ADMIN_ACT_MS: u64 = 400 * 24 * 3_600 * 1_000;
/// Acts that are listed at once.
pub const ADMIN_ACTS_LISTED: usize = 1_000;
/// Connections of operators' tools at a time.
pub const ADMIN_CONNECTIONS: usize = 64;
/// Seconds that a trace may be followed.
pub const TRACE_SECONDS: u64 = 3_600;
