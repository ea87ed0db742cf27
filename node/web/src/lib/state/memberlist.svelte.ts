// The member list of the group that is looked at: rows the server has put in order, a range at a time.

import type { Id, ListItem, ListUpdate } from '../api/types';
import { connection } from '../gateway/socket.svelte';

const RANGE = 100;
/** Ranges that may be looked at at the same time. */
const RANGES = 3;

export type Row = ListItem | null;

/** The rows after an update; those of ranges that did not come stay as they were. */
export function rowsAfter(rows: readonly Row[], update: ListUpdate): Row[] {
  const total = update.groups.reduce((all, { count }) => all + count + 1, 0);
  const next: Row[] = Array.from({ length: total }, (_, n) => rows[n] ?? null);
  for (const { range: [first, last], items } of update.ops) {
    for (let n = first; n <= last && n < total; n++) next[n] = items[n - first] ?? null;
  }
  return next;
}

/** The ranges that cover these rows. */
export function rangesFor(first: number, last: number): [number, number][] {
  const ranges: [number, number][] = [[0, RANGE - 1]];
  for (let n = Math.floor(first / RANGE); n <= Math.floor(last / RANGE); n++) {
    if (n > 0 && ranges.length < RANGES) ranges.push([n * RANGE, n * RANGE + RANGE - 1]);
  }
  return ranges;
}

class MemberList {
  rows = $state.raw<readonly Row[]>([]);
  online = $state(0);
  count = $state(0);
  #group: Id | null = null;
  #channel: Id = '';
  #shown: [number, number] = [0, RANGE - 1];
  #ranges = '';

  /** Looks at rows of a group's list. */
  look(group: Id, channel: Id, first = 0, last = RANGE - 1): void {
    if (group !== this.#group) {
      this.rows = [];
      this.#group = group;
      this.#ranges = '';
    }
    this.#channel = channel;
    this.#shown = [first, last];
    const ranges = rangesFor(first, last);
    const key = JSON.stringify(ranges);
    if (key === this.#ranges) return;
    if (connection.send(14, { guild_id: group, channels: { [channel]: ranges } })) this.#ranges = key;
  }

  /** Looks at nothing any more. */
  leave(): void {
    if (this.#group) connection.send(14, { guild_id: this.#group, channels: {} });
    this.#group = null;
    this.#ranges = '';
  }

  fold(event: string, data: any): void {
    if ((event === 'READY' || event === 'RESUMED') && this.#group) {
      // What a socket looked at ended with it.
      this.#ranges = '';
      const [group, channel, shown] = [this.#group, this.#channel, this.#shown];
      queueMicrotask(() => this.look(group, channel, ...shown));
    } else if (event === 'GUILD_MEMBER_LIST_UPDATE' && data.guild_id === this.#group) {
      this.rows = rowsAfter(this.rows, data);
      this.online = data.online_count;
      this.count = data.member_count;
    }
  }
}

export const memberList = new MemberList();
