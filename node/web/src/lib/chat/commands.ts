// What one can do to a message. What shows at once is taken back when the server refuses it.

import ClipboardCopy from '@lucide/svelte/icons/clipboard-copy';
import Link from '@lucide/svelte/icons/link';
import Pencil from '@lucide/svelte/icons/pencil';
import Pin from '@lucide/svelte/icons/pin';
import PinOff from '@lucide/svelte/icons/pin-off';
import Reply from '@lucide/svelte/icons/reply';
import Smile from '@lucide/svelte/icons/smile-plus';
import Trash from '@lucide/svelte/icons/trash-2';
import * as api from '../api/routes';
import type { Channel, Group, Message } from '../api/types';
import { dialogs } from '../dialogs/dialogs.svelte';
import { format } from '../router.svelte';
import { me } from '../state/me.svelte';
import { messages } from '../state/messages.svelte';
import { view } from '../state/view.svelte';
import { t } from '../text';
import { act, copy } from '../ui/act';
import { type MenuItem, floats } from '../ui/menu.svelte';
import { isSystem } from './rows';

export interface Rights {
  reply: boolean;
  react: boolean;
  edit: boolean;
  delete: boolean;
  pin: boolean;
}

export function rightsTo(message: Message, group: Group | undefined, channel: Channel | undefined): Rights {
  const isMine = message.author.id === me.id;
  const may = (permission: Parameters<typeof me.may>[0]) => !group || me.may(permission, group, channel);
  const system = isSystem(message);
  return {
    reply: !system && may('SEND_MESSAGES'),
    react: may('ADD_REACTIONS') && may('READ_HISTORY'),
    edit: isMine && !system && (!group || !me.timeout(group.id)),
    delete: isMine ? message.type < 1 || message.type > 5 : !!group && may('MANAGE_MESSAGES'),
    pin: !system && (!group || may('PIN_MESSAGES')),
  };
}

/** Reacts, or takes one's reaction back; `only`: never takes back. */
export async function react(message: Message, emoji: string, only = false): Promise<void> {
  const { channel_id: channel, id } = message;
  const isMine = message.reactions?.some((reaction) => reaction.emoji.name === emoji && reaction.me) ?? false;
  if (isMine && only) return;
  const show = (added: boolean) =>
    messages.apply(channel, added ? 'MESSAGE_REACTION_ADD' : 'MESSAGE_REACTION_REMOVE', { message_id: id, emoji: { name: emoji }, user_id: me.id });
  show(!isMine);
  const done = await act(() => (isMine ? api.reactions.remove(channel, id, emoji) : api.reactions.add(channel, id, emoji)));
  if (!done) show(isMine);
}

export async function remove(message: Message, atOnce = false): Promise<void> {
  if (!atOnce) {
    const said = await dialogs.confirm({ title: t.message.delete, about: t.message.deleteAbout, yes: t.delete, danger: true, message });
    if (!said) return;
  }
  await act(() => api.messages.delete(message.channel_id, message.id));
}

export const pin = (message: Message) =>
  act(() => (message.pinned ? api.messages.unpin : api.messages.pin)(message.channel_id, message.id));

export function linkTo(message: Message, group: string | undefined): string {
  const { channel_id: channel, id } = message;
  return location.origin + format(group ? { at: 'group', group, channel, message: id } : { at: 'direct', channel, message: id });
}

export function messageMenu(message: Message, rights: Rights, group: string | undefined, anchor: HTMLElement): MenuItem[] {
  const items: (MenuItem | false)[] = [
    rights.react && { label: t.message.react, icon: Smile, run: () => floats.pickEmoji(anchor, (emoji) => void react(message, emoji, true), true) },
    rights.reply && { label: t.message.reply, icon: Reply, run: () => view.reply(message) },
    rights.edit && { label: t.message.edit, icon: Pencil, run: () => (view.editing = message.id) },
    rights.pin && { label: message.pinned ? t.message.unpin : t.message.pin, icon: message.pinned ? PinOff : Pin, run: () => void pin(message) },
    !!message.content && { label: t.message.copyText, icon: ClipboardCopy, run: () => void copy(message.content), apart: true },
    { label: t.message.copyLink, icon: Link, run: () => void copy(linkTo(message, group)) },
    rights.delete && { label: t.message.delete, icon: Trash, danger: true, apart: true, run: () => void remove(message) },
  ];
  return items.filter((item) => item !== false);
}

