// Mentions as people write them (@name, #channel) and as messages hold them (<@id>, <#id>).

import type { Id } from '../api/types';

export interface Known {
  user: (username: string) => Id | undefined;
  /** Names of roles, in any order. */
  roles: { id: Id; name: string }[];
  channels: { id: Id; name: string }[];
}

export interface Called {
  username: (id: Id) => string | undefined;
  role: (id: Id) => string | undefined;
  channel: (id: Id) => string | undefined;
}

/** Code is left as it is. */
const CODE = /(```[\s\S]*?(?:```|$)|`[^`\n]+`)/;

function outsideOfCode(text: string, change: (part: string) => string): string {
  return text
    .split(CODE)
    .map((part, n) => (n % 2 ? part : change(part)))
    .join('');
}

const pattern = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
/** The longest name first: of `mod` and `mod team` the one that is meant. */
const longest = <T extends { name: string }>(list: T[]) => [...list].sort((a, b) => b.name.length - a.name.length);

export function resolve(text: string, known: Known): string {
  return outsideOfCode(text, (part) => {
    for (const role of longest(known.roles)) {
      part = part.replace(new RegExp(`(^|[^\\w<])@${pattern(role.name)}(?![\\w])`, 'giu'), (_, before) => `${before}<@&${role.id}>`);
    }
    for (const channel of longest(known.channels)) {
      part = part.replace(new RegExp(`(^|[^\\w<&])#${pattern(channel.name)}(?![\\w-])`, 'gu'), (_, before) => `${before}<#${channel.id}>`);
    }
    return part.replace(/(^|[^\w<])@([a-z0-9_.]{2,32})/g, (all, before: string, name: string) => {
      // A sentence may end behind a name.
      for (const tried of [name, name.replace(/\.+$/, '')]) {
        const id = known.user(tried);
        if (id) return `${before}<@${id}>${name.slice(tried.length)}`;
      }
      return all;
    });
  });
}

export function unresolve(text: string, called: Called): string {
  return outsideOfCode(text, (part) =>
    part
      .replace(/<@!?(\d+)>/g, (all, id) => (called.username(id) ? `@${called.username(id)}` : all))
      .replace(/<@&(\d+)>/g, (all, id) => (called.role(id) ? `@${called.role(id)}` : all))
      .replace(/<#(\d+)>/g, (all, id) => (called.channel(id) ? `#${called.channel(id)}` : all)),
  );
}

/** What is being typed in front of the caret that can be completed. */
export function wordAt(text: string, caret: number): { mark: '@' | '#' | ':'; word: string; from: number } | null {
  const match = /(?:^|[\s(])([@#:])([\p{L}\p{N}_.+-]{0,32})$/u.exec(text.slice(0, caret));
  if (!match) return null;
  const [, mark, word] = match as unknown as [string, '@' | '#' | ':', string];
  if (mark === ':' && word.length < 2) return null;
  return { mark, word, from: caret - word.length - 1 };
}
