// What the word in front of the caret may become.

import * as api from '../api/routes';
import type { Channel, DirectChannel, Group } from '../api/types';
import { ChannelType } from '../api/types';
import { me } from '../state/me.svelte';
import { members } from '../state/members.svelte';
import { people } from '../state/people.svelte';
import { t } from '../text';
import { hex } from '../ui/look';

export interface Suggestion {
  key: string;
  mark: string;
  name: string;
  about: string;
  /** What stands in the text then. */
  put: string;
  colour?: string;
}

const MOST = 8;

/** How well a name fits: nothing when not at all. */
export function fit(name: string, word: string): number | null {
  const [a, b] = [name.toLocaleLowerCase(), word.toLocaleLowerCase()];
  if (a.startsWith(b)) return 0;
  if (a.split(/[\s_.-]/).some((part) => part.startsWith(b))) return 1;
  return a.includes(b) ? 2 : null;
}

function best<T>(list: T[], names: (thing: T) => string[], word: string): T[] {
  const scored: [number, T][] = [];
  for (const thing of list) {
    const scores = names(thing).map((name) => fit(name, word)).filter((score) => score !== null);
    if (scores.length) scored.push([Math.min(...scores), thing]);
  }
  return scored.sort(([a], [b]) => a - b).slice(0, MOST).map(([, thing]) => thing);
}

interface Where {
  group?: Group;
  channel?: Channel;
  direct?: DirectChannel;
}

export async function suggest({ mark, word }: { mark: string; word: string }, where: Where): Promise<Suggestion[]> {
  switch (mark) {
    case '@':
      return mentions(word, where);
    case '#':
      return best(where.group?.channels.filter(({ type }) => type !== ChannelType.Category) ?? [], ({ name }) => [name], word).map((channel) => ({
        key: channel.id, mark: '#', name: channel.name, about: channel.topic ?? '', put: `#${channel.name}`,
      }));
    default: {
      const { find, load } = await import('../emoji/data');
      return find(await load().catch(() => []), word, MOST).map(({ emoji, codes, name }) => ({
        key: emoji, mark: emoji, name: `:${codes[0] ?? name}:`, about: name, put: emoji,
      }));
    }
  }
}

async function mentions(word: string, { group, channel, direct }: Where): Promise<Suggestion[]> {
  if (!group) {
    const users = [...(direct?.recipients ?? []), ...(me.user ? [me.user] : [])];
    return best(users, (user) => [user.username, user.global_name ?? ''], word).map((user) => ({
      key: user.id, mark: '@', name: people.name(user.id), about: user.username, put: `@${user.username}`,
    }));
  }
  const known = members.known(group.id);
  // Of a large group the client knows only some.
  if (word && known.length < group.member_count) {
    const found = await api.members.search(group.id, word, MOST).catch(() => []);
    for (const member of found) members.learn(group.id, member);
  }
  const users = best(members.known(group.id), ({ nick, user }) => [nick ?? '', user.global_name ?? '', user.username], word).map(({ user }) => ({
    key: user.id, mark: '@', name: members.name(group.id, user.id), about: user.username, put: `@${user.username}`, colour: members.colour(group.id, user.id),
  }));
  const mayAll = me.may('MENTION_EVERYONE', group, channel);
  const roles = group.roles.filter((role) => role.id !== group.id && (role.mentionable || mayAll));
  const named = best(roles, ({ name }) => [name], word).map((role) => ({
    key: role.id, mark: '@', name: role.name, about: t.settings.pages.roles, put: `@${role.name}`, colour: role.color ? hex(role.color) : undefined,
  }));
  const all = mayAll ? best([['everyone', t.composer.everyone], ['here', t.composer.here]], ([name]) => [name!], word) : [];
  return [...users, ...named, ...all.map(([name, about]) => ({ key: name!, mark: '@', name: name!, about: about!, put: `@${name}` }))].slice(0, MOST);
}
