// Everybody the client has heard of: profiles and who is online.

import { SvelteMap } from 'svelte/reactivity';
import type { Id, Presence, Ready, Status, User } from '../api/types';

function isSame(a: User, b: User): boolean {
  return a.username === b.username && a.global_name === b.global_name && a.avatar === b.avatar;
}

class People {
  readonly users = new SvelteMap<Id, User>();
  readonly presences = new SvelteMap<Id, Presence>();

  get(id: Id): User | undefined {
    return this.users.get(id);
  }

  /** Takes a profile from wherever it came; one that says nothing new changes nothing. */
  learn(user: User | undefined): void {
    if (!user?.username) return;
    const known = this.users.get(user.id);
    if (!known || !isSame(known, user)) this.users.set(user.id, user);
  }

  status(id: Id): Status {
    return this.presences.get(id)?.status ?? 'offline';
  }

  /** What somebody says of himself. */
  note(id: Id): string {
    return this.presences.get(id)?.activities.find((activity) => activity.type === 4)?.state ?? '';
  }

  name(id: Id): string {
    const user = this.users.get(id);
    return user ? user.global_name || user.username : '…';
  }

  fold(event: string, data: any): void {
    switch (event) {
      case 'READY': {
        const ready = data as Ready;
        this.presences.clear();
        for (const user of ready.users) this.learn(user);
        this.learn(ready.user);
        for (const presence of ready.presences) this.presences.set(presence.user.id, presence);
        break;
      }
      case 'GUILD_CREATE':
        for (const member of data.members) this.learn(member.user);
        for (const presence of data.presences ?? []) this.presences.set(presence.user.id, presence);
        break;
      case 'PRESENCE_UPDATE':
        this.presences.set(data.user.id, data);
        break;
      case 'USER_UPDATE':
        this.learn(data);
        break;
      case 'GUILD_MEMBER_ADD':
      case 'GUILD_MEMBER_UPDATE':
      case 'CHANNEL_RECIPIENT_ADD':
      case 'RELATIONSHIP_ADD':
        this.learn(data.user);
        break;
      case 'VOICE_STATE_UPDATE':
        this.learn(data.member?.user);
        break;
      case 'GUILD_MEMBERS_CHUNK':
        for (const member of data.members) this.learn(member.user);
        for (const presence of data.presences ?? []) this.presences.set(presence.user.id, presence);
        break;
      case 'GUILD_MEMBER_LIST_UPDATE':
        for (const { items } of data.ops) {
          for (const { member } of items) {
            if (!member) continue;
            this.learn(member.user);
            this.presences.set(member.user.id, member.presence);
          }
        }
        break;
      case 'CHANNEL_CREATE':
        for (const user of data.recipients ?? []) this.learn(user);
        break;
      case 'MESSAGE_CREATE':
        this.learn(data.author);
        for (const user of data.mentions) this.learn(user);
        break;
    }
  }
}

export const people = new People();
