// What somebody may do: the documented algorithm, as the server decides by it.
// https://discord.com/developers/docs/topics/permissions

import type { Channel, Group, Id, Overwrite } from './api/types';

const bit = (n: number) => 1n << BigInt(n);

export const P = {
  CREATE_INVITE: bit(0), KICK_MEMBERS: bit(1), BAN_MEMBERS: bit(2), ADMINISTRATOR: bit(3), MANAGE_CHANNELS: bit(4),
  MANAGE_GROUP: bit(5), ADD_REACTIONS: bit(6), VIEW_AUDIT_LOG: bit(7), VIEW_CHANNEL: bit(10), SEND_MESSAGES: bit(11),
  MANAGE_MESSAGES: bit(13), EMBED_LINKS: bit(14), ATTACH_FILES: bit(15), READ_HISTORY: bit(16),
  MENTION_EVERYONE: bit(17), CONNECT: bit(20), SPEAK: bit(21), STREAM: bit(9), MUTE_MEMBERS: bit(22),
  DEAFEN_MEMBERS: bit(23), MOVE_MEMBERS: bit(24), CHANGE_NICKNAME: bit(26), MANAGE_NICKNAMES: bit(27),
  MANAGE_ROLES: bit(28), MODERATE_MEMBERS: bit(40), PIN_MESSAGES: bit(51), BYPASS_SLOWMODE: bit(52),
} as const;

export type Permission = keyof typeof P;

export const ALL = (1n << 53n) - 1n;

/** What the settings offer, by what it is about. */
export const SECTIONS: { key: 'general' | 'people' | 'text' | 'voice'; list: Permission[] }[] = [
  { key: 'general', list: ['VIEW_CHANNEL', 'MANAGE_CHANNELS', 'MANAGE_ROLES', 'VIEW_AUDIT_LOG', 'MANAGE_GROUP', 'ADMINISTRATOR'] },
  { key: 'people', list: ['CREATE_INVITE', 'CHANGE_NICKNAME', 'MANAGE_NICKNAMES', 'KICK_MEMBERS', 'BAN_MEMBERS', 'MODERATE_MEMBERS'] },
  { key: 'text', list: ['SEND_MESSAGES', 'READ_HISTORY', 'EMBED_LINKS', 'ATTACH_FILES', 'ADD_REACTIONS', 'MENTION_EVERYONE', 'MANAGE_MESSAGES', 'PIN_MESSAGES', 'BYPASS_SLOWMODE'] },
  { key: 'voice', list: ['CONNECT', 'SPEAK', 'STREAM', 'MUTE_MEMBERS', 'DEAFEN_MEMBERS', 'MOVE_MEMBERS'] },
];

/** What can differ from channel to channel. */
export const OF_CHANNELS = new Set<Permission>([
  'VIEW_CHANNEL', 'MANAGE_CHANNELS', 'MANAGE_ROLES', 'CREATE_INVITE', 'SEND_MESSAGES', 'READ_HISTORY', 'EMBED_LINKS',
  'ATTACH_FILES', 'ADD_REACTIONS', 'MENTION_EVERYONE', 'MANAGE_MESSAGES', 'PIN_MESSAGES', 'BYPASS_SLOWMODE', 'CONNECT', 'SPEAK', 'STREAM',
  'MUTE_MEMBERS', 'DEAFEN_MEMBERS', 'MOVE_MEMBERS',
]);

export interface Holder {
  id: Id;
  roles: readonly Id[];
  /** ISO 8601; until then he only reads. */
  timeout?: string | null;
}

/** In the group as a whole. */
export function inGroup(group: Group, holder: Holder): bigint {
  if (group.owner_id === holder.id) return ALL;
  let held = 0n;
  for (const role of group.roles) {
    if (role.id === group.id || holder.roles.includes(role.id)) held |= BigInt(role.permissions);
  }
  return held & P.ADMINISTRATOR ? ALL : held;
}

/** In one of its channels. */
export function inChannel(group: Group, channel: Channel, holder: Holder, now = Date.now()): bigint {
  const base = inGroup(group, holder);
  if (base & P.ADMINISTRATOR) return ALL;
  const layers: Overwrite[][] = [[], [], []];
  for (const overwrite of channel.permission_overwrites) {
    if (overwrite.id === group.id) layers[0]!.push(overwrite);
    else if (overwrite.type === 0 && holder.roles.includes(overwrite.id)) layers[1]!.push(overwrite);
    else if (overwrite.type === 1 && overwrite.id === holder.id) layers[2]!.push(overwrite);
  }
  let held = base;
  for (const layer of layers) {
    const deny = layer.reduce((all, { deny }) => all | BigInt(deny), 0n);
    const allow = layer.reduce((all, { allow }) => all | BigInt(allow), 0n);
    held = (held & ~deny) | allow;
  }
  if (!(held & P.VIEW_CHANNEL)) return 0n;
  if (!(held & P.SEND_MESSAGES)) held &= ~(P.MENTION_EVERYONE | P.ATTACH_FILES | P.EMBED_LINKS);
  if (holder.timeout && Date.parse(holder.timeout) > now) held &= P.VIEW_CHANNEL | P.READ_HISTORY;
  return held;
}

/** The highest place of somebody's roles; the owner is above all. */
export function rank(group: Group, holder: Holder): number {
  if (group.owner_id === holder.id) return Infinity;
  return group.roles.reduce((top, role) => (holder.roles.includes(role.id) ? Math.max(top, role.position) : top), 0);
}
