// The way to lib/voice for the rest of the page, which is loaded without it: all of it comes when somebody opens a voice channel or joins.

import type { Channel, Group, Id } from '../api/types';
import { groups } from '../state/groups.svelte';
import { t } from '../text';
import { toasts } from '../ui/toasts.svelte';
import type { Target } from './core';

type Parts = typeof import('./parts');

const KEY = 'rookery.call';

/** Where one is, for when this page is loaded again. */
export function remember(target: Target | null): void {
  try {
    if (target) sessionStorage.setItem(KEY, JSON.stringify(target));
    else sessionStorage.removeItem(KEY);
  } catch {
    // One joins by hand then.
  }
}

/** The call that this page was in before it was loaded again. */
function remembered(): Target | null {
  const [navigation] = performance.getEntriesByType?.('navigation') ?? [];
  try {
    const text = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    return text && (navigation as PerformanceNavigationTiming | undefined)?.type === 'reload' ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

class Door {
  parts = $state.raw<Parts | null>(null);
  /** To be joined once the group is known. */
  back = $state.raw<Target | null>(remembered());

  get call(): Parts['call'] | null {
    return this.parts?.call ?? null;
  }

  /** The channel of the call that this tab is in. */
  get channel(): Id | undefined {
    return this.call?.target?.channel;
  }

  async load(): Promise<Parts | null> {
    try {
      this.parts ??= await import('./parts');
    } catch {
      toasts.complain(t.voice.loadFailed);
    }
    return this.parts;
  }

  async join(group: Id, channel: Id): Promise<void> {
    const [inGroup, where] = [groups.get(group), groups.channel(group, channel)];
    if (!inGroup || !where || this.channel === channel) return;
    (await this.load())?.call.join(inGroup, where);
  }

  leave(): void {
    this.call?.leave();
  }

  /** Joins again what one was in before the page was loaded anew. */
  comeBack(group: Group | undefined, channel: Channel | undefined): void {
    if (!this.back || !group || !channel) return;
    this.back = null;
    void this.join(group.id, channel.id);
  }
}

export const door = new Door();
