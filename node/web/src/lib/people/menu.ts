// What one can do to somebody.

import AtSign from '@lucide/svelte/icons/at-sign';
import Ban from '@lucide/svelte/icons/ban';
import Clock from '@lucide/svelte/icons/clock';
import MessageCircle from '@lucide/svelte/icons/message-circle';
import Pencil from '@lucide/svelte/icons/pencil';
import UserMinus from '@lucide/svelte/icons/user-minus';
import UserPlus from '@lucide/svelte/icons/user-plus';
import UserX from '@lucide/svelte/icons/user-x';
import * as api from '../api/routes';
import { type DirectChannel, type Group, type Id, RelationType } from '../api/types';
import { dialogs } from '../dialogs/dialogs.svelte';
import { router } from '../router.svelte';
import { directs } from '../state/directs.svelte';
import { drafts } from '../state/drafts.svelte';
import { me } from '../state/me.svelte';
import { members } from '../state/members.svelte';
import { people } from '../state/people.svelte';
import { relations } from '../state/relations.svelte';
import { focusComposer } from '../state/view.svelte';
import { t } from '../text';
import { act } from '../ui/act';
import type { MenuItem } from '../ui/menu.svelte';
import { voiceItems } from './voice';

export async function write(user: Id): Promise<void> {
  await act(async () => router.go({ at: 'direct', channel: await directs.open([user]) }));
}

export async function unfriend(user: Id): Promise<void> {
  const said = await dialogs.confirm({ title: t.friends.remove, about: t.friends.removeAbout(people.name(user)), yes: t.friends.remove, danger: true });
  if (said) await act(() => api.friends.remove(user));
}

export async function block(user: Id): Promise<void> {
  const said = await dialogs.confirm({ title: t.friends.block, about: t.friends.blockAbout(people.name(user)), yes: t.friends.block, danger: true });
  if (said) await act(() => api.friends.put(user, 2));
}

export async function kick(group: Id, user: Id): Promise<void> {
  const said = await dialogs.confirm({ title: t.people.kickTitle(members.name(group, user)), about: t.people.kickAbout, yes: t.people.kick, danger: true, reason: true });
  if (said) await act(() => api.members.kick(group, user, said.reason || undefined));
}

/** Puts a mention into what one is writing. */
function mention(user: Id): void {
  const area = document.querySelector<HTMLTextAreaElement>('#composer');
  const name = people.get(user)?.username;
  if (!area || !name) return;
  focusComposer();
  area.setRangeText(`@${name} `, area.selectionStart, area.selectionEnd, 'end');
  area.dispatchEvent(new InputEvent('input', { bubbles: true }));
  drafts.set(router.channel ?? '', area.value);
}

export function personMenu(user: Id, group: Group | undefined, direct?: DirectChannel): MenuItem[] {
  const isMe = user === me.id;
  const relation = relations.of(user);
  const isBot = people.get(user)?.bot ?? false;
  const member = members.get(group?.id, user);
  const above = !!group && !!member && me.isAbove(group, user);
  const timedOut = !!member?.communication_disabled_until && Date.parse(member.communication_disabled_until) > Date.now();
  const items: (MenuItem | false)[] = [
    !isMe && { label: t.people.message, icon: MessageCircle, run: () => void write(user) },
    !isMe && !!router.channel && { label: t.people.mention, icon: AtSign, run: () => mention(user) },
    !isMe && !isBot && relation === 0 && { label: t.friends.add, icon: UserPlus, run: () => void act(() => api.friends.put(user), t.friends.asked(people.name(user))) },
    !isMe && relation === RelationType.Incoming && { label: t.friends.accept, icon: UserPlus, run: () => void act(() => api.friends.put(user)) },
    relation === RelationType.Friend && { label: t.friends.remove, icon: UserMinus, run: () => void unfriend(user) },
    !isMe && (relation === RelationType.Blocked
      ? { label: t.friends.unblock, icon: Ban, run: () => void act(() => api.friends.remove(user)) }
      : { label: t.friends.block, icon: Ban, danger: true, run: () => void block(user) }),
    !!group && (isMe ? me.may('CHANGE_NICKNAME', group) : above && me.may('MANAGE_NICKNAMES', group)) && { label: t.people.nick, icon: Pencil, apart: true, run: () => dialogs.show({ kind: 'nick', group: group.id, user }) },
    above && me.may('MODERATE_MEMBERS', group) && (timedOut
      ? { label: t.people.timeoutEnd, icon: Clock, run: () => void act(() => api.members.update(group.id, user, { communication_disabled_until: null })) }
      : { label: t.people.timeout, icon: Clock, run: () => dialogs.show({ kind: 'timeout', group: group.id, user }) }),
    above && me.may('KICK_MEMBERS', group) && { label: t.people.kick, icon: UserX, danger: true, run: () => void kick(group.id, user) },
    above && me.may('BAN_MEMBERS', group) && { label: t.people.ban, icon: Ban, danger: true, run: () => dialogs.show({ kind: 'ban', group: group.id, user }) },
    direct?.type === 3 && direct.owner_id === me.id && !isMe && { label: t.people.removeFew, icon: UserX, danger: true, apart: true, run: () => void act(() => api.directs.drop(direct.id, user)) },
  ];
  const general = items.filter((item) => item !== false);
  const voice = voiceItems(user, group);
  // Whoever is heard is mostly meant as such.
  return voice.length ? [...voice, ...general.map((item, n) => (n ? item : { ...item, apart: true }))] : general;
}
