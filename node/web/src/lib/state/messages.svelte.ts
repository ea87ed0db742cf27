// Histories of channels: a stretch of each, without holes, which may end before the present.

import { SvelteMap } from 'svelte/reactivity';
import * as api from '../api/routes';
import type { Id, Message, Reaction } from '../api/types';
import { compare } from '../ids';
import { me } from './me.svelte';
import { people } from './people.svelte';

/** A stretch of a history, the oldest first. */
export interface Timeline {
  readonly items: readonly Message[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  /** Something may have been missed meanwhile: it must be read again. */
  readonly isStale: boolean;
}

export const PAGE = 50;
/** Messages of one channel that are kept. */
export const MOST = 20_000;
/** Channels whose messages are kept. */
const CHANNELS = 30;

export const nothing: Timeline = { items: [], hasOlder: true, hasNewer: false, isStale: true };

/** Where a message is, or would be. */
function place(items: readonly Message[], id: Id): { at: number; found: boolean } {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(items[middle]!.id, id) < 0) low = middle + 1;
    else high = middle;
  }
  return { at: low, found: items[low]?.id === id };
}

export function find(timeline: Timeline | undefined, id: Id): Message | undefined {
  if (!timeline) return undefined;
  const { at, found } = place(timeline.items, id);
  return found ? timeline.items[at] : undefined;
}

/** A message came. Nobody sees it here while the stretch ends before the present. */
export function received(timeline: Timeline, message: Message): Timeline {
  if (timeline.hasNewer || timeline.isStale) return timeline;
  const { at, found } = place(timeline.items, message.id);
  if (found) return { ...timeline, items: timeline.items.with(at, message) };
  const items = at === timeline.items.length ? [...timeline.items, message] : timeline.items.toSpliced(at, 0, message);
  const tooMany = items.length > MOST;
  return { ...timeline, items: tooMany ? items.slice(items.length - MOST) : items, hasOlder: timeline.hasOlder || tooMany };
}

export function changed(timeline: Timeline, id: Id, change: (message: Message) => Message): Timeline {
  const { at, found } = place(timeline.items, id);
  return found ? { ...timeline, items: timeline.items.with(at, change(timeline.items[at]!)) } : timeline;
}

export function removed(timeline: Timeline, ids: readonly Id[]): Timeline {
  const gone = new Set(ids);
  const items = timeline.items.filter(({ id }) => !gone.has(id));
  if (items.length === timeline.items.length) return timeline;
  // Who answered it must not show it any more.
  const answered = items.map((m) => (m.referenced_message && gone.has(m.referenced_message.id) ? { ...m, referenced_message: null } : m));
  return { ...timeline, items: answered };
}

/** A page, newest first as it comes, joined with what is there. */
export function joined(timeline: Timeline, page: readonly Message[], where: 'newest' | 'older' | 'newer' | 'around', size: number): Timeline {
  const fresh = [...page].reverse();
  switch (where) {
    case 'newest':
      return { items: fresh, hasOlder: page.length >= size, hasNewer: false, isStale: false };
    case 'around':
      return { items: fresh, hasOlder: true, hasNewer: true, isStale: false };
    case 'older': {
      const first = timeline.items[0];
      const older = first ? fresh.filter((m) => compare(m.id, first.id) < 0) : fresh;
      return { ...timeline, items: [...older, ...timeline.items], hasOlder: page.length >= size };
    }
    case 'newer': {
      const last = timeline.items.at(-1);
      const newer = last ? fresh.filter((m) => compare(m.id, last.id) > 0) : fresh;
      return { ...timeline, items: [...timeline.items, ...newer], hasNewer: page.length >= size };
    }
  }
}

/** Reactions after one of an emoji was added (`by` 1) or taken back (-1). */
export function reacted(reactions: readonly Reaction[] | undefined, emoji: string, by: 1 | -1, isMine: boolean): Reaction[] {
  const list = reactions ?? [];
  const known = list.find((reaction) => reaction.emoji.name === emoji);
  if (!known) return by > 0 ? [...list, { count: 1, me: isMine, emoji: { id: null, name: emoji } }] : [...list];
  // One's own was counted when it was sent.
  if (isMine && known.me === by > 0) return [...list];
  const next = { ...known, count: known.count + by, me: isMine ? by > 0 : known.me };
  return list.flatMap((reaction) => (reaction === known ? (next.count > 0 ? [next] : []) : [reaction]));
}

/** A timeline after an event in its channel. */
export function timelineAfter(timeline: Timeline, event: string, data: any, mine: Id): Timeline {
  switch (event) {
    case 'MESSAGE_CREATE':
      return received(timeline, data);
    case 'MESSAGE_UPDATE':
      // The event has no one reader, so it does not know which reactions are one's own.
      return changed(timeline, data.id, (old) => ({ ...old, ...data, reactions: old.reactions }));
    case 'MESSAGE_DELETE':
      return removed(timeline, [data.id]);
    case 'MESSAGE_DELETE_BULK':
      return removed(timeline, data.ids);
    case 'MESSAGE_REACTION_ADD':
    case 'MESSAGE_REACTION_REMOVE':
      return changed(timeline, data.message_id, (old) => ({
        ...old,
        reactions: reacted(old.reactions, data.emoji.name, event.endsWith('ADD') ? 1 : -1, data.user_id === mine),
      }));
    case 'MESSAGE_REACTION_REMOVE_ALL':
      return changed(timeline, data.message_id, (old) => ({ ...old, reactions: [] }));
    case 'MESSAGE_REACTION_REMOVE_EMOJI':
      return changed(timeline, data.message_id, (old) => ({
        ...old,
        reactions: old.reactions?.filter(({ emoji }) => emoji.name !== data.emoji.name),
      }));
    default:
      return timeline;
  }
}

class Messages {
  readonly all = new SvelteMap<Id, Timeline>();
  readonly #loading = new Map<string, Promise<void>>();
  /** What happened in channels of which a page is being read. */
  readonly #meanwhile = new Map<Id, [string, unknown][]>();

  of(channel: Id): Timeline {
    return this.all.get(channel) ?? nothing;
  }

  find(channel: Id, id: Id): Message | undefined {
    return find(this.all.get(channel), id);
  }

  /** Changes at once what the server will tell everybody. */
  apply(channel: Id, event: string, data: unknown): void {
    const timeline = this.all.get(channel);
    if (!timeline) return;
    const after = timelineAfter(timeline, event, data, me.id);
    if (after !== timeline) this.all.set(channel, after);
  }

  fold(event: string, data: any): void {
    if (event === 'READY') {
      this.#mistrust(this.all.keys());
    } else if (event === 'GUILD_CREATE') {
      // One comes (back), or the group does: nobody told what happened until now.
      this.#mistrust(data.channels.map(({ id }: { id: Id }) => id));
    } else if (event === 'CHANNEL_DELETE') {
      this.all.delete(data.id);
    } else if (event.startsWith('MESSAGE_') && event !== 'MESSAGE_ACK') {
      if (!event.startsWith('MESSAGE_REACTION')) this.#meanwhile.get(data.channel_id)?.push([event, data]);
      this.apply(data.channel_id, event, data);
    }
  }

  /** Something may have been missed: they must be read again. */
  #mistrust(channels: Iterable<Id>): void {
    for (const channel of [...channels]) {
      const timeline = this.all.get(channel);
      if (timeline) this.all.set(channel, { ...timeline, isStale: true });
    }
  }

  /** Reads a page; the same one is not read twice at a time. */
  load(channel: Id, where: 'newest' | 'older' | 'newer' | 'around', around?: Id): Promise<void> {
    const key = `${channel}/${where}/${around ?? ''}`;
    const running = this.#loading.get(key);
    if (running) return running;
    const loading = this.#load(channel, where, around).finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  async #load(channel: Id, where: 'newest' | 'older' | 'newer' | 'around', around?: Id): Promise<void> {
    const { items } = this.of(channel);
    const page =
      where === 'older' ? { before: items[0]?.id } : where === 'newer' ? { after: items.at(-1)?.id } : where === 'around' ? { around } : {};
    const size = items.length > PAGE && where !== 'newest' ? 100 : PAGE;
    const meanwhile: [string, unknown][] = [];
    this.#meanwhile.set(channel, meanwhile);
    try {
      const got = await api.messages.list(channel, { ...page, limit: size });
      for (const message of got) people.learn(message.author);
      let timeline = joined(this.of(channel), got, where, size);
      // What happened while the page was under way may be missing in it.
      for (const [event, data] of meanwhile) timeline = timelineAfter(timeline, event, data, me.id);
      this.all.delete(channel);
      this.all.set(channel, timeline);
    } finally {
      if (this.#meanwhile.get(channel) === meanwhile) this.#meanwhile.delete(channel);
    }
    for (const key of this.all.keys()) {
      if (this.all.size <= CHANNELS) break;
      this.all.delete(key);
    }
  }
}

export const messages = new Messages();
