// Every request the client makes, by name and type.

import { request } from './session';
import type {
  AuditLog, Ban, Channel, DirectChannel, Group, Id, Invite, Login, Member, Message, Overwrite, Role, SelfUser, User,
} from './types';

const get = <T>(path: string, signal?: AbortSignal) => request<T>('GET', path, { signal });
const post = <T>(path: string, body: unknown = {}, reason?: string) => request<T>('POST', path, { body, reason });
const patch = <T>(path: string, body: unknown, reason?: string) => request<T>('PATCH', path, { body, reason });
const put = <T>(path: string, body: unknown = {}, reason?: string) => request<T>('PUT', path, { body, reason });
const remove = <T>(path: string, reason?: string) => request<T>('DELETE', path, { reason });

function query(params: Record<string, string | number | undefined>): string {
  const pairs = Object.entries(params).filter(([, value]) => value !== undefined);
  return pairs.length ? `?${pairs.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join('&')}` : '';
}

export interface Page {
  before?: Id;
  after?: Id;
  around?: Id;
  limit?: number;
}

export const account = {
  update: (form: Record<string, unknown>) => patch<SelfUser & { token?: string }>('/users/@me', form),
  delete: (password: string) => post<void>('/users/@me/delete', { password }),
  logins: () => get<{ sessions: Login[] }>('/auth/sessions'),
  closeLogin: (id: Id) => remove<void>(`/auth/sessions/${id}`),
};

export const friends = {
  ask: (username: string) => post<void>('/users/@me/relationships', { username }),
  put: (user: Id, type?: 1 | 2) => put<void>(`/users/@me/relationships/${user}`, type ? { type } : {}),
  remove: (user: Id) => remove<void>(`/users/@me/relationships/${user}`),
};

export const directs = {
  open: (recipients: Id[]) => post<DirectChannel>('/users/@me/channels', { recipients }),
  rename: (channel: Id, name: string) => patch<DirectChannel>(`/channels/${channel}`, { name }),
  close: (channel: Id) => remove<void>(`/channels/${channel}`),
  add: (channel: Id, user: Id) => put<void>(`/channels/${channel}/recipients/${user}`),
  drop: (channel: Id, user: Id) => remove<void>(`/channels/${channel}/recipients/${user}`),
};

export const groups = {
  create: (form: { name: string; icon?: string }) => post<Group>('/guilds', form),
  update: (group: Id, form: Record<string, unknown>) => patch<Group>(`/guilds/${group}`, form),
  delete: (group: Id) => remove<void>(`/guilds/${group}`),
  leave: (group: Id) => remove<void>(`/users/@me/guilds/${group}`),
  auditLog: (group: Id, page: { before?: Id; action_type?: number }) =>
    get<AuditLog>(`/guilds/${group}/audit-logs${query({ limit: 50, ...page })}`),
};

export const channels = {
  create: (group: Id, form: Record<string, unknown>) => post<Channel>(`/guilds/${group}/channels`, form),
  update: (channel: Id, form: Record<string, unknown>) => patch<Channel>(`/channels/${channel}`, form),
  arrange: (group: Id, moves: { id: Id; position?: number; parent_id?: Id | null }[]) =>
    patch<void>(`/guilds/${group}/channels`, moves),
  delete: (channel: Id) => remove<void>(`/channels/${channel}`),
  typing: (channel: Id) => request<void>('POST', `/channels/${channel}/typing`, { body: {} }),
  putOverwrite: (channel: Id, { id, ...form }: Overwrite) => put<void>(`/channels/${channel}/permissions/${id}`, form),
  dropOverwrite: (channel: Id, id: Id) => remove<void>(`/channels/${channel}/permissions/${id}`),
};

export const roles = {
  create: (group: Id, form: Record<string, unknown>) => post<Role>(`/guilds/${group}/roles`, form),
  update: (group: Id, role: Id, form: Record<string, unknown>) => patch<Role>(`/guilds/${group}/roles/${role}`, form),
  arrange: (group: Id, list: { id: Id; position: number }[]) => patch<Role[]>(`/guilds/${group}/roles`, list),
  delete: (group: Id, role: Id) => remove<void>(`/guilds/${group}/roles/${role}`),
};

export const members = {
  list: (group: Id, after?: Id) => get<Member[]>(`/guilds/${group}/members${query({ limit: 100, after })}`),
  search: (group: Id, name: string, limit = 10, signal?: AbortSignal) =>
    get<Member[]>(`/guilds/${group}/members/search${query({ query: name, limit })}`, signal),
  get: (group: Id, user: Id) => get<Member>(`/guilds/${group}/members/${user}`),
  update: (group: Id, user: Id, form: Record<string, unknown>, reason?: string) =>
    patch<Member>(`/guilds/${group}/members/${user}`, form, reason),
  rename: (group: Id, nick: string) => patch<Member>(`/guilds/${group}/members/@me`, { nick }),
  kick: (group: Id, user: Id, reason?: string) => remove<void>(`/guilds/${group}/members/${user}`, reason),
  giveRole: (group: Id, user: Id, role: Id) => put<void>(`/guilds/${group}/members/${user}/roles/${role}`),
  takeRole: (group: Id, user: Id, role: Id) => remove<void>(`/guilds/${group}/members/${user}/roles/${role}`),
};

export const bans = {
  list: (group: Id) => get<Ban[]>(`/guilds/${group}/bans`),
  create: (group: Id, user: Id, seconds: number, reason?: string) =>
    put<void>(`/guilds/${group}/bans/${user}`, { delete_message_seconds: seconds }, reason),
  delete: (group: Id, user: Id) => remove<void>(`/guilds/${group}/bans/${user}`),
};

export const invites = {
  look: (code: string) => get<Invite>(`/invites/${encodeURIComponent(code)}?with_counts=true`),
  accept: (code: string) => post<Invite>(`/invites/${encodeURIComponent(code)}`),
  list: (group: Id) => get<Invite[]>(`/guilds/${group}/invites`),
  create: (channel: Id, form: { max_age: number; max_uses: number; unique?: boolean }) =>
    post<Invite>(`/channels/${channel}/invites`, form),
  delete: (code: string) => remove<Invite>(`/invites/${encodeURIComponent(code)}`),
};

export const messages = {
  list: (channel: Id, page: Page, signal?: AbortSignal) =>
    get<Message[]>(`/channels/${channel}/messages${query({ limit: 50, ...page })}`, signal),
  send: (channel: Id, body: Record<string, unknown>) =>
    request<Message>('POST', `/channels/${channel}/messages`, { body, repeatable: true }),
  edit: (channel: Id, message: Id, content: string) =>
    patch<Message>(`/channels/${channel}/messages/${message}`, { content }),
  delete: (channel: Id, message: Id) => remove<void>(`/channels/${channel}/messages/${message}`),
  ack: (channel: Id, message: Id) =>
    request<void>('POST', `/channels/${channel}/messages/${message}/ack`, { body: {}, repeatable: true }),
  pins: (channel: Id) =>
    get<{ items: { pinned_at: string; message: Message }[] }>(`/channels/${channel}/messages/pins`),
  pin: (channel: Id, message: Id) => put<void>(`/channels/${channel}/messages/pins/${message}`),
  unpin: (channel: Id, message: Id) => remove<void>(`/channels/${channel}/messages/pins/${message}`),
  mentions: () => get<Message[]>('/users/@me/mentions'),
};

const reaction = (channel: Id, message: Id, emoji: string) =>
  `/channels/${channel}/messages/${message}/reactions/${encodeURIComponent(emoji)}`;

export const reactions = {
  add: (channel: Id, message: Id, emoji: string) => put<void>(`${reaction(channel, message, emoji)}/@me`),
  remove: (channel: Id, message: Id, emoji: string) => remove<void>(`${reaction(channel, message, emoji)}/@me`),
  who: (channel: Id, message: Id, emoji: string) => get<User[]>(`${reaction(channel, message, emoji)}?limit=20`),
  clear: (channel: Id, message: Id) => remove<void>(`/channels/${channel}/messages/${message}/reactions`),
};
