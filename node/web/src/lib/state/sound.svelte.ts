// How one wants to be heard and to hear, in this browser.

import type { Id } from '../api/types';
import { stored } from './stored.svelte';

export interface SoundPreferences {
  /** As one was last: also of the next call. */
  muted: boolean;
  deafened: boolean;
  echo: boolean;
  noise: boolean;
  gain: boolean;
  /** Percent, of everybody. */
  volume: number;
}

const DEFAULTS: SoundPreferences = { muted: false, deafened: false, echo: true, noise: true, gain: true, volume: 100 };
type DeviceIds = Partial<Record<'audioinput' | 'videoinput' | 'audiooutput', string>>;
/** How somebody is heard here: percent, and not at all. */
export interface Heard {
  volume: number;
  off: boolean;
}
const AS_HE_IS: Heard = { volume: 100, off: false };

class Sound {
  readonly #prefer = stored<Partial<SoundPreferences>>('sound', {});
  readonly #devices = stored<DeviceIds>('devices', {});
  readonly #heard = stored<Record<Id, Heard>>('heard', {});

  get prefer(): SoundPreferences {
    return { ...DEFAULTS, ...this.#prefer.value };
  }

  set(change: Partial<SoundPreferences>): void {
    this.#prefer.value = { ...this.#prefer.value, ...change };
  }

  get devices(): DeviceIds {
    return this.#devices.value;
  }

  choose(kind: keyof DeviceIds, id: string): void {
    this.#devices.value = { ...this.#devices.value, [kind]: id || undefined };
  }

  heard(user: Id): Heard {
    return this.#heard.value[user] ?? AS_HE_IS;
  }

  hear(user: Id, change: Partial<Heard>): void {
    const { [user]: _before, ...others } = this.#heard.value;
    const after = { ...this.heard(user), ...change };
    const isUsual = after.volume === AS_HE_IS.volume && !after.off;
    this.#heard.value = isUsual ? others : { ...others, [user]: after };
  }

  /** The volume at which somebody is played, from 0 to 1. */
  level(user: Id): number {
    const { volume, off } = this.heard(user);
    return off ? 0 : (volume / 100) * (this.prefer.volume / 100);
  }
}

export const sound = new Sound();
