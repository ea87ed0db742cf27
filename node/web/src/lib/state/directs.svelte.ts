// Direct channels: of two people, and of a few.

import { SvelteMap } from 'svelte/reactivity';
import * as api from '../api/routes';
import type { DirectChannel, Id, Ready } from '../api/types';
import { compare } from '../ids';
import { people } from './people.svelte';

export function directAfter(channel: DirectChannel | undefined, event: string, data: any): DirectChannel | undefined {
  switch (event) {
    case 'CHANNEL_CREATE':
    case 'CHANNEL_UPDATE':
      return { ...channel, ...data };
    case 'CHANNEL_DELETE':
      return undefined;
    case 'CHANNEL_RECIPIENT_ADD':
      return channel && { ...channel, recipients: [...channel.recipients.filter(({ id }) => id !== data.user.id), data.user] };
    case 'CHANNEL_RECIPIENT_REMOVE':
      return channel && { ...channel, recipients: channel.recipients.filter(({ id }) => id !== data.user.id) };
    default:
      return channel;
  }
}

class Directs {
  readonly #all = new SvelteMap<Id, DirectChannel>();

  /** The one that was written in last comes first. */
  readonly sorted = $derived(
    [...this.#all.values()].sort((a, b) => compare(b.last_message_id ?? b.id, a.last_message_id ?? a.id)),
  );

  has(id: Id): boolean {
    return this.#all.has(id);
  }

  get(id: Id | undefined): DirectChannel | undefined {
    return id ? this.#all.get(id) : undefined;
  }

  with(user: Id): DirectChannel | undefined {
    return this.sorted.find(({ type, recipients }) => type === 1 && recipients[0]?.id === user);
  }

  name(channel: DirectChannel): string {
    return channel.name || channel.recipients.map(({ id }) => people.name(id)).join(', ');
  }

  heard(id: Id, message: Id): void {
    const channel = this.#all.get(id);
    if (channel) this.#all.set(id, { ...channel, last_message_id: message });
  }

  learn(channel: DirectChannel): void {
    for (const user of channel.recipients) people.learn(user);
    this.#all.set(channel.id, channel);
  }

  /** The channel with somebody, opened if it is not. */
  async open(users: Id[]): Promise<Id> {
    const known = users.length === 1 ? this.with(users[0]!) : undefined;
    if (known) return known.id;
    const channel = await api.directs.open(users);
    this.learn(channel);
    return channel.id;
  }

  fold(event: string, data: any): void {
    if (event === 'READY') {
      this.#all.clear();
      for (const channel of (data as Ready).private_channels) this.learn(channel);
      return;
    }
    const isRecipient = event.startsWith('CHANNEL_RECIPIENT');
    if (!isRecipient && (!event.startsWith('CHANNEL_') || data.guild_id || (data.type !== 1 && data.type !== 3))) return;
    const id: Id = isRecipient ? data.channel_id : data.id;
    const after = directAfter(this.#all.get(id), event, data);
    if (after) this.#all.set(id, after);
    else this.#all.delete(id);
  }
}

export const directs = new Directs();
