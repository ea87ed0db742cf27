// Who types where. It ends by itself, or with the message.

import { SvelteMap } from 'svelte/reactivity';
import * as api from '../api/routes';
import type { Id } from '../api/types';
import { me } from './me.svelte';

/** How long somebody types who said so once. */
const LASTS_MS = 10_000;
/** How often one says so oneself. */
const TELL_MS = 8_000;

class Typing {
  readonly #all = new SvelteMap<Id, readonly Id[]>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #told: { channel: Id; at: number } = { channel: '', at: 0 };

  in(channel: Id): readonly Id[] {
    return this.#all.get(channel) ?? [];
  }

  /** One types oneself. */
  tell(channel: Id): void {
    const now = Date.now();
    if (this.#told.channel === channel && now - this.#told.at < TELL_MS) return;
    this.#told = { channel, at: now };
    api.channels.typing(channel).catch(() => undefined);
  }

  /** One has sent what one typed. */
  sent(): void {
    this.#told = { channel: '', at: 0 };
  }

  #end(channel: Id, user: Id): void {
    const key = `${channel}/${user}`;
    clearTimeout(this.#timers.get(key));
    if (this.#timers.delete(key)) this.#all.set(channel, this.in(channel).filter((id) => id !== user));
  }

  fold(event: string, data: any): void {
    if (event === 'MESSAGE_CREATE') this.#end(data.channel_id, data.author.id);
    if (event !== 'TYPING_START' || data.user_id === me.id) return;
    const { channel_id: channel, user_id: user } = data;
    const key = `${channel}/${user}`;
    clearTimeout(this.#timers.get(key));
    this.#timers.set(key, setTimeout(() => this.#end(channel, user), LASTS_MS));
    if (!this.in(channel).includes(user)) this.#all.set(channel, [...this.in(channel), user]);
  }
}

export const typing = new Typing();
