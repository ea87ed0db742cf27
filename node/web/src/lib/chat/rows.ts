// A stretch of a history as rows: messages under the heads of their authors, days, and where the new ones begin.

import type { Id, Message } from '../api/types';
import { MessageType } from '../api/types';
import { isNewer } from '../ids';
import type { Pending } from '../state/outbox.svelte';
import type { Timeline } from '../state/messages.svelte';
import { dayOf } from '../time';

export type Row =
  | { kind: 'start'; key: string }
  | { kind: 'day'; key: string; at: number }
  | { kind: 'new'; key: string }
  | { kind: 'blocked'; key: string; messages: Message[] }
  | { kind: 'message'; key: string; message: Message; head: boolean; at: number }
  | { kind: 'pending'; key: string; pending: Pending; head: boolean };

export interface Marks {
  /** The last message that was read before; what is newer is new. */
  unreadAfter: Id | null;
  me: Id;
  isBlocked: (user: Id) => boolean;
}

/** Messages of one author this close together stand under one head. */
const TOGETHER_MS = 7 * 60_000;

const times = new WeakMap<Message, { at: number; day: number }>();

function timeOf(message: Message): { at: number; day: number } {
  let time = times.get(message);
  if (!time) {
    const at = Date.parse(message.timestamp);
    times.set(message, (time = { at, day: dayOf(at) }));
  }
  return time;
}

export const isSystem = ({ type }: Message) => type !== MessageType.Default && type !== MessageType.Reply;

/** The same key from the moment one sends it: the row stays the same one. */
export const keyOf = (message: Message, me: Id) => (message.nonce && message.author.id === me ? `n${message.nonce}` : message.id);

export function buildRows(timeline: Timeline, pending: readonly Pending[], marks: Marks): Row[] {
  const rows: Row[] = [];
  if (!timeline.hasOlder && !timeline.isStale) rows.push({ kind: 'start', key: 'start' });
  let day = 0;
  let author = '';
  let last = 0;
  let isNew = false;
  for (const message of timeline.items) {
    const time = timeOf(message);
    if (time.day !== day) {
      day = time.day;
      rows.push({ kind: 'day', key: `d${day}`, at: time.at });
      author = '';
    }
    if (!isNew && marks.unreadAfter !== null && message.author.id !== marks.me && isNewer(message.id, marks.unreadAfter)) {
      isNew = true;
      rows.push({ kind: 'new', key: 'new' });
      author = '';
    }
    if (marks.isBlocked(message.author.id)) {
      const before = rows.at(-1);
      if (before?.kind === 'blocked') before.messages.push(message);
      else rows.push({ kind: 'blocked', key: `b${message.id}`, messages: [message] });
      author = '';
      continue;
    }
    const system = isSystem(message);
    const head = system || message.author.id !== author || time.at - last > TOGETHER_MS || message.type === MessageType.Reply;
    rows.push({ kind: 'message', key: keyOf(message, marks.me), message, head, at: time.at });
    author = system ? '' : message.author.id;
    last = time.at;
  }
  if (!timeline.hasNewer) {
    for (const one of pending) {
      const head = author !== marks.me || one.at - last > TOGETHER_MS || one.replyTo !== null;
      rows.push({ kind: 'pending', key: `n${one.nonce}`, pending: one, head });
      author = marks.me;
      last = one.at;
    }
  }
  return rows;
}

/** How many rows came in front of what was the first message before. */
export function grewAtStart(before: readonly Row[], after: readonly Row[]): boolean {
  const first = before.find((row) => row.kind === 'message');
  if (!first || after.length <= before.length) return false;
  const at = after.findIndex(({ key }) => key === first.key);
  return at > before.indexOf(first);
}
