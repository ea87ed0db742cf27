// Who is in which voice channel, in all groups; and, in one's own call, who speaks.

import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import type { Id, VoiceState } from '../api/types';
import { me } from './me.svelte';

/** Those in a channel after somebody's state has changed; in the order in which they came. */
export function inChannelAfter(list: readonly VoiceState[], state: VoiceState, channel: Id): readonly VoiceState[] {
  const at = list.findIndex(({ user_id }) => user_id === state.user_id);
  if (state.channel_id !== channel) return at < 0 ? list : list.toSpliced(at, 1);
  return at < 0 ? [...list, state] : list.with(at, state);
}

const NOBODY: readonly VoiceState[] = [];

class Voices {
  readonly #channels = new SvelteMap<Id, readonly VoiceState[]>();
  /** Where somebody is in a group: `group/user` to channel. */
  readonly #where = new SvelteMap<string, Id>();
  /** Oneself, in whatever tab or program. */
  mine = $state.raw<VoiceState | null>(null);
  /** Whose voice is heard now. Known only of one's own call. */
  readonly speaking = new SvelteSet<Id>();

  in(channel: Id): readonly VoiceState[] {
    return this.#channels.get(channel) ?? NOBODY;
  }

  of(group: Id | undefined, user: Id): VoiceState | undefined {
    const channel = group && this.#where.get(`${group}/${user}`);
    return channel ? this.in(channel).find(({ user_id }) => user_id === user) : undefined;
  }

  #put(state: VoiceState): void {
    const key = `${state.guild_id}/${state.user_id}`;
    const before = this.#where.get(key);
    for (const channel of new Set([before, state.channel_id])) {
      if (!channel) continue;
      const after = inChannelAfter(this.in(channel), state, channel);
      if (after.length) this.#channels.set(channel, after);
      else this.#channels.delete(channel);
    }
    if (state.channel_id) this.#where.set(key, state.channel_id);
    else this.#where.delete(key);
    if (state.user_id !== me.id) return;
    // One is in one channel of all groups: who leaves another group's does not leave this one.
    if (state.channel_id) this.mine = state;
    else if (this.mine?.guild_id === state.guild_id) this.mine = null;
  }

  #empty(channel: Id): void {
    for (const state of this.in(channel)) this.#put({ ...state, channel_id: null });
  }

  fold(event: string, data: any): void {
    switch (event) {
      case 'READY':
        this.#channels.clear();
        this.#where.clear();
        this.mine = null;
        break;
      case 'GUILD_CREATE':
        for (const channel of data.channels) this.#empty(channel.id);
        for (const state of data.voice_states ?? []) this.#put({ ...state, guild_id: data.id });
        break;
      case 'VOICE_STATE_UPDATE':
        if (data.guild_id) this.#put(data);
        break;
      case 'CHANNEL_DELETE':
        this.#empty(data.id);
        break;
      case 'GUILD_DELETE':
        for (const list of [...this.#channels.values()]) {
          for (const state of list) if (state.guild_id === data.id) this.#put({ ...state, channel_id: null });
        }
        break;
    }
  }
}

export const voices = new Voices();
