// Keys that work everywhere. What is written down in the texts under `keys`.

import { ChannelType } from './api/types';
import { dialogs } from './dialogs/dialogs.svelte';
import { router } from './router.svelte';
import { directs } from './state/directs.svelte';
import { groups, sections } from './state/groups.svelte';
import { reads } from './state/reads.svelte';
import { settings } from './state/settings.svelte';
import { focusComposer } from './state/view.svelte';
import { floats } from './ui/menu.svelte';
import { door } from './voice/door.svelte';

/** The channel so many places away, round and round; `unread`: the next that has something new. */
function walkChannels(step: number, unread: boolean): void {
  const group = groups.get(router.group);
  const list = group
    ? sections(group.channels).flatMap(({ channels }) => channels).filter(({ type }) => type !== ChannelType.Voice || !unread)
    : directs.sorted;
  const fits = (channel: (typeof list)[number]) => !unread || reads.isUnread(group, channel);
  const at = list.findIndex(({ id }) => id === router.channel);
  for (let n = 1; n <= list.length; n++) {
    const channel = list[(at + step * n + list.length * n) % list.length];
    if (!channel || !fits(channel)) continue;
    router.go(group ? { at: 'group', group: group.id, channel: channel.id } : { at: 'direct', channel: channel.id });
    return;
  }
}

function walkGroups(step: number): void {
  const ids = settings.arranged([...groups.all.keys()]);
  const all = ['', ...ids];
  const next = all[(all.indexOf(router.group ?? '') + step + all.length) % all.length];
  router.go(next ? { at: 'group', group: next, channel: router.last(next) } : { at: 'friends' });
}

export function shortcuts(event: KeyboardEvent, here: { markRead: () => void }): void {
  if (event.defaultPrevented || event.isComposing) return;
  const control = event.ctrlKey || event.metaKey;
  const isFree = dialogs.open.length === 0 && !floats.menu && !floats.card && !floats.emoji;
  const take = (run: () => void) => {
    event.preventDefault();
    run();
  };
  if (control && !event.shiftKey && !event.altKey) {
    if (event.key.toLowerCase() === 'k') return take(() => dialogs.show({ kind: 'switcher' }));
    if (event.key === '/') return take(() => dialogs.show({ kind: 'keys' }));
    if (event.key === ',') return take(() => dialogs.show({ kind: 'userSettings' }));
  }
  const { call } = door;
  if (call?.isIn && control && event.shiftKey && !event.altKey) {
    if (event.key.toLowerCase() === 'm') return take(() => call.toggleMuted());
    if (event.key.toLowerCase() === 'd') return take(() => call.toggleDeafened());
  }
  if (!isFree) return;
  const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
  if (step && event.altKey) {
    if (control) return take(() => walkGroups(step));
    return take(() => walkChannels(step, event.shiftKey));
  }
  if (event.key === 'Escape') {
    const group = groups.get(router.group);
    if (event.shiftKey && group) return take(() => reads.seenAll(group));
    if (call?.shrink()) return event.preventDefault();
    return take(() => {
      here.markRead();
      focusComposer();
    });
  }
  // Who just begins to type means to write.
  const isTyping = event.key.length === 1 && !control && !event.altKey;
  if (isTyping && document.activeElement === document.body) focusComposer();
}
