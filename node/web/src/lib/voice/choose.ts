// The devices to choose from, as a menu.

import Settings from '@lucide/svelte/icons/settings';
import { dialogs } from '../dialogs/dialogs.svelte';
import { sound } from '../state/sound.svelte';
import { t } from '../text';
import type { MenuItem } from '../ui/menu.svelte';
import { type DeviceKind, canChooseSpeaker, devices } from './devices.svelte';

export function deviceItems(): MenuItem[] {
  const kinds: DeviceKind[] = ['audioinput', ...(canChooseSpeaker() ? (['audiooutput'] as const) : []), 'videoinput'];
  const items = kinds.flatMap((kind) => {
    const found = devices.of(kind);
    if (!found.length) return [];
    const name = t.voice.devices[kind];
    const chosen = devices.chosen(kind);
    return [{ id: '', name: t.voice.usual }, ...found].map(({ id, name: device }, n): MenuItem => ({
      label: t.voice.deviceItem(name, device), checked: id === chosen, apart: n === 0 && kind !== 'audioinput', run: () => sound.choose(kind, id),
    }));
  });
  const settings: MenuItem = { label: t.voice.settings, icon: Settings, apart: items.length > 0, run: () => dialogs.show({ kind: 'userSettings', page: 'voice' }) };
  return [...items, settings];
}
