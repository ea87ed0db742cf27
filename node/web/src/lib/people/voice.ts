// What one can do to somebody who is in a voice channel.

import ArrowRight from '@lucide/svelte/icons/arrow-right-left';
import HeadphoneOff from '@lucide/svelte/icons/headphone-off';
import MicOff from '@lucide/svelte/icons/mic-off';
import PhoneOff from '@lucide/svelte/icons/phone-off';
import VolumeX from '@lucide/svelte/icons/volume-x';
import * as api from '../api/routes';
import { ChannelType, type Group, type Id } from '../api/types';
import { groups, sections } from '../state/groups.svelte';
import { me } from '../state/me.svelte';
import { sound } from '../state/sound.svelte';
import { voices } from '../state/voices.svelte';
import { t } from '../text';
import { act } from '../ui/act';
import { type MenuItem, floats } from '../ui/menu.svelte';

export function voiceItems(user: Id, group: Group | undefined): MenuItem[] {
  const state = voices.of(group?.id, user);
  if (!group || !state) return [];
  const here = groups.channel(group.id, state.channel_id ?? undefined);
  const isMe = user === me.id;
  const update = (form: Record<string, unknown>) => void act(() => api.members.update(group.id, user, form));
  const { off } = sound.heard(user);
  const mayMove = me.may('MOVE_MEMBERS', group, here);
  const others = mayMove
    ? sections(group.channels).flatMap(({ channels }) => channels).filter((channel) => channel.type === ChannelType.Voice && channel.id !== here?.id && me.may('CONNECT', group, channel))
    : [];
  const moves = others.map((channel) => ({ label: t.voice.moveTo(channel.name), run: () => update({ channel_id: channel.id }) }));
  const items: (MenuItem | false)[] = [
    !isMe && {
      label: t.voice.volumeHint, run: () => undefined,
      slider: { value: () => sound.heard(user).volume, most: 100, step: 10, set: (volume) => sound.hear(user, { volume, off: false }), name: t.voice.volume },
    },
    !isMe && { label: off ? t.voice.unsilence : t.voice.silence, icon: VolumeX, run: () => sound.hear(user, { off: !off }) },
    me.may('MUTE_MEMBERS', group, here) && { label: state.mute ? t.voice.modUnmute : t.voice.modMute, icon: MicOff, apart: !isMe, run: () => update({ mute: !state.mute }) },
    me.may('DEAFEN_MEMBERS', group, here) && { label: state.deaf ? t.voice.modUndeafen : t.voice.modDeafen, icon: HeadphoneOff, run: () => update({ deaf: !state.deaf }) },
    moves.length > 0 && { label: t.voice.move, icon: ArrowRight, run: () => floats.nextMenu(t.voice.move, moves) },
    !isMe && mayMove && { label: t.voice.disconnect, icon: PhoneOff, danger: true, run: () => update({ channel_id: null }) },
  ];
  return items.filter((item) => item !== false);
}

/** What is the matter with somebody's voice, for the name that is read out. */
export function marksOf(user: Id, group: Id | undefined): string[] {
  const state = voices.of(group, user);
  if (!state) return [];
  const words = t.voice;
  const marks = [
    state.deaf ? words.deafenedByMod : state.self_deaf ? words.deafened : '',
    state.mute ? words.mutedByMod : state.self_mute || state.suppress ? words.muted : '',
    state.self_video ? words.hasCamera : '',
    state.self_stream ? words.hasScreen : '',
    sound.heard(user).off && user !== me.id ? words.offHere : '',
  ];
  return marks.filter(Boolean);
}
