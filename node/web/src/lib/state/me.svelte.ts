// Oneself, and what one may do.

import type { Channel, Group, Id, Member, SelfUser, Status } from '../api/types';
import { connection } from '../gateway/socket.svelte';
import { P, type Permission, inChannel, inGroup, rank } from '../permissions';
import { groups } from './groups.svelte';
import { members } from './members.svelte';
import { people } from './people.svelte';
import { stored } from './stored.svelte';

/** The longest that a timer of a browser runs. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export type OwnStatus = Exclude<Status, 'offline'> | 'invisible';

class Me {
  user = $state.raw<SelfUser | null>(null);
  /** Rises when a time-out of one's own has run out, which nobody tells: what one may do is asked anew. */
  #released = $state(0);
  readonly #said = stored<{ status: OwnStatus; note: string }>('status', { status: 'online', note: '' });

  get id(): Id {
    return this.user?.id ?? '';
  }

  get status(): OwnStatus {
    return this.#said.value.status;
  }

  get note(): string {
    return this.#said.value.note;
  }

  /** Says how one wants to be seen. */
  say(change: { status?: OwnStatus; note?: string }): void {
    this.#said.value = { ...this.#said.value, ...change };
    connection.send(3, this.presence());
  }

  /** What the gateway is told of it. */
  presence(): unknown {
    const { status, note } = this.#said.value;
    const activities = note ? [{ type: 4, name: 'Custom Status', state: note }] : [];
    return { status, activities, since: 0, afk: false };
  }

  #holder(group: Id) {
    void this.#released;
    const member = members.get(group, this.id);
    return { id: this.id, roles: member?.roles ?? [], timeout: member?.communication_disabled_until };
  }

  /** Whether one may do something in a group, or in one of its channels. */
  may(permission: Permission, group: Group | undefined, channel?: Channel): boolean {
    if (!group) return false;
    const holder = this.#holder(group.id);
    const held = channel ? inChannel(group, channel, holder) : inGroup(group, holder);
    return (held & P[permission]) !== 0n;
  }

  /** One's highest place in a group. */
  rank(group: Group): number {
    return rank(group, this.#holder(group.id));
  }

  /** Whether one stands above somebody. */
  isAbove(group: Group, user: Id): boolean {
    const roles = members.get(group.id, user)?.roles ?? [];
    return user !== group.owner_id && user !== this.id && this.rank(group) > rank(group, { id: user, roles });
  }

  /** Until when one is timed out there, if one is. */
  timeout(group: Id): number | null {
    void this.#released;
    const until = members.get(group, this.id)?.communication_disabled_until;
    const at = until ? Date.parse(until) : 0;
    return at > Date.now() ? at : null;
  }

  fold(event: string, data: any): void {
    if (event === 'READY') this.user = data.user;
    else if (event === 'USER_UPDATE' && data.id === this.id) {
      this.user = { ...this.user!, ...data };
      people.learn(data);
    } else if (event === 'GUILD_CREATE') {
      this.#await(data.members.find(({ user }: Member) => user.id === this.id));
    } else if (event === 'GUILD_MEMBER_UPDATE' && data.user.id === this.id) {
      this.#await(data);
    }
  }

  #await(own: Member | undefined): void {
    const left = Date.parse(own?.communication_disabled_until ?? '') - Date.now();
    if (left > 0) setTimeout(() => this.#released++, Math.min(left, LONGEST_TIMER_MS));
  }

  /** Whether somebody is meant by a message: by name, by a role, or with everybody. */
  isMentioned(message: { mention_everyone: boolean; mentions: { id: Id }[]; mention_roles: Id[]; guild_id?: Id; channel_id: Id }): boolean {
    if (message.mention_everyone || message.mentions.some(({ id }) => id === this.id)) return true;
    const group = message.guild_id ?? groups.of(message.channel_id);
    const held = members.get(group, this.id)?.roles ?? [];
    return message.mention_roles.some((role) => held.includes(role));
  }
}

export const me = new Me();
