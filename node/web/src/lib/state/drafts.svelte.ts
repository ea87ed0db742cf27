// What was typed and not sent, by channel: it outlives a reload, a restart of the server and a lost login.

import type { Id } from '../api/types';
import { onStored, read, write } from './stored.svelte';

/** Channels whose drafts are kept; the oldest makes room. */
const MOST = 100;
const WRITE_MS = 300;

function bounded(drafts: Map<Id, string>): Map<Id, string> {
  for (const key of drafts.keys()) {
    if (drafts.size <= MOST) break;
    drafts.delete(key);
  }
  return drafts;
}

const stored = () => new Map<Id, string>(read<[Id, string][]>('drafts', []));

class Drafts {
  #all = stored();
  /** What was typed here and is not written yet. */
  readonly #changed = new Map<Id, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    addEventListener('pagehide', () => this.#flush());
    onStored('drafts', () => (this.#all = this.#merged()));
  }

  get(channel: Id): string {
    return this.#all.get(channel) ?? '';
  }

  set(channel: Id, text: string): void {
    this.#changed.delete(channel);
    this.#changed.set(channel, text);
    bounded(this.#changed);
    this.#all.set(channel, text);
    this.#timer ??= setTimeout(() => this.#flush(), WRITE_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // Another tab may have written since; what it wrote stays.
    if (!this.#changed.size) return;
    this.#all = this.#merged();
    if (write('drafts', [...this.#all])) this.#changed.clear();
  }

  /** What all tabs have written, and what was typed in this one. */
  #merged(): Map<Id, string> {
    const all = stored();
    for (const [channel, text] of this.#changed) {
      all.delete(channel);
      if (text) all.set(channel, text);
    }
    return bounded(all);
  }
}

export const drafts = new Drafts();
