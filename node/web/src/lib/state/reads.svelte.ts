// How far one has read, and how often one is meant in what one has not.

import { SvelteMap } from 'svelte/reactivity';
import * as api from '../api/routes';
import { type Channel, ChannelType, type Group, type Id, type Message, type ReadEntry, type Ready } from '../api/types';
import { firstOf, isNewer } from '../ids';
import { directs } from './directs.svelte';
import { groups } from './groups.svelte';
import { me } from './me.svelte';
import { relations } from './relations.svelte';
import { settings } from './settings.svelte';

export interface Read {
  readonly last: Id;
  readonly mentions: number;
}

export const unread: Read = { last: '0', mentions: 0 };

export function entryAsRead({ last_message_id, mention_count }: ReadEntry): Read {
  return { last: last_message_id, mentions: mention_count };
}

/** After a message of somebody else; `counts`: it mentions the reader, or is in a direct channel. */
export function readAfterMessage(read: Read, counts: boolean): Read {
  return counts ? { ...read, mentions: read.mentions + 1 } : read;
}

export function readAfterAck(read: Read, message: Id, mentions: number): Read {
  return { last: isNewer(message, read.last) ? message : read.last, mentions };
}

class Reads {
  readonly #all = new SvelteMap<Id, Read>();
  /** What is to be told to the server, after a moment. */
  #pending = new Map<Id, Id>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  of(channel: Id): Read {
    return this.#all.get(channel) ?? unread;
  }

  isUnread(group: Group | undefined, channel: Pick<Channel, 'id' | 'last_message_id' | 'type'>): boolean {
    const newest = group ? groups.last(channel.id) : channel.last_message_id;
    if (channel.type === ChannelType.Category || !newest) return false;
    // What was said before one came is nothing one missed.
    const since = group ? firstOf(Date.parse(group.joined_at)) : '0';
    const { last } = this.of(channel.id);
    return isNewer(newest, isNewer(last, since) ? last : since);
  }

  mentions(channel: Id): number {
    return this.of(channel).mentions;
  }

  ofGroup(group: Group): { isUnread: boolean; mentions: number } {
    let mentions = 0;
    let isUnread = false;
    for (const channel of group.channels) {
      mentions += this.mentions(channel.id);
      isUnread ||= !settings.isMuted(channel.id) && this.isUnread(group, channel);
    }
    return { isUnread: isUnread && !settings.isMuted(group.id), mentions };
  }

  /** One has seen a message. */
  seen(channel: Id, message: Id): void {
    const read = this.of(channel);
    if (!isNewer(message, read.last) && read.mentions === 0) return;
    this.#all.set(channel, readAfterAck(read, message, 0));
    this.#pending.set(channel, message);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const pending = this.#pending;
      this.#pending = new Map();
      for (const [at, id] of pending) api.messages.ack(at, id).catch(() => undefined);
    }, 700);
  }

  seenAll(group: Group): void {
    for (const { id } of group.channels) {
      const newest = groups.last(id);
      if (newest) this.seen(id, newest);
    }
  }

  fold(event: string, data: any): void {
    if (event === 'READY') {
      this.#all.clear();
      for (const entry of (data as Ready).read_state.entries) this.#all.set(entry.id, entryAsRead(entry));
    } else if (event === 'MESSAGE_ACK') {
      this.#all.set(data.channel_id, readAfterAck(this.of(data.channel_id), data.message_id, data.mention_count));
    } else if (event === 'MESSAGE_CREATE') {
      const message = data as Message;
      const { channel_id: channel, author } = message;
      if (directs.has(channel)) directs.heard(channel, message.id);
      else groups.heard(channel, message.id);
      if (author.id === me.id) {
        this.#all.set(channel, readAfterAck(this.of(channel), message.id, 0));
      } else if (!relations.isBlocked(author.id)) {
        const counts = directs.has(channel) || me.isMentioned(message);
        const read = readAfterMessage(this.of(channel), counts);
        if (read !== this.of(channel)) this.#all.set(channel, read);
      }
    }
  }
}

export const reads = new Reads();
