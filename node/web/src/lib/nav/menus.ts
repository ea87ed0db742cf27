// Menus of groups, channels and conversations.

import BellOff from '@lucide/svelte/icons/bell-off';
import CheckCheck from '@lucide/svelte/icons/check-check';
import FolderPlus from '@lucide/svelte/icons/folder-plus';
import LogOut from '@lucide/svelte/icons/log-out';
import Link from '@lucide/svelte/icons/link';
import Pencil from '@lucide/svelte/icons/pencil';
import Plus from '@lucide/svelte/icons/plus';
import Settings from '@lucide/svelte/icons/settings';
import Trash from '@lucide/svelte/icons/trash-2';
import User from '@lucide/svelte/icons/user';
import UserPlus from '@lucide/svelte/icons/user-plus';
import X from '@lucide/svelte/icons/x';
import * as api from '../api/routes';
import { type Channel, ChannelType, type DirectChannel, type Group } from '../api/types';
import { dialogs } from '../dialogs/dialogs.svelte';
import { format, router } from '../router.svelte';
import { directs } from '../state/directs.svelte';
import { groups, sections } from '../state/groups.svelte';
import { me } from '../state/me.svelte';
import { reads } from '../state/reads.svelte';
import { settings } from '../state/settings.svelte';
import { t } from '../text';
import { act, copy } from '../ui/act';
import { floats, type MenuItem } from '../ui/menu.svelte';

const kept = (items: (MenuItem | false)[]) => items.filter((item) => item !== false);

/** Whether the settings of a group have something to do for one. */
export const mayManage = (group: Group) =>
  (['MANAGE_GROUP', 'MANAGE_ROLES', 'MANAGE_CHANNELS', 'BAN_MEMBERS', 'KICK_MEMBERS', 'VIEW_AUDIT_LOG'] as const).some((p) => me.may(p, group));

export function groupMenu(group: Group): MenuItem[] {
  const first = sections(group.channels).flatMap(({ channels }) => channels).find(({ type }) => type === ChannelType.Text);
  return kept([
    !!first && me.may('CREATE_INVITE', group, first) && { label: t.group.invite, icon: UserPlus, run: () => dialogs.show({ kind: 'invite', group: group.id, channel: first.id }) },
    { label: t.group.read, icon: CheckCheck, run: () => reads.seenAll(group) },
    { label: settings.isMuted(group.id) ? t.group.unmute : t.group.mute, icon: BellOff, run: () => settings.toggleMuted(group.id) },
    mayManage(group) && { label: t.group.settings, icon: Settings, run: () => dialogs.show({ kind: 'groupSettings', group: group.id }), apart: true },
    me.may('MANAGE_CHANNELS', group) && { label: t.group.newChannel, icon: Plus, run: () => dialogs.show({ kind: 'newChannel', group: group.id }) },
    me.may('MANAGE_CHANNELS', group) && { label: t.group.newCategory, icon: FolderPlus, run: () => dialogs.show({ kind: 'newChannel', group: group.id, category: true }) },
    me.may('CHANGE_NICKNAME', group) && { label: t.group.nick, icon: User, run: () => dialogs.show({ kind: 'nick', group: group.id, user: me.id }), apart: true },
    group.owner_id !== me.id && { label: t.group.leave, icon: LogOut, danger: true, run: () => void leave(group) },
  ]);
}

async function leave(group: Group): Promise<void> {
  const said = await dialogs.confirm({ title: t.group.leave, about: t.group.leaveAbout(group.name), yes: t.group.leave, danger: true });
  if (said && (await act(() => api.groups.leave(group.id)))) router.go({ at: 'friends' });
}

function readAll(channel: string): void {
  const newest = groups.last(channel);
  if (newest) reads.seen(channel, newest);
}

export function channelMenu(group: Group, channel: Channel): MenuItem[] {
  const isCategory = channel.type === ChannelType.Category;
  const manage = me.may('MANAGE_CHANNELS', group, channel);
  return kept([
    !isCategory && { label: t.group.read, icon: CheckCheck, run: () => readAll(channel.id) },
    !isCategory && { label: settings.isMuted(channel.id) ? t.group.unmute : t.group.mute, icon: BellOff, run: () => settings.toggleMuted(channel.id) },
    !isCategory && me.may('CREATE_INVITE', group, channel) && { label: t.group.invite, icon: UserPlus, run: () => dialogs.show({ kind: 'invite', group: group.id, channel: channel.id }) },
    !isCategory && { label: t.channel.copyLink, icon: Link, run: () => void copy(location.origin + format({ at: 'group', group: group.id, channel: channel.id })) },
    isCategory && me.may('MANAGE_CHANNELS', group) && { label: t.group.newChannel, icon: Plus, run: () => dialogs.show({ kind: 'newChannel', group: group.id, parent: channel.id }) },
    manage && { label: t.channel.settings, icon: Settings, run: () => dialogs.show({ kind: 'channelSettings', group: group.id, channel: channel.id }), apart: true },
    manage && { label: isCategory ? t.channel.deleteCategory : t.channel.delete, icon: Trash, danger: true, run: () => void removeChannel(channel) },
  ]);
}

export async function removeChannel(channel: Channel): Promise<boolean> {
  const isCategory = channel.type === ChannelType.Category;
  const title = isCategory ? t.channel.deleteCategory : t.channel.delete;
  const about = isCategory ? t.channel.deleteCategoryAbout : t.channel.deleteAbout(channel.name);
  const said = await dialogs.confirm({ title, about, yes: title, danger: true });
  return !!said && (await act(() => api.channels.delete(channel.id)));
}

export function directMenu(channel: DirectChannel): MenuItem[] {
  const isFew = channel.type === 3;
  return kept([
    !isFew && { label: t.people.profile, icon: User, run: () => floats.openCard(document.querySelector<HTMLElement>(`[data-direct="${channel.id}"]`) ?? document.body, channel.recipients[0]!.id) },
    { label: t.group.read, icon: CheckCheck, run: () => channel.last_message_id && reads.seen(channel.id, channel.last_message_id) },
    { label: settings.isMuted(channel.id) ? t.group.unmute : t.group.mute, icon: BellOff, run: () => settings.toggleMuted(channel.id) },
    isFew && { label: t.channel.addPeople, icon: UserPlus, run: () => dialogs.show({ kind: 'newDirect', channel: channel.id }) },
    isFew && { label: t.channel.rename, icon: Pencil, run: () => dialogs.show({ kind: 'rename', channel: channel.id }) },
    { label: isFew ? t.home.leaveDirect : t.home.closeDirect, icon: isFew ? LogOut : X, danger: isFew, apart: true, run: () => void close(channel) },
  ]);
}

export async function close(channel: DirectChannel): Promise<void> {
  if (channel.type === 3) {
    const said = await dialogs.confirm({ title: t.home.leaveDirect, about: t.home.leaveAbout, yes: t.home.leaveDirect, danger: true });
    if (!said) return;
  }
  if (router.channel === channel.id) router.go({ at: 'friends' });
  if (await act(() => api.directs.close(channel.id))) directs.fold('CHANNEL_DELETE', channel);
}
