// Microphones, cameras and speakers: which there are, and how one is opened.

import { t } from '../text';
import { sound } from '../state/sound.svelte';

export type DeviceKind = 'audioinput' | 'videoinput' | 'audiooutput';

/** Whether the page may use microphones and cameras at all: only where nobody can listen in on the way. */
export const canCapture = () => !!navigator.mediaDevices?.getUserMedia;
export const canShare = () => !!navigator.mediaDevices && 'getDisplayMedia' in navigator.mediaDevices;
export const canChooseSpeaker = () => 'setSinkId' in HTMLMediaElement.prototype;

/** What is wrong, in a sentence. */
export function whyNot(error: unknown, kind: 'microphone' | 'camera' | 'screen'): string {
  const words = t.voice.denied;
  if (!canCapture()) return words.insecure;
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return words[kind];
    case 'NotFoundError':
    case 'OverconstrainedError':
      return kind === 'camera' ? words.noCamera : words.noMicrophone;
    default:
      return kind === 'screen' ? words.screenFailed : kind === 'camera' ? words.cameraBusy : words.microphoneBusy;
  }
}

class Devices {
  list = $state.raw<MediaDeviceInfo[]>([]);

  constructor() {
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.look());
    void this.look();
  }

  /** Their names are told only once one of them was allowed. */
  async look(): Promise<void> {
    try {
      this.list = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    } catch {
      this.list = [];
    }
  }

  of(kind: DeviceKind): { id: string; name: string }[] {
    const found = this.list.filter((device) => device.kind === kind && device.deviceId && device.deviceId !== 'default' && device.deviceId !== 'communications');
    return found.map(({ deviceId, label }, n) => ({ id: deviceId, name: label || t.voice.device(t.voice.devices[kind], n + 1) }));
  }

  /** The one that is chosen, if it is there; the browser's choice otherwise. */
  chosen(kind: DeviceKind): string {
    const id = sound.devices[kind];
    return id && this.list.some((device) => device.kind === kind && device.deviceId === id) ? id : '';
  }

  async microphone(): Promise<MediaStreamTrack> {
    const { echo, noise, gain } = sound.prefer;
    const track = await this.#open({ audio: { ...this.#wish('audioinput'), echoCancellation: echo, noiseSuppression: noise, autoGainControl: gain } });
    track.contentHint = 'speech';
    return track;
  }

  async camera(): Promise<MediaStreamTrack> {
    const track = await this.#open({ video: { ...this.#wish('videoinput'), width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } } });
    track.contentHint = 'motion';
    return track;
  }

  #wish(kind: DeviceKind): MediaTrackConstraints {
    const id = sound.devices[kind];
    // Not `exact`: an unplugged one is replaced by what is there.
    return id ? { deviceId: { ideal: id } } : {};
  }

  async #open(constraints: MediaStreamConstraints): Promise<MediaStreamTrack> {
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    void this.look();
    return stream.getTracks()[0]!;
  }

  /** A screen or a window, with its sound where the browser can take that. */
  async screen(): Promise<{ video: MediaStreamTrack; audio: MediaStreamTrack | null }> {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 30 } }, audio: true });
    const video = stream.getVideoTracks()[0]!;
    video.contentHint = 'detail';
    return { video, audio: stream.getAudioTracks()[0] ?? null };
  }
}

export const devices = new Devices();
