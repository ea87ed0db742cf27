// All emoji with their names; loaded when somebody first looks for one.

import url from 'emoji-picker-element-data/en/emojibase/data.json?url';
import { read, write } from '../state/stored.svelte';

export interface Emoji {
  emoji: string;
  name: string;
  words: string;
  codes: string[];
  group: number;
}

interface Row {
  emoji: string;
  annotation: string;
  tags?: string[];
  shortcodes?: string[];
  group: number;
  order: number;
  version: number;
}

/** Newer ones are boxes on too many machines. */
const NEWEST = 15;
const MOST_RECENT = 24;

let loading: Promise<Emoji[]> | undefined;

export function load(): Promise<Emoji[]> {
  loading ??= fetch(url)
    .then((response) => response.json())
    .then((rows: Row[]) =>
      rows
        .filter(({ version, group }) => version <= NEWEST && group !== 2)
        .sort((a, b) => a.order - b.order)
        .map(({ emoji, annotation, tags = [], shortcodes = [], group }) => ({
          emoji, name: annotation, codes: shortcodes, group, words: [annotation, ...tags, ...shortcodes].join(' ').toLowerCase().replaceAll('_', ' '),
        })),
    )
    .catch((error) => {
      loading = undefined;
      throw error;
    });
  return loading;
}

/** Those whose name, or a word about them, begins with what is typed; the best first. */
export function find(all: Emoji[], text: string, most: number): Emoji[] {
  const words = text.toLowerCase().replaceAll('_', ' ').split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const scored: [number, Emoji][] = [];
  for (const emoji of all) {
    if (!words.every((word) => emoji.words.startsWith(word) || emoji.words.includes(` ${word}`))) continue;
    const exact = emoji.codes.includes(text) ? 0 : emoji.codes.some((code) => code.startsWith(text)) ? 1 : emoji.name.startsWith(words[0]!) ? 2 : 3;
    scored.push([exact, emoji]);
  }
  return scored.sort(([a], [b]) => a - b).slice(0, most).map(([, emoji]) => emoji);
}

export const recent = () => read<string[]>('emoji', ['👍', '❤️', '😂', '🎉', '👀', '😮']);

export function used(emoji: string): void {
  write('emoji', [emoji, ...recent().filter((other) => other !== emoji)].slice(0, MOST_RECENT));
}
