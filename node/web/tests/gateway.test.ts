import { describe, expect, it } from 'vitest';
import { type Effect, type Input, type State, initial, step, wakeAt } from '../src/lib/gateway/core';

/** Runs inputs one after the other, a second apart, without chance. */
function run(inputs: Input[], from: State = initial, chance = 0.5): { state: State; effects: Effect[]; now: number } {
  let state = from;
  let now = 1_000_000;
  const effects: Effect[] = [];
  for (const input of inputs) {
    const [next, does] = step(state, input, now, chance);
    state = next;
    effects.push(...does);
    now += 1_000;
  }
  return { state, effects, now };
}

const frame = (op: number, d: unknown = null, t: string | null = null, s: number | null = null): Input => ({ kind: 'frame', op, d, t, s });
const hello = frame(10, { heartbeat_interval: 41_250 });
const ready = frame(0, { session_id: 'abc' }, 'READY', 1);
const up: Input[] = [{ kind: 'start' }, { kind: 'opened' }, hello, ready];

describe('the gateway connection', () => {
  it('connects, identifies and is live', () => {
    const { state, effects } = run(up);
    expect(effects.map((effect) => effect.do)).toEqual(['connect', 'identify', 'dispatch']);
    expect(state.phase).toBe('live');
    expect(state.session).toEqual({ id: 'abc', seq: 1 });
  });

  it('resumes where it was after a cut, with the last number', () => {
    const { state } = run([...up, frame(0, {}, 'MESSAGE_CREATE', 7), { kind: 'closed', code: 1006 }]);
    expect(state.phase).toBe('waiting');
    const again = run([{ kind: 'nudge' }, { kind: 'opened' }, hello], state);
    expect(again.effects).toEqual([{ do: 'connect' }, { do: 'resume', session: 'abc', seq: 7 }]);
  });

  it('starts anew when the session cannot be resumed', () => {
    const { state } = run([...up, { kind: 'closed', code: 1006 }]);
    const { effects, state: after } = run([{ kind: 'nudge' }, { kind: 'opened' }, hello, frame(9, false)], state);
    expect(effects.at(-1)).toEqual({ do: 'identify' });
    expect(after.session).toBeNull();
  });

  it.each([[4007], [4009]])('forgets the session after close code %i', (code) => {
    expect(run([...up, { kind: 'closed', code }]).state.session).toBeNull();
  });

  it('asks for another token when its own is refused', () => {
    const { effects } = run([...up, { kind: 'closed', code: 4004 }]);
    expect(effects.at(-1)).toEqual({ do: 'renew' });
  });

  it('waits longer after each failure, up to half a minute', () => {
    let state = run([{ kind: 'start' }]).state;
    const waits: number[] = [];
    for (let n = 0; n < 10; n++) {
      const [next] = step(state, { kind: 'closed', code: 1006 }, 0, 1);
      waits.push(next.retryAt);
      state = step(next, { kind: 'time' }, next.retryAt, 1)[0];
      expect(state.phase).toBe('connecting');
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  it('beats, and drops a connection that does not answer', () => {
    let { state } = run(up);
    let effects: Effect[];
    const first = state.beatAt;
    [state, effects] = step(state, { kind: 'time' }, first, 0.5);
    expect(effects).toEqual([{ do: 'beat', seq: 1 }]);
    const [answered] = step(state, frame(11), first + 10, 0.5);
    expect(step(answered, { kind: 'time' }, answered.beatAt, 0.5)[1]).toEqual([{ do: 'beat', seq: 1 }]);
    [state, effects] = step(state, { kind: 'time' }, state.beatAt, 0.5);
    expect(effects).toEqual([{ do: 'drop', code: 4900 }]);
    expect(state.phase).toBe('waiting');
    expect(state.session).not.toBeNull();
  });

  it('reconnects at once when told to, however often it failed before', () => {
    const { state, effects } = run([...up, frame(7)]);
    expect(effects.at(-1)).toEqual({ do: 'drop', code: 4900 });
    expect(state.session).not.toBeNull();
    expect(wakeAt(state)).toBeLessThan(Infinity);
  });

  it('gives up a socket that never gets anywhere', () => {
    const { state } = run([{ kind: 'start' }]);
    const [after, effects] = step(state, { kind: 'time' }, state.deadline, 0.5);
    expect(effects).toEqual([{ do: 'drop', code: 4900 }]);
    expect(after.phase).toBe('waiting');
  });
});
