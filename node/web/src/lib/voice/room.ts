// What goes on in the room one is in, as its socket tells it.

import type { Id } from '../api/types';
import { OP } from './core';

export type Kind = 'audio' | 'camera' | 'screen' | 'screen_audio';

export interface Streams {
  readonly camera: boolean;
  readonly screen: boolean;
}

export interface Slot {
  readonly mid: string;
  readonly user_id: Id | null;
  readonly stream: Kind | null;
  readonly rid: string | null;
  /** Nothing comes, for want of bandwidth. */
  readonly paused: boolean;
}

export interface Stats {
  readonly rtt_ms: number | null;
  readonly up_loss: number;
  readonly up_bps: number;
  readonly down_loss: number;
  readonly down_bps: number;
  readonly estimate_bps: number | null;
}

export interface Room {
  readonly people: ReadonlyMap<Id, Streams>;
  readonly slots: ReadonlyMap<string, Slot>;
  readonly speaking: ReadonlySet<Id>;
  readonly stats: Stats | null;
}

export const empty: Room = { people: new Map(), slots: new Map(), speaking: new Set(), stats: null };

type Client = { user_id: Id } & Streams;

function entered(people: ReadonlyMap<Id, Streams>, clients: readonly Client[]): Map<Id, Streams> {
  const after = new Map(people);
  for (const { user_id, camera, screen } of clients) after.set(user_id, { camera, screen });
  return after;
}

export function roomAfter(room: Room, op: number, d: any): Room {
  switch (op) {
    case OP.READY:
      return { ...empty, people: entered(new Map(), d.clients) };
    case OP.RESUMED:
      // Who fell silent meanwhile is not told.
      return { ...room, people: entered(new Map(), d.clients), speaking: new Set() };
    case OP.CLIENTS_CONNECT:
      return { ...room, people: entered(room.people, d.clients) };
    case OP.STREAMS:
      return { ...room, people: entered(room.people, [d]) };
    case OP.CLIENT_DISCONNECT: {
      const people = new Map(room.people);
      people.delete(d.user_id);
      const speaking = new Set(room.speaking);
      speaking.delete(d.user_id);
      return { ...room, people, speaking };
    }
    case OP.SPEAKING: {
      const speaking = new Set(room.speaking);
      if (d.speaking) speaking.add(d.user_id);
      else speaking.delete(d.user_id);
      return { ...room, speaking };
    }
    case OP.SLOTS: {
      const slots = new Map(room.slots);
      for (const slot of d.slots as Slot[]) slots.set(slot.mid, slot);
      return { ...room, slots };
    }
    case OP.STATS:
      return { ...room, stats: d };
    default:
      return room;
  }
}

/** Where somebody's stream plays. */
export function slotOf(room: Room, user: Id, stream: Kind): Slot | undefined {
  for (const slot of room.slots.values()) if (slot.user_id === user && slot.stream === stream) return slot;
  return undefined;
}

export type Quality = 'good' | 'fair' | 'poor';

/** How a call feels with such a connection. */
export function quality({ rtt_ms, up_loss, down_loss }: Stats): Quality {
  const loss = Math.max(up_loss, down_loss);
  const rtt = rtt_ms ?? 0;
  if (loss > 0.08 || rtt > 400) return 'poor';
  return loss > 0.02 || rtt > 180 ? 'fair' : 'good';
}
