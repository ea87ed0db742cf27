// Notifications of the system and a sound, for what comes while one looks elsewhere.

import type { Message } from './api/types';
import { plain } from './markdown/render';
import { namesIn } from './markdown/names';
import { router } from './router.svelte';
import { directs } from './state/directs.svelte';
import { groups } from './state/groups.svelte';
import { me } from './state/me.svelte';
import { members } from './state/members.svelte';
import { relations } from './state/relations.svelte';
import { settings } from './state/settings.svelte';
import { t } from './text';

export const canNotify = () => 'Notification' in globalThis;
export const mayNotify = () => canNotify() && Notification.permission === 'granted';

/** Whether a message is worth disturbing somebody. */
export function isWorthIt(message: Message, isDirect: boolean, isMentioned: boolean, notify: 'all' | 'mentions' | 'none', isMuted: boolean): boolean {
  if (notify === 'none') return false;
  if (isDirect || isMentioned) return !isMuted || (isMentioned && !message.mention_everyone);
  return notify === 'all' && !isMuted;
}

const SUPPRESSED = 1 << 12;

export function announce(message: Message & { flags?: number }): void {
  const { author, channel_id: channel } = message;
  if (author.id === me.id || relations.isBlocked(author.id) || me.status === 'dnd' || (message.flags ?? 0) & SUPPRESSED) return;
  if (document.hasFocus() && router.channel === channel) return;
  const direct = directs.get(channel);
  const group = groups.get(message.guild_id);
  const isMuted = settings.isMuted(channel) || (!!group && settings.isMuted(group.id));
  if (!isWorthIt(message, !!direct, me.isMentioned(message), settings.prefer.notify, isMuted)) return;
  if (settings.prefer.sound) chime();
  if (!mayNotify() || document.hasFocus()) return;
  const name = members.name(group?.id, author.id);
  const where = group ? `${name} (#${groups.channel(group.id, channel)?.name ?? ''}, ${group.name})` : name;
  const body = plain(message.content, namesIn(group?.id)) || t.message.file;
  try {
    // Of several tabs each shows it; the tag makes it one.
    const shown = new Notification(where, { body: body.slice(0, 200), tag: message.id, icon: '/icon-192.png' });
    shown.onclick = () => {
      focus();
      router.go(group ? { at: 'group', group: group.id, channel, message: message.id } : { at: 'direct', channel, message: message.id });
      shown.close();
    };
  } catch {
    // Some browsers only let service workers notify; the page's title tells all the same.
  }
}

let audio: AudioContext | undefined;
let lastChime = 0;

/** Two soft notes, at most once a second. */
function chime(): void {
  const now = Date.now();
  if (now - lastChime < 1_000 || !navigator.userActivation?.hasBeenActive) return;
  lastChime = now;
  audio ??= new AudioContext();
  const start = audio.currentTime;
  for (const [n, frequency] of [587, 880].entries()) {
    const tone = new OscillatorNode(audio, { type: 'sine', frequency });
    const level = new GainNode(audio, { gain: 0 });
    level.gain.setValueAtTime(0, start + n * 0.09);
    level.gain.linearRampToValueAtTime(0.06, start + n * 0.09 + 0.01);
    level.gain.exponentialRampToValueAtTime(0.0001, start + n * 0.09 + 0.3);
    tone.connect(level).connect(audio.destination);
    tone.start(start + n * 0.09);
    tone.stop(start + n * 0.09 + 0.35);
  }
}
