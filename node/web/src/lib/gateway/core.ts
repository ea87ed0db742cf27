// The gateway's connection as a pure state machine: what happened goes in, what to do comes out. Time and chance are
// handed in; `Connection` in socket.ts is its thin shell.

export type Phase = 'idle' | 'waiting' | 'connecting' | 'greeting' | 'live';

export interface State {
  readonly phase: Phase;
  /** The session to resume, with the last number received. */
  readonly session: { id: string; seq: number } | null;
  /** Milliseconds between heartbeats, once HELLO has said. */
  readonly interval: number;
  readonly beatAt: number;
  /** A heartbeat was sent and not answered. */
  readonly unanswered: boolean;
  /** When to try again, while waiting. */
  readonly retryAt: number;
  /** Tries since it was last live. */
  readonly failures: number;
  /** When the socket must have got somewhere. */
  readonly deadline: number;
}

export type Input =
  | { kind: 'start' }
  | { kind: 'stop' }
  /** The network is back, or the person is: do not wait any longer. */
  | { kind: 'nudge' }
  | { kind: 'opened' }
  | { kind: 'frame'; op: number; s: number | null; t: string | null; d: unknown }
  | { kind: 'closed'; code: number }
  | { kind: 'time' };

export type Effect =
  | { do: 'connect' }
  | { do: 'drop'; code: number }
  | { do: 'beat'; seq: number | null }
  | { do: 'identify' }
  | { do: 'resume'; session: string; seq: number }
  | { do: 'dispatch'; event: string; data: unknown }
  /** The token was refused: get another one before the next try. */
  | { do: 'renew' };

export const initial: State = {
  phase: 'idle', session: null, interval: 0, beatAt: Infinity, unanswered: false, retryAt: Infinity, failures: 0,
  deadline: Infinity,
};

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
const PATIENCE_MS = 20_000;
/** Close codes after which the session cannot be resumed. */
const SESSION_LOST = new Set([4003, 4007, 4009]);
const TOKEN_REFUSED = 4004;
/** What we close with so that the session stays resumable. */
const RESUMABLE = 4900;

/** When the machine wants to be told the time. */
export function wakeAt(state: State): number {
  return Math.min(state.beatAt, state.retryAt, state.deadline);
}

/** `chance` is from 0 to 1. */
export function step(state: State, input: Input, now: number, chance: number): [State, Effect[]] {
  switch (input.kind) {
    case 'start':
      return state.phase === 'idle' ? connect(state, now) : [state, []];
    case 'stop':
      return [initial, state.phase === 'idle' || state.phase === 'waiting' ? [] : [{ do: 'drop', code: 1000 }]];
    case 'nudge':
      return state.phase === 'waiting' ? connect(state, now) : [state, []];
    case 'opened':
      return [{ ...state, phase: 'greeting' }, []];
    case 'closed':
      return closed(state, input.code, now, chance);
    case 'time':
      return tick(state, now, chance);
    case 'frame':
      return frame(state, input, now, chance);
  }
}

function connect(state: State, now: number): [State, Effect[]] {
  const next: State = {
    ...state, phase: 'connecting', retryAt: Infinity, beatAt: Infinity, unanswered: false, deadline: now + PATIENCE_MS,
  };
  return [next, [{ do: 'connect' }]];
}

/** Waits longer with every failure, and everybody a little differently: a restarted server is not stormed. */
function wait(state: State, now: number, chance: number): State {
  const most = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** state.failures);
  return {
    ...state, phase: 'waiting', retryAt: now + most / 2 + (most / 2) * chance, failures: state.failures + 1,
    beatAt: Infinity, deadline: Infinity, unanswered: false,
  };
}

function closed(state: State, code: number, now: number, chance: number): [State, Effect[]] {
  if (state.phase === 'idle' || state.phase === 'waiting') return [state, []];
  const session = SESSION_LOST.has(code) ? null : state.session;
  const effects: Effect[] = code === TOKEN_REFUSED ? [{ do: 'renew' }] : [];
  return [wait({ ...state, session }, now, chance), effects];
}

function tick(state: State, now: number, chance: number): [State, Effect[]] {
  if (now >= state.retryAt) return connect(state, now);
  if (now >= state.deadline) return [wait(state, now, chance), [{ do: 'drop', code: RESUMABLE }]];
  if (now < state.beatAt) return [state, []];
  // No answer to the last heartbeat: the connection is dead whatever the socket thinks.
  if (state.unanswered) return [wait(state, now, chance), [{ do: 'drop', code: RESUMABLE }]];
  const next = { ...state, beatAt: now + state.interval, unanswered: true };
  return [next, [{ do: 'beat', seq: state.session?.seq ?? null }]];
}

type Frame = Extract<Input, { kind: 'frame' }>;

function frame(state: State, { op, s, t, d }: Frame, now: number, chance: number): [State, Effect[]] {
  switch (op) {
    case 10: {
      const interval = (d as { heartbeat_interval: number }).heartbeat_interval;
      const next = { ...state, interval, beatAt: now + interval * chance };
      const { session } = state;
      return [next, [session ? { do: 'resume', session: session.id, seq: session.seq } : { do: 'identify' }]];
    }
    case 1:
      return [state, [{ do: 'beat', seq: state.session?.seq ?? null }]];
    case 11:
      return [{ ...state, unanswered: false }, []];
    case 7:
      return [wait({ ...state, failures: 0 }, now, chance), [{ do: 'drop', code: RESUMABLE }]];
    case 9:
      return d === true
        ? [wait(state, now, chance), [{ do: 'drop', code: RESUMABLE }]]
        : [{ ...state, session: null }, [{ do: 'identify' }]];
    case 0: {
      let next = state;
      if (t === 'READY') next = { ...next, session: { id: (d as { session_id: string }).session_id, seq: s ?? 0 } };
      else if (next.session && s !== null) next = { ...next, session: { ...next.session, seq: s } };
      if (t === 'READY' || t === 'RESUMED') next = { ...next, phase: 'live', failures: 0, deadline: Infinity };
      return [next, [{ do: 'dispatch', event: t ?? '', data: d }]];
    }
    default:
      return [state, []];
  }
}
