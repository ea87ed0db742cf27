// What mentions are called in a group, or in a direct channel.

import type { Id } from '../api/types';
import { groups } from '../state/groups.svelte';
import { me } from '../state/me.svelte';
import { members } from '../state/members.svelte';
import * as time from '../time';
import type { Names } from './render';

function shown(seconds: number, style: string | undefined): string {
  const at = seconds * 1000;
  switch (style) {
    case 'R':
      return time.ago(at);
    case 't':
    case 'T':
      return time.clock(at);
    case 'd':
    case 'D':
      return time.date(at);
    case 'F':
      return time.fullTime(at);
    default:
      return time.dateTime(at);
  }
}

export function namesIn(group: Id | undefined, everyone = false): Names {
  return {
    user: (id) => {
      if (group && !members.get(group, id)) members.want(group, id);
      return members.name(group, id);
    },
    role: (id) => groups.get(group)?.roles.find((role) => role.id === id),
    channel: (id) => groups.channel(groups.of(id), id)?.name,
    isMe: (kind, id) => (kind === 'user' ? id === me.id : (members.get(group, me.id)?.roles.includes(id) ?? false)),
    time: shown,
    everyone,
  };
}
