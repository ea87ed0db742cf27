// What the person has set in this browser.

import type { Id } from '../api/types';
import { stored } from './stored.svelte';

export interface Preferences {
  theme: 'system' | 'dark' | 'light';
  density: 'cozy' | 'compact';
  /** Percent of the usual size of text. */
  zoom: number;
  motion: 'system' | 'reduced';
  notify: 'all' | 'mentions' | 'none';
  sound: boolean;
  showMembers: boolean;
}

const DEFAULTS: Preferences = {
  theme: 'system', density: 'cozy', zoom: 100, motion: 'system', notify: 'mentions', sound: true, showMembers: true,
};

class Settings {
  readonly #preferences = stored<Partial<Preferences>>('preferences', {});
  readonly #muted = stored<Id[]>('muted', []);
  readonly #folded = stored<Id[]>('folded', []);
  readonly #order = stored<Id[]>('order', []);

  get prefer(): Preferences {
    return { ...DEFAULTS, ...this.#preferences.value };
  }

  set(change: Partial<Preferences>): void {
    this.#preferences.value = { ...this.#preferences.value, ...change };
  }

  /** A channel or a group that does not announce itself. */
  isMuted(id: Id): boolean {
    return this.#muted.value.includes(id);
  }

  toggleMuted(id: Id): void {
    this.#muted.value = toggled(this.#muted.value, id);
  }

  /** A category whose channels are not shown. */
  isFolded(id: Id): boolean {
    return this.#folded.value.includes(id);
  }

  toggleFolded(id: Id): void {
    this.#folded.value = toggled(this.#folded.value, id);
  }

  /** Groups in the person's order; new ones come last. */
  arranged(ids: Id[]): Id[] {
    const at = new Map(this.#order.value.map((id, n) => [id, n]));
    return [...ids].sort((a, b) => (at.get(a) ?? Infinity) - (at.get(b) ?? Infinity));
  }

  arrange(ids: Id[]): void {
    this.#order.value = ids;
  }
}

function toggled(list: Id[], id: Id): Id[] {
  return list.includes(id) ? list.filter((other) => other !== id) : [...list, id];
}

export const settings = new Settings();
