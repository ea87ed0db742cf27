// What the gateway says reaches every entity in the same order: profiles first, for the others speak of them.

import type { Dispatch } from '../gateway/socket.svelte';
import { announce } from '../notify';
import { directs } from './directs.svelte';
import { groups } from './groups.svelte';
import { me } from './me.svelte';
import { memberList } from './memberlist.svelte';
import { members } from './members.svelte';
import { messages } from './messages.svelte';
import { outbox } from './outbox.svelte';
import { people } from './people.svelte';
import { reads } from './reads.svelte';
import { relations } from './relations.svelte';
import { typing } from './typing.svelte';
import { voices } from './voices.svelte';

const entities = [me, people, groups, members, directs, relations, messages, outbox, reads, typing, memberList, voices];

/** Events that only say something to a bot, or that a view listens to itself. */
const listeners = new Set<(event: string, data: any) => void>();

export function listen(listener: (event: string, data: any) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function fold(batch: Dispatch[]): void {
  for (const { event, data } of batch) {
    for (const entity of entities) entity.fold(event, data);
    for (const listener of listeners) listener(event, data);
    if (event === 'MESSAGE_CREATE') announce(data);
  }
}

/** Waits until the picture of a group that one has just entered has come. */
export function arrival(group: string, within = 5_000): Promise<void> {
  if (groups.get(group)) return Promise.resolve();
  return new Promise((done) => {
    const end = () => {
      stop();
      done();
    };
    const stop = listen((event, data) => {
      if (event === 'GUILD_CREATE' && data.id === group) end();
    });
    setTimeout(end, within);
  });
}
