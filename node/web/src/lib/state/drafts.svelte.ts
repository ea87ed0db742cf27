// What was typed and not sent, by channel: it outlives a reload, a restart of the server and a lost login.

import type { Id } from '../api/types';
import { read, write } from './stored.svelte';

/** Channels whose drafts are kept; the oldest makes room. */
const MOST = 100;
const WRITE_MS = 300;

class Drafts {
  readonly #all = new Map<Id, string>(read<[Id, string][]>('drafts', []));
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    addEventListener('pagehide', () => this.#flush());
  }

  get(channel: Id): string {
    return this.#all.get(channel) ?? '';
  }

  set(channel: Id, text: string): void {
    this.#all.delete(channel);
    if (text) this.#all.set(channel, text);
    for (const key of this.#all.keys()) {
      if (this.#all.size <= MOST) break;
      this.#all.delete(key);
    }
    this.#timer ??= setTimeout(() => this.#flush(), WRITE_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    write('drafts', [...this.#all]);
  }
}

export const drafts = new Drafts();
