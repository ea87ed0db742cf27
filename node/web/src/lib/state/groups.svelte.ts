// The groups one is in, with their channels and roles.

import { SvelteMap } from 'svelte/reactivity';
import { type Channel, ChannelType, type Group, type Id, type Role } from '../api/types';
import { compare, isNewer } from '../ids';

/** Puts a thing with an id into a list in place of its former self, or at the end. */
export function replaced<T extends { id: Id }>(list: readonly T[], thing: T): T[] {
  const at = list.findIndex(({ id }) => id === thing.id);
  return at < 0 ? [...list, thing] : list.with(at, thing);
}

export function without<T extends { id: Id }>(list: readonly T[], id: Id): T[] {
  return list.filter((thing) => thing.id !== id);
}

/** A group after an event about it; nothing when one is no longer in it. */
export function groupAfter(group: Group | undefined, event: string, data: any): Group | undefined {
  switch (event) {
    case 'GUILD_CREATE': {
      const { members: _members, presences: _presences, ...rest } = data;
      return rest as Group;
    }
    case 'GUILD_UPDATE':
      return group && { ...group, ...data };
    case 'GUILD_DELETE':
      return data.unavailable ? group : undefined;
    case 'CHANNEL_CREATE':
    case 'CHANNEL_UPDATE':
      return group && { ...group, channels: replaced(group.channels, data) };
    case 'CHANNEL_DELETE':
      return group && { ...group, channels: without(group.channels, data.id) };
    case 'GUILD_ROLE_CREATE':
    case 'GUILD_ROLE_UPDATE':
      return group && { ...group, roles: replaced(group.roles, data.role) };
    case 'GUILD_ROLE_DELETE':
      return group && { ...group, roles: without(group.roles, data.role_id) };
    case 'GUILD_MEMBER_ADD':
      return group && { ...group, member_count: group.member_count + 1 };
    case 'GUILD_MEMBER_REMOVE':
      return group && { ...group, member_count: Math.max(0, group.member_count - 1) };
    default:
      return group;
  }
}

export interface Section {
  /** Nothing for channels without a category. */
  category: Channel | null;
  channels: Channel[];
}

const byPlace = (a: Channel, b: Channel) => a.position - b.position || compare(a.id, b.id);
/** Voice channels stand below the others. */
const inSection = (a: Channel, b: Channel) =>
  Number(a.type === ChannelType.Voice) - Number(b.type === ChannelType.Voice) || byPlace(a, b);

/** The channels as the sidebar shows them. */
export function sections(channels: readonly Channel[]): Section[] {
  const categories = channels.filter(({ type }) => type === ChannelType.Category).sort(byPlace);
  const known = new Set(categories.map(({ id }) => id));
  const within = (id: Id | null) =>
    channels
      .filter(({ type, parent_id }) => type !== ChannelType.Category && (parent_id && known.has(parent_id) ? parent_id : null) === id)
      .sort(inSection);
  const loose = within(null);
  const rest = categories.map((category) => ({ category, channels: within(category.id) }));
  return loose.length ? [{ category: null, channels: loose }, ...rest] : rest;
}

export function rolesByRank(roles: readonly Role[]): Role[] {
  return [...roles].sort((a, b) => b.position - a.position || compare(a.id, b.id));
}

class Groups {
  readonly all = new SvelteMap<Id, Group>();
  /** Where a channel is. */
  readonly #where = new Map<Id, Id>();
  /** The newest message of each channel. Not in the groups: those change seldom, and much is drawn from them. */
  readonly #last = new SvelteMap<Id, Id>();
  /** Groups that READY named and whose picture has not come yet. */
  expected = $state(0);

  get(id: Id | undefined | null): Group | undefined {
    return id ? this.all.get(id) : undefined;
  }

  channel(group: Id | undefined, id: Id | undefined): Channel | undefined {
    return this.get(group)?.channels.find((channel) => channel.id === id);
  }

  of(channel: Id): Id | undefined {
    return this.#where.get(channel);
  }

  /** The newest message of a channel, if there is any. */
  last(channel: Id): Id | null {
    return this.#last.get(channel) ?? null;
  }

  /** There is a message in a channel. What is told late is not the newest. */
  heard(channel: Id, message: Id | null): void {
    if (message && isNewer(message, this.#last.get(channel))) this.#last.set(channel, message);
  }

  fold(event: string, data: any): void {
    if (event === 'READY') {
      this.all.clear();
      this.#where.clear();
      this.#last.clear();
      this.expected = data.guilds.length;
      return;
    }
    const id: Id | undefined = event === 'GUILD_CREATE' || event === 'GUILD_UPDATE' || event === 'GUILD_DELETE' ? data.id : data.guild_id;
    if (!id) return;
    const before = this.all.get(id);
    const after = groupAfter(before, event, data);
    if (event === 'GUILD_CREATE' || (event === 'GUILD_DELETE' && !data.unavailable)) {
      this.expected = Math.max(0, this.expected - (before ? 0 : 1));
    }
    if (after === before) return;
    if (after) this.all.set(id, after);
    else this.all.delete(id);
    for (const channel of event === 'GUILD_CREATE' || event.startsWith('CHANNEL_') ? (after?.channels ?? []) : []) {
      this.#where.set(channel.id, id);
      this.heard(channel.id, channel.last_message_id);
    }
    if (event === 'CHANNEL_DELETE') this.#where.delete(data.id);
    if (!after) for (const channel of before?.channels ?? []) this.#where.delete(channel.id);
  }
}

export const groups = new Groups();
