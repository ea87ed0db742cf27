// What the call view shows, how large, and what it asks the room for.

import type { Id } from '../api/types';
import { compare } from '../ids';
import type { Kind } from './room';

export type Shown = 'camera' | 'screen';

/** A tile: somebody, or the screen of somebody. */
export interface TileOf {
  readonly user: Id;
  readonly stream: Shown;
}

export const keyOf = ({ user, stream }: TileOf) => `${user}/${stream}`;

interface Person {
  readonly user: Id;
  readonly screen: boolean;
}

/** Everybody has a tile, and each screen one of its own, before that of its owner. */
export function tilesOf(people: readonly Person[]): TileOf[] {
  const tiles: TileOf[] = [];
  for (const { user, screen } of people) {
    if (screen) tiles.push({ user, stream: 'screen' });
    tiles.push({ user, stream: 'camera' });
  }
  return tiles;
}

/** What is shown large. `choice` is the person's: a tile, `null` for none, or `undefined` for what is best: somebody's screen. */
export function focusOf(choice: string | null | undefined, tiles: readonly TileOf[], self: Id): TileOf | null {
  if (choice === null) return null;
  const chosen = tiles.find((tile) => keyOf(tile) === choice);
  return chosen ?? tiles.findLast(({ user, stream }) => stream === 'screen' && user !== self) ?? null;
}

export interface Grid {
  columns: number;
  width: number;
  height: number;
}

const RATIO = 16 / 9;
/** Below that a face is no face any more: the rest is reached by scrolling. */
const LEAST = 140;

/** The division of a room into so many tiles that makes them largest. Where it is higher than wide, so may they be: up to squares. */
export function gridOf(count: number, width: number, height: number, gap: number): Grid {
  const least = width < height ? 1 : RATIO;
  let best: Grid = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const across = (width - gap * (columns - 1)) / columns;
    const down = (height - gap * (rows - 1)) / rows;
    const w = Math.min(across, down * RATIO);
    const h = Math.min(down, w / least);
    if (w * h > best.width * best.height) best = { columns, width: w, height: h };
  }
  if (best.width < LEAST && width > 0) {
    const columns = Math.max(1, Math.floor((width + gap) / (LEAST + gap)));
    const across = (width - gap * (columns - 1)) / columns;
    best = { columns, width: across, height: across / least };
  }
  return { columns: best.columns, width: Math.floor(Math.max(0, best.width)), height: Math.floor(Math.max(0, best.height)) };
}

export interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A row of small tiles below the large one. */
const STRIP = { height: 112, least: 96 };

/** Where each tile is in a room of this size, and how high all of it is. */
export function placesOf(tiles: readonly TileOf[], focus: TileOf | null, width: number, height: number, gap: number): { places: Place[]; height: number } {
  const at = focus ? tiles.findIndex((tile) => keyOf(tile) === keyOf(focus)) : -1;
  if (at < 0) {
    const { columns, width: w, height: h } = gridOf(tiles.length, width, height, gap);
    const rows = Math.ceil(tiles.length / columns);
    const all = rows * h + (rows - 1) * gap;
    const top = Math.max(0, Math.floor((height - all) / 2));
    const places = tiles.map((_tile, n) => {
      const row = Math.floor(n / columns);
      const inRow = row === rows - 1 ? tiles.length - row * columns : columns;
      const left = (width - inRow * w - (inRow - 1) * gap) / 2;
      return { x: Math.floor(left + (n % columns) * (w + gap)), y: top + row * (h + gap), width: w, height: h };
    });
    return { places, height: Math.max(height, all) };
  }
  const others = tiles.length - 1;
  if (!others) return { places: [{ x: 0, y: 0, width, height }], height };
  const columns = Math.min(others, Math.max(1, Math.floor((width + gap) / (STRIP.least + gap))));
  const most = Math.min(STRIP.height, height / 3);
  const w = Math.floor(Math.min(most * RATIO, (width - gap * (columns - 1)) / columns));
  const h = Math.floor(w / RATIO);
  const large = Math.max(0, height - h - gap);
  const rows = Math.ceil(others / columns);
  const left = Math.max(0, Math.floor((width - columns * w - (columns - 1) * gap) / 2));
  let n = 0;
  const places = tiles.map((_tile, index) => {
    if (index === at) return { x: 0, y: 0, width, height: large };
    const place = { x: left + (n % columns) * (w + gap), y: large + gap + Math.floor(n / columns) * (h + gap), width: w, height: h };
    n++;
    return place;
  });
  return { places, height: large + rows * (h + gap) };
}

export interface Want {
  user_id: Id;
  stream: Kind;
  /** Device pixels. */
  height: number;
}

/** Small changes of size are not worth another stream. */
const GRAIN = 20;

/** More than a room takes; and nothing is higher. */
const [MOST_WANTS, MOST_HEIGHT] = [64, 8_000];

/** What to ask the room for, the largest first, screens before faces of their size. */
export function wantsOf(seen: Iterable<TileOf & { height: number }>, ratio: number): Want[] {
  const list = [...seen].filter(({ height }) => height > 0);
  // Equals have an order, too: what changes its place for no reason is stopped and begun for none.
  list.sort((a, b) => b.height - a.height || Number(b.stream === 'screen') - Number(a.stream === 'screen') || compare(a.user, b.user));
  return list.slice(0, MOST_WANTS).map(({ user, stream, height }) => {
    const pixels = Math.ceil((height * ratio) / GRAIN) * GRAIN;
    return { user_id: user, stream, height: Math.min(MOST_HEIGHT, pixels) };
  });
}
