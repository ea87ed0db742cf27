// The objects of the client API as far as the client reads them.

export type Id = string;

export interface User {
  id: Id;
  username: string;
  global_name: string | null;
  avatar: string | null;
  bot?: boolean;
}

export interface SelfUser extends User {
  email: string | null;
}

export interface Role {
  id: Id;
  name: string;
  color: number;
  hoist: boolean;
  position: number;
  permissions: string;
  managed: boolean;
  mentionable: boolean;
}

export interface Overwrite {
  id: Id;
  /** 0 a role, 1 a member. */
  type: 0 | 1;
  allow: string;
  deny: string;
}

export const ChannelType = { Text: 0, Direct: 1, Voice: 2, GroupDirect: 3, Category: 4 } as const;

export interface Channel {
  id: Id;
  type: number;
  guild_id?: Id;
  name: string;
  position: number;
  parent_id: Id | null;
  topic: string | null;
  nsfw: boolean;
  rate_limit_per_user: number;
  last_message_id: Id | null;
  last_pin_timestamp?: string | null;
  permission_overwrites: Overwrite[];
  user_limit?: number;
}

export interface DirectChannel {
  id: Id;
  type: 1 | 3;
  recipients: User[];
  last_message_id: Id | null;
  name?: string | null;
  icon?: string | null;
  owner_id?: Id;
}

export interface Group {
  id: Id;
  name: string;
  icon: string | null;
  description: string | null;
  owner_id: Id;
  system_channel_id: Id | null;
  roles: Role[];
  channels: Channel[];
  joined_at: string;
  member_count: number;
}

export interface Member {
  user: User;
  nick: string | null;
  roles: Id[];
  joined_at: string;
  communication_disabled_until: string | null;
}

/** Where somebody is to be heard, and what he has switched off. */
export interface VoiceState {
  guild_id: Id;
  channel_id: Id | null;
  user_id: Id;
  session_id: string;
  member?: Member;
  /** By a moderator. */
  deaf: boolean;
  mute: boolean;
  self_deaf: boolean;
  self_mute: boolean;
  self_video: boolean;
  self_stream?: boolean;
  /** He may not speak there. */
  suppress: boolean;
}

export type Status = 'online' | 'idle' | 'dnd' | 'offline';

export interface Activity {
  type: number;
  name: string;
  state?: string;
}

export interface Presence {
  user: { id: Id };
  guild_id?: Id;
  status: Status;
  activities: Activity[];
}

export interface Attachment {
  id: Id;
  filename: string;
  description?: string;
  content_type: string;
  size: number;
  url: string;
  width?: number;
  height?: number;
}

export interface Reaction {
  count: number;
  me: boolean;
  emoji: { id: Id | null; name: string };
}

export interface Embed {
  title?: string;
  description?: string;
  url?: string;
  color?: number;
  timestamp?: string;
  footer?: { text: string };
  image?: { url: string };
  thumbnail?: { url: string };
  author?: { name: string; url?: string };
  fields?: { name: string; value: string; inline?: boolean }[];
}

export const MessageType = {
  Default: 0,
  RecipientAdd: 1,
  RecipientRemove: 2,
  NameChange: 4,
  IconChange: 5,
  Pin: 6,
  Join: 7,
  Reply: 19,
} as const;

export interface Message {
  id: Id;
  channel_id: Id;
  guild_id?: Id;
  type: number;
  author: User;
  content: string;
  timestamp: string;
  edited_timestamp: string | null;
  mention_everyone: boolean;
  mentions: User[];
  mention_roles: Id[];
  attachments: Attachment[];
  embeds: Embed[];
  reactions?: Reaction[];
  pinned: boolean;
  nonce?: string | number;
  message_reference?: { message_id: Id; channel_id: Id };
  referenced_message?: Message | null;
}

export interface ReadEntry {
  id: Id;
  last_message_id: Id;
  mention_count: number;
}

export const RelationType = { Friend: 1, Blocked: 2, Incoming: 3, Outgoing: 4 } as const;

export interface Relationship {
  id: Id;
  type: number;
  since?: string;
  user: User;
}

export interface Invite {
  code: string;
  guild: { id: Id; name: string; icon: string | null; description: string | null };
  channel: { id: Id; name: string; type: number } | null;
  inviter?: User;
  expires_at: string | null;
  approximate_member_count?: number;
  approximate_presence_count?: number;
  uses?: number;
  max_uses?: number;
  max_age?: number;
  created_at?: string;
  new_member?: boolean;
}

export interface Ban {
  reason: string | null;
  user: User;
}

export interface AuditEntry {
  id: Id;
  user_id: Id;
  target_id: Id | null;
  action_type: number;
  changes?: { key: string; old_value?: unknown; new_value?: unknown }[];
  options?: Record<string, unknown>;
  reason?: string;
}

export interface AuditLog {
  audit_log_entries: AuditEntry[];
  users: User[];
}

export interface Login {
  id: Id;
  created_at: string;
  used_at: string;
  device: string;
  address: string;
  current: boolean;
}

export interface Tokens {
  token: string;
  expires_in: number;
  user_id: Id;
}

export interface Ready {
  user: SelfUser;
  session_id: string;
  guilds: { id: Id; unavailable?: boolean }[];
  relationships: Relationship[];
  private_channels: DirectChannel[];
  users: User[];
  presences: Presence[];
  read_state: { entries: ReadEntry[] };
}

export interface ListUpdate {
  guild_id: Id;
  member_count: number;
  online_count: number;
  groups: { id: Id; count: number }[];
  ops: { op: 'SYNC'; range: [number, number]; items: ListItem[] }[];
}

export type ListItem = { group: { id: Id; count: number } } | { member: Member & { presence: Presence } };
