// Ids are numbers too large for JavaScript's, written in decimals; they tell the time at which they were made.

import type { Id } from './api/types';

const EPOCH = 1_420_070_400_000n;

/** Sorts by age. */
export function compare(a: Id, b: Id): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

export function isNewer(a: Id | null | undefined, b: Id | null | undefined): boolean {
  return !!a && compare(a, b ?? '0') > 0;
}

/** When it was made, in milliseconds since 1970. */
export function madeAt(id: Id): number {
  return Number((BigInt(id) >> 22n) + EPOCH);
}

/** The smallest id of a moment. */
export function firstOf(ms: number): Id {
  return String((BigInt(ms) - EPOCH) << 22n);
}

let counter = 0;

/** A mark of a message of ours that is on its way; at most 25 characters. */
export function nonce(): string {
  counter = (counter + 1) % 1000;
  const [chance] = crypto.getRandomValues(new Uint32Array(1));
  return `${Date.now()}${String(counter).padStart(3, '0')}${String(chance! % 1e6).padStart(6, '0')}`;
}
