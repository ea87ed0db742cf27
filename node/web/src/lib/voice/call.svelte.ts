// The shell around core.ts: the gateway, the room's socket, a timer, and the media that goes in and out. There is one call at a
// time, and what components show of it is here.

import { untrack } from 'svelte';
import type { Channel, Group, Id } from '../api/types';
import { connection } from '../gateway/socket.svelte';
import { router } from '../router.svelte';
import { listen } from '../state/fold';
import { groups } from '../state/groups.svelte';
import { me } from '../state/me.svelte';
import { sound } from '../state/sound.svelte';
import { voices } from '../state/voices.svelte';
import { t } from '../text';
import { toasts } from '../ui/toasts.svelte';
import { type Effect, type Ending, type Input, OP, type State, type Target, initial, step, wakeAt } from './core';
import { devices, whyNot } from './devices.svelte';
import { remember } from './door.svelte';
import { type TileOf, keyOf, wantsOf } from './layout';
import { Peer } from './peer';
import { type Kind, type Room, empty, roomAfter, slotOf } from './room';

/** While sizes change, it is not worth asking for each of them; and a room takes four frames a second. */
const WANT_MS = 300;
/** The voice socket where the room is on the node that serves this page. */
const OWN_URL = `${location.origin.replace(/^http/, 'ws')}/voice`;

class Call {
  target = $state.raw<Target | null>(null);
  phase = $state<State['phase']>('idle');
  isFlowing = $state(false);
  wasLive = $state(false);
  room = $state.raw<Room>(empty);
  /** The browser wants a press before it plays anything. */
  isBlocked = $state(false);
  /** Shows everybody again where one is shown large; answers whether it did. */
  shrink: () => boolean = () => false;
  /** Why nobody can hear one. */
  fault = $state('');
  /** What one sends, as one sees it oneself. */
  camera = $state.raw<MediaStream | null>(null);
  screen = $state.raw<MediaStream | null>(null);
  #microphone = $state.raw<MediaStreamTrack | null>(null);
  #incoming = $state.raw<ReadonlyMap<string, MediaStream>>(new Map());

  #state: State = initial;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #peer: Peer | null = null;
  /** Rises when what was asked of the devices is no longer wanted. */
  #turn = 0;
  readonly #seen = new Map<string, TileOf & { height: number }>();
  #wantTimer: ReturnType<typeof setTimeout> | undefined;
  #wanted = '[]';

  readonly isIn = $derived(this.target !== null);
  readonly channel = $derived(groups.channel(this.target?.group, this.target?.channel));
  readonly status = $derived(
    !this.wasLive ? 'joining' : this.phase === 'live' && this.isFlowing ? 'live' : this.phase === 'asking' ? 'moving' : 'reconnecting',
  );
  readonly isDeafened = $derived(sound.prefer.deafened);
  readonly isMuted = $derived(sound.prefer.muted || sound.prefer.deafened || (this.isIn && this.fault !== ''));

  constructor() {
    listen((event, data) => {
      if (event === 'VOICE_SERVER_UPDATE') {
        this.#feed({ kind: 'server', group: data.guild_id, url: data.endpoint === null ? null : (data.url ?? OWN_URL), token: data.token, session: data.session_id });
      } else if (event === 'VOICE_REFUSED') {
        this.#feed({ kind: 'refused', group: data.guild_id, channel: data.channel_id, code: data.code });
      } else if (event === 'VOICE_STATE_UPDATE' && data.user_id === me.id) {
        this.#feed({ kind: 'place', group: data.guild_id, channel: data.channel_id, session: data.session_id });
      }
    });
    addEventListener('online', () => this.#feed({ kind: 'nudge' }));
    document.addEventListener('visibilitychange', () => {
      this.#wantSoon();
      if (document.visibilityState === 'visible') this.#feed({ kind: 'nudge' });
    });
    // Whoever leaves the page leaves the call; a page that is only loaded again comes back to it.
    addEventListener('pagehide', () => {
      if (!this.target) return;
      const { group, channel } = this.target;
      this.leave();
      remember({ group, channel });
    });
    $effect.root(() => {
      $effect(() => {
        const now: Input = { kind: 'gateway', session: connection.session, isLive: connection.phase === 'live' };
        untrack(() => this.#feed(now));
      });
      $effect(() => this.#tell());
      $effect(() => void this.#attach());
      $effect(() => {
        // Another microphone, or another way of using it.
        void [sound.devices.audioinput, sound.prefer.echo, sound.prefer.noise, sound.prefer.gain];
        if (this.isIn) untrack(() => void this.#listen());
      });
      $effect(() => {
        const isOn = this.camera !== null || this.screen !== null;
        if (!isOn || !this.channel || me.may('STREAM', groups.get(this.target?.group), this.channel)) return;
        // It was taken from him: nobody gets it any more.
        untrack(() => {
          this.#dropCamera();
          this.#dropScreen();
          toasts.say(t.voice.noStream);
        });
      });
      $effect(() => {
        void sound.devices.videoinput;
        untrack(() => {
          if (this.camera) void this.#open();
        });
      });
    });
  }

  get #cameraTrack(): MediaStreamTrack | null {
    return this.camera?.getVideoTracks()[0] ?? null;
  }

  // --- what the person does ---

  join(group: Group, channel: Channel): void {
    const isFull = !!channel.user_limit && voices.in(channel.id).filter(({ user_id }) => user_id !== me.id).length >= channel.user_limit;
    if (!me.may('CONNECT', group, channel)) return toasts.complain(t.voice.noConnect);
    if (isFull && !me.may('MOVE_MEMBERS', group, channel)) return toasts.complain(t.voice.full);
    this.#feed({ kind: 'gateway', session: connection.session, isLive: connection.phase === 'live' });
    this.#feed({ kind: 'join', target: { group: group.id, channel: channel.id } });
    remember(this.target);
  }

  leave(): void {
    this.#feed({ kind: 'leave' });
  }

  toggleMuted(): void {
    if (!this.isMuted) return sound.set({ muted: true });
    // Who wants to be heard wants to hear; and where nothing could be heard of him, it is tried again.
    sound.set({ muted: false, deafened: false });
    if (this.fault) void this.#listen();
  }

  toggleDeafened(): void {
    sound.set({ deafened: !sound.prefer.deafened });
  }

  async toggleCamera(): Promise<void> {
    if (this.camera) return this.#dropCamera();
    await this.#open();
  }

  async toggleScreen(): Promise<void> {
    if (this.screen) return this.#dropScreen();
    const wish = ++this.#screenWish;
    try {
      const { video, audio } = await devices.screen();
      const stream = new MediaStream(audio ? [video, audio] : [video]);
      if (wish !== this.#screenWish) return stop(stream);
      this.screen = stream;
      video.onended = () => this.screen === stream && this.#dropScreen();
    } catch (error) {
      // Who closes the browser's question has changed his mind.
      if (!(error instanceof DOMException && error.name === 'NotAllowedError')) toasts.complain(whyNot(error, 'screen'));
    }
  }

  // --- what is shown ---

  /** What somebody sends, as it comes in. */
  stream(user: Id, kind: Kind): MediaStream | undefined {
    const slot = slotOf(this.room, user, kind);
    return slot && this.#incoming.get(slot.mid);
  }

  incoming(mid: string): MediaStream | undefined {
    return this.#incoming.get(mid);
  }

  /** A tile is seen in this height, in CSS pixels; or not any more. */
  see(tile: TileOf, height: number): void {
    if (height > 0) this.#seen.set(keyOf(tile), { ...tile, height });
    else this.#seen.delete(keyOf(tile));
    this.#wantSoon();
  }

  #wantSoon(): void {
    this.#wantTimer ??= setTimeout(() => {
      this.#wantTimer = undefined;
      this.#want();
    }, WANT_MS);
  }

  #want(): void {
    if (this.#state.phase !== 'live') return;
    const isHidden = document.visibilityState === 'hidden';
    const wants = isHidden ? [] : wantsOf(this.#seen.values(), devicePixelRatio);
    const text = JSON.stringify(wants);
    if (text === this.#wanted) return;
    this.#wanted = text;
    this.#write(OP.WANTS, { wants });
  }

  // --- the machine ---

  #feed(input: Input): void {
    const [state, effects] = step(this.#state, input, Date.now(), Math.random());
    this.#state = state;
    if (input.kind === 'media') this.isFlowing = input.is === 'flowing';
    if (this.target !== state.target) this.target = state.target;
    if (this.phase !== state.phase) this.phase = state.phase;
    if (this.wasLive !== state.wasLive) this.wasLive = state.wasLive;
    for (const effect of effects) this.#run(effect);
    clearTimeout(this.#timer);
    const at = wakeAt(this.#state);
    if (at < Infinity) this.#timer = setTimeout(() => this.#feed({ kind: 'time' }), Math.max(0, at - Date.now()));
  }

  #run(effect: Effect): void {
    switch (effect.do) {
      case 'ask':
        this.#say(effect.group, effect.target?.channel ?? null);
        break;
      case 'connect':
        this.#connect(effect.url);
        break;
      case 'drop':
        this.#drop(effect.code);
        break;
      case 'send':
        this.#write(effect.op, effect.d);
        break;
      case 'enter': {
        const { token, session } = effect.server;
        this.#write(effect.op, { server_id: this.#state.target?.group, user_id: me.id, session_id: session, token });
        break;
      }
      case 'offer': {
        this.#peer?.close();
        const peer: Peer = new Peer(effect.ready, (is) => peer === this.#peer && this.#feed({ kind: 'media', is }));
        this.#peer = peer;
        this.isFlowing = false;
        void this.#attach();
        void this.#offer(peer, false);
        break;
      }
      case 'restart':
        if (this.#peer) void this.#offer(this.#peer, true);
        break;
      case 'clear':
        this.#clear();
        break;
      case 'answer': {
        const peer = this.#peer;
        // What cannot be agreed upon does not flow, and is made anew.
        void peer?.answer(effect.sdp).catch(() => peer === this.#peer && this.#feed({ kind: 'media', is: 'broken' }));
        break;
      }
      case 'restate':
        this.#wanted = '';
        this.#want();
        this.#sayStreams();
        break;
      case 'room':
        if (effect.op === OP.DEMAND) return this.#peer?.demand(effect.d.stream, effect.d.height);
        this.#roomIs(roomAfter(this.room, effect.op, effect.d));
        break;
      case 'moved': {
        remember(effect.target);
        const name = groups.channel(effect.target.group, effect.target.channel)?.name;
        if (name) toasts.say(t.voice.moved(name));
        if (router.channel === effect.from) router.go({ at: 'group', ...effect.target });
        break;
      }
      case 'end':
        this.#end(effect.why);
        break;
    }
  }

  #connect(url: string): void {
    let socket: WebSocket;
    try {
      socket = new WebSocket(url);
    } catch {
      queueMicrotask(() => this.#feed({ kind: 'closed', code: 1006 }));
      return;
    }
    this.#socket = socket;
    socket.onopen = () => socket === this.#socket && this.#feed({ kind: 'opened' });
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#feed({ kind: 'frame', ...(JSON.parse(data as string) as { op: number; d: unknown }) });
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      this.#feed({ kind: 'closed', code });
    };
  }

  #drop(code: number): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(code);
  }

  #write(op: number, d: unknown): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ op, d }));
  }

  async #offer(peer: Peer, isRestart: boolean): Promise<void> {
    try {
      const sdp = await peer.offer(isRestart);
      if (peer !== this.#peer) return;
      this.#incoming = new Map(peer.incoming);
      this.#write(OP.SELECT_PROTOCOL, { protocol: 'webrtc', sdp });
    } catch {
      // The deadline of the answer makes all anew.
    }
  }

  #roomIs(room: Room): void {
    if (room === this.room) return;
    if (room.speaking !== this.room.speaking) {
      for (const id of voices.speaking) if (!room.speaking.has(id)) voices.speaking.delete(id);
      for (const id of room.speaking) voices.speaking.add(id);
    }
    this.room = room;
  }

  #clear(): void {
    this.#peer?.close();
    this.#peer = null;
    this.#incoming = new Map();
    this.#roomIs(empty);
    this.isFlowing = false;
    // Those in another room were not meant.
    this.#dropCamera();
    this.#dropScreen();
  }

  #end(why: Ending | null): void {
    this.#turn++;
    this.#clear();
    this.isBlocked = false;
    this.fault = '';
    this.#microphone?.stop();
    this.#microphone = null;
    remember(null);
    const refusals = { refused: t.voice.refused, forbidden: t.voice.noConnect, full: t.voice.full };
    if (why && why in refusals) toasts.complain(refusals[why as keyof typeof refusals]);
    else if (why === 'elsewhere') toasts.say(t.voice.elsewhere);
    else if (why === 'disconnected') toasts.say(t.voice.disconnected(this.#lastName));
  }

  /** The channel may be gone when one hears that one is no longer in it. */
  #lastName = '';

  // --- what one sends ---

  #flags() {
    return { self_mute: this.isMuted, self_deaf: this.isDeafened, self_video: this.camera !== null, self_stream: this.screen !== null };
  }

  #streams() {
    return { camera: this.camera !== null, screen: this.screen !== null };
  }

  /** What the gateway and the room have been told. */
  #told = '';
  #toldRoom = '';

  /** Tells the others what has changed. */
  #tell(): void {
    const [flags, streams] = [JSON.stringify(this.#flags()), JSON.stringify(this.#streams())];
    const isThere = connection.phase === 'live' && this.phase !== 'asking';
    const isLive = this.phase === 'live';
    this.#lastName = this.channel?.name ?? this.#lastName;
    if (isThere && this.target && flags !== this.#told) this.#say(this.target.group, this.target.channel);
    if (isLive && streams !== this.#toldRoom) this.#sayStreams();
  }

  #say(group: Id, channel: Id | null): void {
    const flags = this.#flags();
    if (connection.send(4, { guild_id: group, channel_id: channel, ...flags })) this.#told = JSON.stringify(flags);
  }

  #sayStreams(): void {
    const streams = this.#streams();
    this.#toldRoom = JSON.stringify(streams);
    this.#write(OP.STREAMS, streams);
  }

  async #attach(): Promise<void> {
    // All is read first, so that whatever of it changes is attached anew.
    const microphone = this.isMuted ? null : this.#microphone;
    const camera = this.#cameraTrack;
    const [screen, screenSound] = [this.screen?.getVideoTracks()[0] ?? null, this.screen?.getAudioTracks()[0] ?? null];
    const peer = this.#peer;
    if (!peer) return;
    const all: [Kind, MediaStreamTrack | null][] = [['audio', microphone], ['camera', camera], ['screen', screen], ['screen_audio', screenSound]];
    await Promise.all(all.map(([kind, track]) => peer.send(kind, track))).catch(() => undefined);
  }

  /** Opens the microphone, or another one. */
  async #listen(): Promise<void> {
    const turn = this.#turn;
    try {
      const track = await devices.microphone();
      if (turn !== this.#turn || !this.target) return track.stop();
      this.#microphone?.stop();
      this.#microphone = track;
      this.fault = '';
      track.onended = () => {
        if (track !== this.#microphone) return;
        this.#microphone = null;
        void this.#listen();
      };
    } catch (error) {
      if (turn !== this.#turn || !this.target) return;
      this.#microphone?.stop();
      this.#microphone = null;
      this.fault = whyNot(error, 'microphone');
    }
  }

  async #open(): Promise<void> {
    const wish = ++this.#cameraWish;
    try {
      const track = await devices.camera();
      if (wish !== this.#cameraWish || !this.target) return track.stop();
      const before = this.camera;
      this.camera = new MediaStream([track]);
      if (before) stop(before);
      track.onended = () => {
        if (this.#cameraTrack !== track) return;
        this.#dropCamera();
        toasts.complain(t.voice.denied.gone);
      };
    } catch (error) {
      if (wish === this.#cameraWish) toasts.complain(whyNot(error, 'camera'));
    }
  }

  /** Rise with each wish about them: what a browser gives later than that, its question answered late, is not wanted. */
  #cameraWish = 0;
  #screenWish = 0;

  #dropCamera(): void {
    this.#cameraWish++;
    if (this.camera) stop(this.camera);
    this.camera = null;
  }

  #dropScreen(): void {
    this.#screenWish++;
    if (this.screen) stop(this.screen);
    this.screen = null;
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

export const call = new Call();
