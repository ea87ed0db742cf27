// Whom and what one can mention where one is.

import type { DirectChannel, Group } from '../api/types';
import { ChannelType } from '../api/types';
import { me } from '../state/me.svelte';
import { members } from '../state/members.svelte';
import { people } from '../state/people.svelte';
import type { Called, Known } from './mentions';

export function knownIn(group: Group | undefined, direct?: DirectChannel): Known {
  const all = group ? members.known(group.id).map(({ user }) => user) : (direct?.recipients ?? [...people.users.values()]);
  const byName = new Map(all.map((user) => [user.username, user.id]));
  const mayAll = me.may('MENTION_EVERYONE', group);
  return {
    user: (username) => byName.get(username),
    roles: group?.roles.filter((role) => role.id !== group.id && (role.mentionable || mayAll)) ?? [],
    channels: group?.channels.filter(({ type }) => type !== ChannelType.Category) ?? [],
  };
}

export function calledIn(group: Group | undefined): Called {
  return {
    username: (id) => people.get(id)?.username,
    role: (id) => group?.roles.find((role) => role.id === id)?.name,
    channel: (id) => group?.channels.find((channel) => channel.id === id)?.name,
  };
}
