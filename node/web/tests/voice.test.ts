import { describe, expect, it } from 'vitest';
import type { VoiceState } from '../src/lib/api/types';
import { inChannelAfter, voices } from '../src/lib/state/voices.svelte';
import { type Effect, type Input, OP, type State, type Target, initial, step, wakeAt } from '../src/lib/voice/core';
import { focusOf, gridOf, keyOf, placesOf, tilesOf, wantsOf } from '../src/lib/voice/layout';
import { loudness } from '../src/lib/voice/level';
import { demanded, tuned } from '../src/lib/voice/peer';
import { empty, quality, roomAfter, slotOf } from '../src/lib/voice/room';

const START = 1_000_000;
const SECOND = 1_000;

/** Runs inputs one after the other, each at once. */
function run(inputs: Input[], from: State = initial, now = START): { state: State; effects: Effect[] } {
  let state = from;
  const effects: Effect[] = [];
  for (const input of inputs) {
    const [next, does] = step(state, input, now, 0.5);
    state = next;
    effects.push(...does);
  }
  return { state, effects };
}

/** Lets time pass: the machine is woken whenever it wants to be. */
function pass(from: State, until: number): { state: State; effects: Effect[]; at: [number, string][] } {
  let state = from;
  const effects: Effect[] = [];
  const at: [number, string][] = [];
  for (let n = 0; n < 200; n++) {
    const now = wakeAt(state);
    if (now > until) break;
    const [next, does] = step(state, { kind: 'time' }, now, 0.5);
    state = next;
    effects.push(...does);
    for (const one of does) at.push([now, one.do]);
  }
  return { state, effects, at };
}

const there: Target = { group: '1', channel: '10' };
const gateway: Input = { kind: 'gateway', session: 'mine', isLive: true };
const server = (url: string | null = 'wss://a/voice', token = 'secret', session = 'mine'): Input => ({ kind: 'server', group: '1', url, token, session });
const place = (channel: string | null, session = 'mine'): Input => ({ kind: 'place', group: '1', channel, session });
const frame = (op: number, d: unknown = {}): Input => ({ kind: 'frame', op, d });
const hello = frame(OP.HELLO, { v: 8, heartbeat_interval: 40_000 });
const ready = frame(OP.READY, { clients: [], ice_servers: [], max_slots: { audio: 4, video: 16 } });
const answer = frame(OP.SESSION_DESCRIPTION, { sdp: 'v=0', type: 'answer' });
const flowing: Input = { kind: 'media', is: 'flowing' };
const broken: Input = { kind: 'media', is: 'broken' };
const cut: Input = { kind: 'closed', code: 1006 };
const joining: Input[] = [gateway, { kind: 'join', target: there }, place('10'), server()];
const live: Input[] = [...joining, { kind: 'opened' }, hello, ready, answer, flowing];
const done = (effects: Effect[]) => effects.map((effect) => (effect.do === 'enter' || effect.do === 'send' ? `${effect.do} ${effect.op}` : effect.do));

describe('a call', () => {
  it('asks the gateway, enters the room and agrees upon media', () => {
    const { state, effects } = run(live);
    expect(done(effects)).toEqual(['ask', 'connect', 'enter 0', 'room', 'offer', 'answer', 'restate']);
    expect(state.phase).toBe('live');
    expect(state.wasLive).toBe(true);
  });

  it('waits for the gateway before it asks', () => {
    const { state, effects } = run([{ kind: 'gateway', session: null, isLive: false }, { kind: 'join', target: there }]);
    expect(effects).toEqual([]);
    expect(done(run([gateway], state).effects)).toEqual(['ask']);
  });

  it('ignores the rooms of other sessions and groups', () => {
    const { state } = run(joining.slice(0, 3));
    expect(run([server('wss://b', 'x', 'other'), { ...server(), group: '2' } as Input], state).effects).toEqual([]);
  });

  it('says that it was refused when nothing comes', () => {
    const { state } = run(joining.slice(0, 2));
    const { effects, state: after } = pass(state, START + 11 * SECOND);
    expect(effects.at(-1)).toEqual({ do: 'end', why: 'refused' });
    expect(after.target).toBeNull();
  });

  it('leaves', () => {
    const { effects, state } = run([{ kind: 'leave' }], run(live).state);
    expect(done(effects)).toEqual(['ask', 'drop', 'end']);
    expect(effects[0]).toMatchObject({ target: null });
    expect(state).toMatchObject({ phase: 'idle', target: null, gateway: 'mine' });
  });

  it('goes to another channel without leaving', () => {
    const { effects, state } = run([{ kind: 'join', target: { group: '1', channel: '11' } }], run(live).state);
    expect(done(effects)).toEqual(['drop', 'clear', 'ask']);
    // The state of before, late, moves it nowhere.
    expect(run([place('10'), place(null)], state).state.target?.channel).toBe('11');
  });

  it('resumes after a cut, and media goes on', () => {
    const { state } = run([cut], run(live).state);
    expect(state.phase).toBe('waiting');
    const { state: trying, effects } = pass(state, START + SECOND);
    expect(done(effects)).toEqual(['connect']);
    const { state: after, effects: then } = run([{ kind: 'opened' }, hello, frame(OP.RESUMED, { clients: [] })], trying);
    expect(done(then)).toEqual(['enter 7', 'room', 'restate']);
    expect(after.phase).toBe('live');
  });

  it('identifies anew when there is nothing to resume', () => {
    const { state } = pass(run([cut], run(live).state).state, START + SECOND);
    const { effects } = run([{ kind: 'opened' }, hello, { kind: 'closed', code: 4006 }, { kind: 'opened' }, hello], state);
    expect(done(effects)).toEqual(['enter 7', 'connect', 'enter 0']);
  });

  it('does not try to resume after a minute', () => {
    let { state } = run([cut], run(live).state);
    for (let now = START; now < START + 70 * SECOND; ) {
      now = Math.max(now, wakeAt(state));
      state = step(state, { kind: 'time' }, now, 0.5)[0];
      if (state.phase === 'asking') state = step(step(state, place('10'), now, 0.5)[0], server(), now, 0.5)[0];
      if (state.phase === 'connecting' && now < START + 60 * SECOND) state = step(state, cut, now, 0.5)[0];
      else if (state.phase === 'connecting') break;
    }
    expect(done(run([{ kind: 'opened' }, hello], state, START + 70 * SECOND).effects)).toEqual(['enter 0']);
  });

  it('asks for another way in after a few vain tries', () => {
    let { state } = run([cut], run(live).state);
    const tried: string[] = [];
    for (let n = 0; n < 5; n++) {
      const [next, effects] = step(state, { kind: 'time' }, wakeAt(state), 0.5);
      tried.push(...done(effects));
      state = next.phase === 'connecting' ? step(next, cut, START, 0.5)[0] : next;
      if (state.phase === 'asking') break;
    }
    // Who is there already would be told nothing.
    expect(tried).toEqual(['connect', 'connect', 'connect', 'ask', 'ask']);
  });

  it('comes back when it was taken out because it could not be reached', () => {
    const away = run([cut, place(null)], run(live).state);
    expect(done(away.effects)).toEqual(['ask']);
    expect(done(run([place('10'), server('wss://a/voice', 'next')], away.state).effects)).toEqual(['connect']);
    // The room turned it away before the gateway said so.
    const { state } = pass(run([cut], run(live).state).state, START + SECOND);
    const late = run([{ kind: 'opened' }, hello, { kind: 'closed', code: 4006 }, { kind: 'opened' }, hello, { kind: 'closed', code: 4014 }, place(null)], state);
    expect(late.effects.at(-1)).toMatchObject({ do: 'ask', target: there });
  });

  it.each([[0, 'full'], [50013, 'forbidden'], [10003, 'refused']])('is refused with code %i: %s', (code, why) => {
    const refused: Input = { kind: 'refused', group: '1', channel: '10', code };
    expect(run([gateway, { kind: 'join', target: there }, refused]).effects.at(-1)).toEqual({ do: 'end', why });
    // It was about something else.
    expect(run([refused], run(live).state).effects).toEqual([]);
  });

  it('identifies anew when the room failed', () => {
    const { state } = pass(run([{ kind: 'closed', code: 4015 }], run(live).state).state, START + SECOND);
    expect(done(run([{ kind: 'opened' }, hello], state).effects)).toEqual(['enter 0']);
  });

  it('follows the room to another node by itself', () => {
    const { state, effects } = run([server(null)], run(live).state);
    expect(done(effects)).toEqual(['drop']);
    expect(state.target).toEqual(there);
    const { effects: then } = run([server('wss://b/voice', 'other'), { kind: 'opened' }, hello, ready], state);
    expect(done(then)).toEqual(['connect', 'enter 0', 'room', 'offer']);
  });

  it('does nothing when it is told where it is', () => {
    expect(run([server(), place('10')], run(live).state).effects).toEqual([]);
  });

  it('goes where a moderator moves it', () => {
    const { state, effects } = run([place('11')], run(live).state);
    expect(done(effects)).toEqual(['drop', 'clear', 'moved']);
    expect(state.target?.channel).toBe('11');
    // Whichever of the two is heard of first.
    const other = run([{ kind: 'closed', code: 4014 }, place('11')], run(live).state);
    expect(other.state.target?.channel).toBe('11');
  });

  it('ends when it is put out, and does not come back', () => {
    const first = run([{ kind: 'closed', code: 4014 }, place(null)], run(live).state);
    expect(first.effects.at(-1)).toEqual({ do: 'end', why: 'disconnected' });
    const silent = pass(run([{ kind: 'closed', code: 4014 }], run(live).state).state, START + 5 * SECOND);
    expect(silent.effects.at(-1)).toEqual({ do: 'end', why: 'disconnected' });
  });

  it('ends when another tab takes it over, and leaves that one alone', () => {
    const { effects } = run([place('10', 'other')], run(live).state);
    expect(done(effects)).toEqual(['drop', 'end']);
    expect(effects.at(-1)).toEqual({ do: 'end', why: 'elsewhere' });
  });

  it('takes over from another tab', () => {
    const { state } = run([gateway, { kind: 'join', target: there }, place('10', 'other')]);
    expect(state.target).toEqual(there);
  });

  it('asks again by itself in a new session of the gateway', () => {
    const lost = run([{ kind: 'gateway', session: 'mine', isLive: false }], run(live).state);
    expect(lost.effects).toEqual([]);
    const { state, effects } = run([{ kind: 'gateway', session: 'next', isLive: true }], lost.state);
    expect(done(effects)).toEqual(['ask']);
    expect(state.phase).toBe('live');
    expect(done(run([place('10', 'next'), server('wss://a/voice', 'fresh', 'next')], state).effects)).toEqual(['drop', 'connect']);
  });

  it('stays where it is while the gateway is away', () => {
    const { state } = run([{ kind: 'gateway', session: 'mine', isLive: false }, { kind: 'closed', code: 4014 }], run(live).state);
    expect(pass(state, START + 30 * SECOND).state.target).toEqual(there);
  });

  it('restarts ICE when media stays away, then makes all anew', () => {
    const { state } = run([broken], run(live).state);
    const { effects, at } = pass(state, START + 15 * SECOND);
    expect(at[0]).toEqual([START + 2 * SECOND, 'restart']);
    expect(done(effects).slice(0, 3)).toEqual(['restart', 'drop', 'connect']);
    // It came back meanwhile.
    const back = run([broken, flowing], run(live).state);
    expect(pass(back.state, START + 15 * SECOND).effects.filter((effect) => effect.do === 'restart')).toEqual([]);
  });

  it('notices a dead socket by its heartbeat', () => {
    const { effects } = pass(run(live).state, START + 70 * SECOND);
    expect(done(effects)).toEqual(['send 3', 'drop', 'connect']);
  });

  it('never waits longer than ten seconds between two tries', () => {
    let { state } = run([cut], run(live).state);
    for (let n = 0; n < 40; n++) {
      const now = wakeAt(state);
      const [next] = step(state, { kind: 'time' }, now, 1);
      state = next.phase === 'asking' ? step(next, server(), now, 1)[0] : next;
      if (state.phase === 'connecting') state = step(state, cut, now, 1)[0];
      expect(wakeAt(state) - now).toBeLessThanOrEqual(10 * SECOND);
    }
  });
});

describe('a room', () => {
  const of = (...frames: [number, unknown][]) => frames.reduce((room, [op, d]) => roomAfter(room, op, d), empty);
  const client = (user_id: string, camera = false, screen = false) => ({ user_id, camera, screen });

  it('knows who is in it, what they send and who speaks', () => {
    const room = of(
      [OP.READY, { clients: [client('a')] }], [OP.CLIENTS_CONNECT, { clients: [client('b', true)] }], [OP.SPEAKING, { user_id: 'a', speaking: 1 }],
      [OP.SPEAKING, { user_id: 'b', speaking: 1 }], [OP.STREAMS, client('a', false, true)], [OP.CLIENT_DISCONNECT, { user_id: 'b' }],
    );
    expect([...room.people]).toEqual([['a', { camera: false, screen: true }]]);
    expect([...room.speaking]).toEqual(['a']);
  });

  it('knows what plays where', () => {
    const slot = { mid: '7', user_id: 'a', stream: 'camera', rid: 'q', paused: false };
    const room = of([OP.SLOTS, { slots: [slot] }], [OP.SLOTS, { slots: [{ ...slot, mid: '8', stream: 'screen' }] }]);
    expect(slotOf(room, 'a', 'camera')?.mid).toBe('7');
    expect(slotOf(of([OP.SLOTS, { slots: [slot] }], [OP.SLOTS, { slots: [{ ...slot, user_id: null, stream: null }] }]), 'a', 'camera')).toBeUndefined();
  });

  it('keeps its slots over a resume, and forgets those of another session', () => {
    const slot = { mid: '7', user_id: 'a', stream: 'camera', rid: null, paused: false };
    expect(of([OP.SLOTS, { slots: [slot] }], [OP.RESUMED, { clients: [] }]).slots.size).toBe(1);
    expect(of([OP.SLOTS, { slots: [slot] }], [OP.READY, { clients: [] }]).slots.size).toBe(0);
    const clients = [{ user_id: 'a', camera: false, screen: false }];
    expect(of([OP.READY, { clients }], [OP.SPEAKING, { user_id: 'a', speaking: true }], [OP.RESUMED, { clients }]).speaking.size).toBe(0);
  });

  it('says how good the connection is', () => {
    const stats = { rtt_ms: 20, up_loss: 0, up_bps: 0, down_loss: 0, down_bps: 0, estimate_bps: null };
    expect(quality(stats)).toBe('good');
    expect(quality({ ...stats, down_loss: 0.03 })).toBe('fair');
    expect(quality({ ...stats, rtt_ms: 500 })).toBe('poor');
    expect(quality({ ...stats, rtt_ms: null, up_loss: 0.2 })).toBe('poor');
  });
});

describe('the call view', () => {
  const people = (count: number) => Array.from({ length: count }, (_, n) => ({ user: `u${n}`, screen: false }));

  it('divides the room so that faces are largest', () => {
    expect(gridOf(1, 1600, 900, 8)).toEqual({ columns: 1, width: 1600, height: 900 });
    expect(gridOf(2, 1600, 500, 8).columns).toBe(2);
    expect(gridOf(2, 390, 700, 8).columns).toBe(1);
    expect(gridOf(9, 1600, 900, 8).columns).toBe(3);
  });

  it.each([1, 2, 3, 5, 16, 40, 200])('has a place within its width for each of %i', (count) => {
    for (const [width, height] of [[1200, 700], [374, 560], [300, 900]] as const) {
      const { places } = placesOf(tilesOf(people(count)), null, width, height, 8);
      expect(places).toHaveLength(count);
      for (const { x, width: w } of places) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x + w).toBeLessThanOrEqual(width);
      }
      const overlap = places.some((a, n) => places.some((b, m) => n < m && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height));
      expect(overlap).toBe(false);
    }
  });

  it('shows one large and the others small below it', () => {
    const tiles = tilesOf([{ user: 'a', screen: true }, { user: 'b', screen: false }]);
    const { places } = placesOf(tiles, tiles[0]!, 1200, 700, 8);
    expect(places[0]).toMatchObject({ x: 0, y: 0, width: 1200 });
    expect(places[0]!.height).toBeGreaterThan(500);
    for (const { y, height } of places.slice(1)) expect(y + height).toBeLessThanOrEqual(700);
  });

  it('shows a screen large by itself, unless one wants something else', () => {
    const tiles = tilesOf([{ user: 'a', screen: true }, { user: 'b', screen: false }, { user: 'me', screen: true }]);
    expect(tiles.map(keyOf)).toEqual(['a/screen', 'a/camera', 'b/camera', 'me/screen', 'me/camera']);
    expect(focusOf(undefined, tiles, 'me')).toEqual({ user: 'a', stream: 'screen' });
    expect(focusOf(null, tiles, 'me')).toBeNull();
    expect(focusOf('b/camera', tiles, 'me')).toEqual({ user: 'b', stream: 'camera' });
    expect(focusOf('gone/camera', tilesOf([{ user: 'me', screen: true }]), 'me')).toBeNull();
  });

  it('asks for what it shows, in device pixels, the largest first', () => {
    const seen = [{ user: 'a', stream: 'camera', height: 90 }, { user: 'b', stream: 'screen', height: 400 }, { user: 'c', stream: 'camera', height: 0 }] as const;
    expect(wantsOf(seen, 2)).toEqual([{ user_id: 'b', stream: 'screen', height: 800 }, { user_id: 'a', stream: 'camera', height: 180 }]);
  });

  it('hears loudness as ears do', () => {
    expect(loudness(0)).toBe(0);
    expect(loudness(1)).toBe(1);
    expect(loudness(0.001)).toBeCloseTo(0.555, 2);
  });
});

describe('voice states', () => {
  const state = (user_id: string, channel_id: string | null): VoiceState => ({
    guild_id: '1', channel_id, user_id, session_id: 's', deaf: false, mute: false, self_deaf: false, self_mute: false, self_video: false, suppress: false,
  });
  const who = (channel: string) => voices.in(channel).map(({ user_id }) => user_id).join(' ');

  it('are kept in the order of coming', () => {
    const list = [state('a', '10'), state('b', '10')];
    expect(inChannelAfter(list, { ...state('a', '10'), self_mute: true }, '10').map(({ self_mute }) => self_mute)).toEqual([true, false]);
    expect(inChannelAfter(list, state('a', '11'), '10')).toHaveLength(1);
    expect(inChannelAfter(list, state('c', '11'), '10')).toBe(list);
  });

  it('follow people from channel to channel and out', () => {
    voices.fold('GUILD_CREATE', { id: '1', channels: [{ id: '10' }], voice_states: [{ ...state('a', '10'), guild_id: undefined }] });
    voices.fold('VOICE_STATE_UPDATE', state('b', '10'));
    expect(who('10')).toBe('a b');
    voices.fold('VOICE_STATE_UPDATE', state('a', '11'));
    expect([who('10'), who('11')]).toEqual(['b', 'a']);
    expect(voices.of('1', 'a')?.channel_id).toBe('11');
    voices.fold('VOICE_STATE_UPDATE', state('b', null));
    expect(who('10')).toBe('');
    voices.fold('CHANNEL_DELETE', { id: '11', guild_id: '1' });
    expect(voices.of('1', 'a')).toBeUndefined();
    voices.fold('GUILD_CREATE', { id: '1', channels: [{ id: '10' }], voice_states: [state('c', '10')] });
    expect(who('10')).toBe('c');
    voices.fold('GUILD_DELETE', { id: '1' });
    expect(who('10')).toBe('');
  });
});

describe('what is agreed upon', () => {
  it('lets Opus be silent while nobody speaks', () => {
    const sdp = 'm=audio\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\nm=video\r\na=fmtp:96 x=1\r\n';
    expect(tuned(sdp)).toContain('a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n');
    expect(tuned(sdp)).toContain('a=fmtp:96 x=1\r\n');
    expect(tuned('m=audio\r\n')).toBe('m=audio\r\n');
  });
});

describe('the layers that are sent', () => {
  const heights = [180, 360, 720];
  it.each([
    [Infinity, [true, true, true]],
    [1080, [true, true, true]],
    [720, [true, true, true]],
    [400, [true, true, false]],
    [180, [true, false, false]],
    [60, [true, false, false]],
    [0, [false, false, false]],
  ])('up to a height of %d are those that somebody sees', (height, layers) => {
    expect(demanded(heights, height)).toEqual(layers);
  });
});
