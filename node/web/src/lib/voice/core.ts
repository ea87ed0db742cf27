// The way into a room as a pure state machine: what happened goes in, what to do comes out, as in gateway/core.ts. `Call` in
// call.svelte.ts is its shell; what goes on in the room is folded in room.ts.

import type { Id } from '../api/types';

export type Phase =
  | 'idle'
  /** The gateway was told, and will say where the room is. */
  | 'asking'
  | 'waiting'
  | 'connecting'
  /** The socket is open; the room has not let us in yet. */
  | 'greeting'
  /** In; what is sent and heard is being agreed upon. */
  | 'offering'
  | 'live'
  /** The room has put us out; the gateway will say why, or where to go. */
  | 'doubt';

export interface Target {
  readonly group: Id;
  readonly channel: Id;
}

export interface Server {
  readonly url: string;
  readonly token: string;
  /** The gateway session that it lets in. */
  readonly session: string;
}

/** Why a call is over without the person having ended it. */
export type Ending = 'refused' | 'forbidden' | 'full' | 'disconnected' | 'elsewhere';

export interface State {
  readonly phase: Phase;
  readonly target: Target | null;
  /** The gateway's session, and whether it is there now. */
  readonly gateway: string | null;
  readonly isGatewayLive: boolean;
  /** The gateway was told where we go, and has not said yet that we are there. */
  readonly isAsked: boolean;
  readonly server: Server | null;
  /** Until when the room keeps our place for a RESUME; 0: there is none. */
  readonly keptUntil: number;
  readonly wasLive: boolean;
  /** In doubt: we were put out of a room that we were in, and not merely turned away when we came back to it. */
  readonly isPutOut: boolean;
  readonly interval: number;
  readonly beatAt: number;
  readonly unanswered: boolean;
  readonly retryAt: number;
  readonly failures: number;
  readonly deadline: number;
  /** When to do something about media that does not flow; `mended`: what was tried. */
  readonly mediaAt: number;
  readonly mended: 0 | 1;
}

export type Input =
  | { kind: 'join'; target: Target }
  | { kind: 'leave' }
  | { kind: 'gateway'; session: string | null; isLive: boolean }
  /** VOICE_SERVER_UPDATE; `url` is null while the room goes from one node to another. */
  | { kind: 'server'; group: Id; url: string | null; token: string; session: string }
  /** VOICE_REFUSED. */
  | { kind: 'refused'; group: Id; channel: Id | null; code: number }
  /** VOICE_STATE_UPDATE about oneself. */
  | { kind: 'place'; group: Id; channel: Id | null; session: string }
  | { kind: 'opened' }
  | { kind: 'frame'; op: number; d: any }
  | { kind: 'closed'; code: number }
  | { kind: 'media'; is: 'flowing' | 'broken' }
  /** The network is back, or the person is. */
  | { kind: 'nudge' }
  | { kind: 'time' };

export type Effect =
  /** Tell the gateway where one is. */
  | { do: 'ask'; target: Target | null; group: Id }
  | { do: 'connect'; url: string }
  | { do: 'drop'; code: number }
  | { do: 'send'; op: number; d: unknown }
  /** Identify or resume: the shell adds who one is. */
  | { do: 'enter'; op: number; server: Server }
  /** Make a connection for media, and an offer of it. */
  | { do: 'offer'; ready: any }
  | { do: 'restart' }
  /** What came from the room is of another one. */
  | { do: 'clear' }
  | { do: 'answer'; sdp: string }
  /** Say again what is sent and wanted. */
  | { do: 'restate' }
  | { do: 'room'; op: number; d: any }
  | { do: 'moved'; target: Target; from: Id }
  /** No media any more. */
  | { do: 'end'; why: Ending | null };

export const OP = {
  IDENTIFY: 0, SELECT_PROTOCOL: 1, READY: 2, HEARTBEAT: 3, SESSION_DESCRIPTION: 4, SPEAKING: 5, HEARTBEAT_ACK: 6, RESUME: 7, HELLO: 8,
  RESUMED: 9, CLIENTS_CONNECT: 11, STREAMS: 12, CLIENT_DISCONNECT: 13, WANTS: 15, SLOTS: 40, STATS: 41, DEMAND: 42,
} as const;

export const initial: State = {
  phase: 'idle', target: null, gateway: null, isGatewayLive: false, isAsked: false, server: null, keptUntil: 0, wasLive: false, isPutOut: false,
  interval: 0, beatAt: Infinity, unanswered: false, retryAt: Infinity, failures: 0, deadline: Infinity, mediaAt: Infinity, mended: 0,
};

const FIRST_RETRY_MS = 300;
const LAST_RETRY_MS = 10_000;
const PATIENCE_MS = 10_000;
/** How long the gateway may take to say why the room put us out. */
const DOUBT_MS = 3_000;
/** How long a room may take from one node to another until we ask for it. */
const MOVE_MS = 10_000;
/** The room keeps a place for a minute; a try of ours takes a while. */
const KEPT_MS = 55_000;
/** Media often comes back by itself within that. */
const BROKEN_MS = 2_000;
const MENDING_MS = 8_000;
/** After so many vain tries the gateway is asked for another way in. */
const ASK_AGAIN = 4;
/** Who never was in is told after so many: tries at all, and times that the room turned him away. */
const GIVE_UP = { tries: 12, turnedAway: 3 };
const RESUMABLE = 4900;
const REFUSED: Record<number, Ending> = { 0: 'full', 50013: 'forbidden' };
const CLOSE = { AUTHENTICATION_FAILED: 4004, SESSION_INVALID: 4006, DISCONNECTED: 4014 } as const;
/** After these our place in the room is gone. */
const PLACE_LOST = new Set([4001, 4002, 4003, 4005, 4006, 4012, 4015, 4020]);
const hasSocket = (phase: Phase) => phase === 'connecting' || phase === 'greeting' || phase === 'offering' || phase === 'live';

export function wakeAt(state: State): number {
  return Math.min(state.beatAt, state.retryAt, state.deadline, state.mediaAt);
}

type Step = [State, Effect[]];

/** `chance` is from 0 to 1. */
export function step(state: State, input: Input, now: number, chance: number): Step {
  switch (input.kind) {
    case 'gateway':
      return gateway(state, input, now);
    case 'join':
      return join(state, input.target, now);
    case 'leave':
      return state.target ? over(state, null, [{ do: 'ask', target: null, group: state.target.group }]) : [state, []];
  }
  if (!state.target) return [state, []];
  switch (input.kind) {
    case 'server':
      return server(state, state.target, input, now);
    case 'refused':
      return state.isAsked && input.channel === state.target.channel ? over(state, REFUSED[input.code] ?? 'refused') : [state, []];
    case 'place':
      return place(state, state.target, input, now);
    case 'opened':
      return state.phase === 'connecting' ? [{ ...state, phase: 'greeting' }, []] : [state, []];
    case 'frame':
      return frame(state, input.op, input.d, now, chance);
    case 'closed':
      return closed(state, input.code, now, chance);
    case 'media':
      return media(state, input.is, now);
    case 'nudge':
      return state.phase === 'waiting' ? again(state, state.target, now) : [state, []];
    case 'time':
      return tick(state, state.target, now, chance);
  }
}

/** Nothing is open and nothing is waited for. */
const still = { beatAt: Infinity, unanswered: false, retryAt: Infinity, deadline: Infinity } as const;

function over(state: State, why: Ending | null, first: Effect[] = []): Step {
  const drop: Effect[] = hasSocket(state.phase) ? [{ do: 'drop', code: 1000 }] : [];
  return [{ ...initial, gateway: state.gateway, isGatewayLive: state.isGatewayLive }, [...first, ...drop, { do: 'end', why }]];
}

/** Tells the gateway where to, or waits until there is one to tell. */
function ask(state: State, target: Target, now: number): Step {
  const next: State = { ...state, ...still, phase: 'asking', target, isAsked: true, server: null, keptUntil: 0, isPutOut: false };
  if (!state.isGatewayLive) return [next, []];
  return [{ ...next, deadline: now + PATIENCE_MS }, [{ do: 'ask', target, group: target.group }]];
}

/** Who is there already is told no way in: he goes first. */
function askAnew(state: State, target: Target, now: number): Step {
  const [next, effects] = ask(state, target, now);
  return [next, effects.length ? [{ do: 'ask', target: null, group: target.group }, ...effects] : []];
}

function join(state: State, target: Target, now: number): Step {
  if (state.target?.channel === target.channel) return [state, []];
  const drop: Effect[] = hasSocket(state.phase) ? [{ do: 'drop', code: 1000 }] : [];
  const [next, effects] = ask({ ...initial, gateway: state.gateway, isGatewayLive: state.isGatewayLive }, target, now);
  return [next, [...drop, ...(state.target ? [{ do: 'clear' } as const] : []), ...effects]];
}

function connect(state: State, url: string, now: number): Step {
  const next: State = { ...state, ...still, phase: 'connecting', deadline: now + PATIENCE_MS };
  return [next, [{ do: 'connect', url }]];
}

/** Waits longer with every failure, and everybody a little differently. */
function wait(state: State, now: number, chance: number): State {
  const most = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** state.failures);
  return { ...state, ...still, phase: 'waiting', retryAt: now + most / 2 + (most / 2) * chance, failures: state.failures + 1 };
}

/** The next try: at the room, or at the gateway, which knows where the room is now. */
function again(state: State, target: Target, now: number): Step {
  if (!state.server || state.failures % ASK_AGAIN === 0) return askAnew(state, target, now);
  return connect(now < state.keptUntil ? state : { ...state, keptUntil: 0 }, state.server.url, now);
}

function gateway(state: State, { session, isLive }: Extract<Input, { kind: 'gateway' }>, now: number): Step {
  const isOther = session !== null && session !== state.gateway;
  const next = { ...state, gateway: session ?? state.gateway, isGatewayLive: isLive };
  if (!next.target || !isLive) return [next, []];
  // In another session one is nowhere; what still comes from the room goes on until the gateway has an answer.
  if (isOther && hasSocket(state.phase)) return [{ ...next, isAsked: true }, [{ do: 'ask', target: next.target, group: next.target.group }]];
  if (isOther || (state.phase === 'asking' && !state.isGatewayLive)) return ask(next, next.target, now);
  return [next, []];
}

function server(state: State, target: Target, { group, url, token, session }: Extract<Input, { kind: 'server' }>, now: number): Step {
  if (session !== state.gateway || group !== target.group) return [state, []];
  const drop: Effect[] = hasSocket(state.phase) ? [{ do: 'drop', code: RESUMABLE }] : [];
  if (!url) return [{ ...state, ...still, phase: 'asking', server: null, keptUntil: 0, deadline: now + MOVE_MS }, drop];
  if (hasSocket(state.phase) && state.server?.url === url && state.server.token === token) return [state, []];
  const next = { ...state, server: { url, token, session }, keptUntil: 0, isPutOut: false, mediaAt: Infinity, mended: 0 as const };
  const [after, effects] = connect(next, url, now);
  return [after, [...drop, ...effects]];
}

function place(state: State, target: Target, { group, channel, session }: Extract<Input, { kind: 'place' }>, now: number): Step {
  if (session !== state.gateway) {
    // What is said of an older session of ours means nothing while our own word is on its way.
    return !state.isAsked && channel ? over(state, 'elsewhere') : [state, []];
  }
  if (channel === target.channel) return [{ ...state, isAsked: false }, []];
  if (state.isAsked) return [state, []];
  if (!channel) {
    if (group !== target.group) return [state, []];
    // Whoever cannot be reached for a while is taken out, too: he comes back.
    return state.phase === 'live' || state.isPutOut ? over(state, 'disconnected') : ask(state, target, now);
  }
  // A moderator moved us: the gateway says where that room is.
  const moved: Target = { group, channel };
  const drop: Effect[] = hasSocket(state.phase) ? [{ do: 'drop', code: RESUMABLE }] : [];
  return [
    { ...state, ...still, phase: 'asking', target: moved, server: null, keptUntil: 0, deadline: now + MOVE_MS },
    [...drop, { do: 'clear' }, { do: 'moved', target: moved, from: target.channel }],
  ];
}

function closed(state: State, code: number, now: number, chance: number): Step {
  if (!hasSocket(state.phase)) return [state, []];
  if (code === CLOSE.DISCONNECTED) {
    return [{ ...state, ...still, phase: 'doubt', keptUntil: 0, isPutOut: state.phase === 'live', deadline: now + DOUBT_MS }, []];
  }
  if (code === CLOSE.AUTHENTICATION_FAILED) return [wait({ ...state, server: null, keptUntil: 0 }, now, chance), []];
  if (code === CLOSE.SESSION_INVALID && state.keptUntil && state.server) return connect({ ...state, keptUntil: 0 }, state.server.url, now);
  const kept = PLACE_LOST.has(code) ? 0 : state.phase === 'live' ? now + KEPT_MS : state.keptUntil;
  return [wait({ ...state, keptUntil: kept }, now, chance), []];
}

function media(state: State, is: 'flowing' | 'broken', now: number): Step {
  if (is === 'flowing') return [{ ...state, mediaAt: Infinity, mended: 0, failures: 0, wasLive: true }, []];
  return [{ ...state, mediaAt: Math.min(state.mediaAt, now + BROKEN_MS) }, []];
}

function tick(state: State, target: Target, now: number, chance: number): Step {
  if (now >= state.retryAt) return giveUp(state, target, GIVE_UP.tries) ?? again(state, target, now);
  if (now >= state.deadline) {
    if (state.phase === 'doubt') {
      // The gateway has nothing to say as long as it is away.
      if (!state.isGatewayLive) return [{ ...state, deadline: now + DOUBT_MS }, []];
      if (state.isPutOut) return over(state, 'disconnected', [{ do: 'ask', target: null, group: target.group }]);
      return giveUp(state, target, GIVE_UP.turnedAway) ?? [wait({ ...state, server: null }, now, chance), []];
    }
    if (state.phase === 'asking') return giveUp(state, target, 0) ?? [wait(state, now, chance), []];
    const kept = state.phase === 'offering' ? 0 : state.keptUntil;
    return [wait({ ...state, keptUntil: kept }, now, chance), [{ do: 'drop', code: RESUMABLE }]];
  }
  if (now >= state.mediaAt) return mend(state, now, chance);
  if (now < state.beatAt) return [state, []];
  if (state.unanswered) {
    return [wait({ ...state, keptUntil: state.phase === 'live' ? now + KEPT_MS : state.keptUntil }, now, chance), [{ do: 'drop', code: RESUMABLE }]];
  }
  return [{ ...state, beatAt: now + state.interval, unanswered: true }, [{ do: 'send', op: OP.HEARTBEAT, d: { t: now } }]];
}

/** Who never was in does not try for ever. */
function giveUp(state: State, target: Target, after: number): Step | null {
  return state.wasLive || state.failures < after ? null : over(state, 'refused', [{ do: 'ask', target: null, group: target.group }]);
}

/** Media does not flow: other ways are looked for, and when that does not help all is made anew. */
function mend(state: State, now: number, chance: number): Step {
  // Without the socket nothing can be agreed upon; RESUMED comes back to it.
  if (state.phase !== 'live') return [{ ...state, mediaAt: state.phase === 'offering' ? now + MENDING_MS : Infinity, mended: 0 }, []];
  if (state.mended === 0) return [{ ...state, mended: 1, mediaAt: now + MENDING_MS }, [{ do: 'restart' }]];
  return [wait({ ...state, keptUntil: 0, mediaAt: Infinity, mended: 0 }, now, chance), [{ do: 'drop', code: RESUMABLE }]];
}

function frame(state: State, op: number, d: any, now: number, chance: number): Step {
  switch (op) {
    case OP.HELLO: {
      if (!state.server) return [state, []];
      const next = { ...state, interval: d.heartbeat_interval, beatAt: now + d.heartbeat_interval * chance, unanswered: false };
      return [next, [{ do: 'enter', op: state.keptUntil ? OP.RESUME : OP.IDENTIFY, server: state.server }]];
    }
    case OP.HEARTBEAT_ACK:
      return [{ ...state, unanswered: false }, []];
    case OP.READY:
      return [{ ...state, phase: 'offering', deadline: now + PATIENCE_MS, keptUntil: 0 }, [{ do: 'room', op, d }, { do: 'offer', ready: d }]];
    case OP.SESSION_DESCRIPTION: {
      // Of a restart, the time it may take runs already.
      const mediaAt = state.phase === 'offering' ? now + MENDING_MS : state.mediaAt;
      const isFirst = state.phase === 'offering';
      const effects: Effect[] = [{ do: 'answer', sdp: d.sdp }];
      if (isFirst) effects.push({ do: 'restate' });
      return [{ ...state, phase: 'live', deadline: Infinity, mediaAt }, effects];
    }
    case OP.RESUMED: {
      // Whether media flowed meanwhile is known only if it said that it does not.
      const mediaAt = state.mediaAt === Infinity ? Infinity : now;
      return [{ ...state, phase: 'live', deadline: Infinity, failures: 0, mediaAt }, [{ do: 'room', op, d }, { do: 'restate' }]];
    }
    default:
      return [state, [{ do: 'room', op, d }]];
  }
}
