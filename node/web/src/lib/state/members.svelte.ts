// Members of groups as far as they are known: all of a small group's, of a large one those who were asked for.

import { SvelteMap } from 'svelte/reactivity';
import type { Id, Member, Message, Role } from '../api/types';
import { hex } from '../ui/look';
import { connection } from '../gateway/socket.svelte';
import { groups } from './groups.svelte';
import { people } from './people.svelte';

/** The colour of a role without one of its own is 0. */
export function colourOf(roles: readonly Role[], held: readonly Id[]): number {
  let best: Role | undefined;
  for (const role of roles) {
    if (role.color && held.includes(role.id) && (!best || role.position > best.position)) best = role;
  }
  return best?.color ?? 0;
}

export function memberAfter(member: Member | undefined, event: string, data: any): Member | undefined {
  switch (event) {
    case 'GUILD_MEMBER_ADD':
      return data;
    case 'GUILD_MEMBER_UPDATE':
      return { ...member, ...data };
    case 'GUILD_MEMBER_REMOVE':
      return undefined;
    default:
      return member;
  }
}

/** Ids that one request may name. */
const AT_ONCE = 100;

class Members {
  readonly #all = new SvelteMap<string, Member>();
  readonly #asked = new Set<string>();
  #wanted = new Map<Id, Set<Id>>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  get(group: Id | undefined, user: Id): Member | undefined {
    return group ? this.#all.get(`${group}/${user}`) : undefined;
  }

  /** How somebody is called where one is. */
  name(group: Id | undefined, user: Id): string {
    return this.get(group, user)?.nick || people.name(user);
  }

  /** The colour of a name, or nothing for that of all text. */
  colour(group: Id | undefined, user: Id): string | undefined {
    const member = this.get(group, user);
    const colour = member && colourOf(groups.get(group)?.roles ?? [], member.roles);
    // As much of it as can be read on the theme's ground.
    return colour ? `color-mix(in oklab, ${hex(colour)} var(--own-colour), var(--text))` : undefined;
  }

  roles(group: Id, user: Id): Role[] {
    const held = this.get(group, user)?.roles ?? [];
    return groups.get(group)?.roles.filter(({ id }) => held.includes(id)) ?? [];
  }

  /** Those of a group that are known, for search and completion. */
  known(group: Id): Member[] {
    const found: Member[] = [];
    for (const [key, member] of this.#all) if (key.startsWith(`${group}/`)) found.push(member);
    return found;
  }

  learn(group: Id, member: Member): void {
    people.learn(member.user);
    this.#all.set(`${group}/${member.user.id}`, member);
  }

  /** Asks for somebody whose roles and name are shown, once; requests of a moment go together. */
  want(group: Id, user: Id): void {
    const key = `${group}/${user}`;
    if (this.#all.has(key) || this.#asked.has(key)) return;
    this.#asked.add(key);
    const wanted = this.#wanted.get(group) ?? new Set();
    this.#wanted.set(group, wanted.add(user));
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const all = this.#wanted;
      this.#wanted = new Map();
      for (const [guild_id, users] of all) {
        const user_ids = [...users];
        for (let at = 0; at < user_ids.length; at += AT_ONCE) {
          connection.send(8, { guild_id, user_ids: user_ids.slice(at, at + AT_ONCE), presences: true });
        }
      }
    }, 50);
  }

  fold(event: string, data: any): void {
    switch (event) {
      case 'READY':
        this.#all.clear();
        this.#asked.clear();
        break;
      case 'GUILD_CREATE':
        for (const member of data.members) this.#all.set(`${data.id}/${member.user.id}`, member);
        break;
      case 'GUILD_MEMBERS_CHUNK':
        for (const member of data.members) this.#all.set(`${data.guild_id}/${member.user.id}`, member);
        break;
      case 'GUILD_MEMBER_LIST_UPDATE':
        for (const { items } of data.ops) {
          for (const { member } of items) if (member) this.#all.set(`${data.guild_id}/${member.user.id}`, member);
        }
        break;
      case 'GUILD_MEMBER_ADD':
      case 'GUILD_MEMBER_UPDATE':
      case 'GUILD_MEMBER_REMOVE': {
        const key = `${data.guild_id}/${data.user.id}`;
        const after = memberAfter(this.#all.get(key), event, data);
        if (after) this.#all.set(key, after);
        else this.#all.delete(key);
        break;
      }
      case 'VOICE_STATE_UPDATE':
        if (data.member?.user) this.#all.set(`${data.guild_id}/${data.user_id}`, data.member);
        break;
      case 'MESSAGE_CREATE': {
        const { guild_id, author, member } = data as Message & { member?: Omit<Member, 'user'> };
        if (guild_id && member && !this.#all.has(`${guild_id}/${author.id}`)) {
          this.#all.set(`${guild_id}/${author.id}`, { ...member, user: author });
        }
        break;
      }
      case 'GUILD_DELETE':
        for (const known of [this.#all, this.#asked]) {
          for (const key of known.keys()) if (key.startsWith(`${data.id}/`)) known.delete(key);
        }
        break;
    }
  }
}

export const members = new Members();
