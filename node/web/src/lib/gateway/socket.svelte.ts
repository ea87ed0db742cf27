// The shell around core.ts: a WebSocket, a timer, and events handed on in batches, one a frame.

import * as session from '../api/session';
import { type Effect, type Input, type State, initial, step, wakeAt } from './core';

export interface Dispatch {
  event: string;
  data: any;
}

/** How long events wait at most where nothing is painted. */
const UNPAINTED_MS = 150;
/** How long what was refused for no reason of its own waits while the connection stands. */
const LIVE_RETRY_MS = 3_000;

class Connection {
  /** What the person sees of it. */
  phase = $state<State['phase']>('idle');
  /** Whether it was ever live: the first connection is no reconnection. */
  wasLive = $state(false);
  /** The session of this page, once there was one. */
  session = $state<string | null>(null);

  #state: State = initial;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting: Dispatch[] = [];
  #scheduled = false;
  readonly #waiters: (() => void)[] = [];
  #renewal: Promise<unknown> = Promise.resolve();
  /** Takes what came, in order. */
  take: (batch: Dispatch[]) => void = () => {};
  /** What IDENTIFY says of the person's presence. */
  presence: () => unknown = () => undefined;

  constructor() {
    addEventListener('online', () => this.#feed({ kind: 'nudge' }));
    addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#feed({ kind: 'nudge' });
    });
  }

  start(): void {
    this.#feed({ kind: 'start' });
  }

  stop(): void {
    this.#feed({ kind: 'stop' });
    this.wasLive = false;
  }

  /** Does not wait for the next try. */
  nudge(): void {
    this.#feed({ kind: 'nudge' });
  }

  /** Waits for the connection to be there, or a moment when it is as far as one knows. */
  async comesBack(): Promise<void> {
    if (this.#state.phase === 'live') return session.sleep(LIVE_RETRY_MS);
    await new Promise<void>((done) => this.#waiters.push(done));
  }

  /** Sends a frame, if there is a session to send it in. */
  send(op: number, d: unknown): boolean {
    if (this.#state.phase !== 'live') return false;
    this.#write(op, d);
    return true;
  }

  #write(op: number, d: unknown): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ op, d }));
  }

  #feed(input: Input): void {
    const [state, effects] = step(this.#state, input, Date.now(), Math.random());
    this.#state = state;
    for (const effect of effects) this.#run(effect);
    const id = state.session?.id ?? null;
    if (this.session !== id) this.session = id;
    if (this.phase !== state.phase) this.phase = state.phase;
    if (state.phase === 'live') for (const done of this.#waiters.splice(0)) done();
    if (state.phase === 'live' && !this.wasLive) this.wasLive = true;
    clearTimeout(this.#timer);
    const at = wakeAt(this.#state);
    if (at < Infinity) this.#timer = setTimeout(() => this.#feed({ kind: 'time' }), Math.max(0, at - Date.now()));
  }

  #run(effect: Effect): void {
    switch (effect.do) {
      case 'connect':
        this.#connect();
        break;
      case 'drop':
        this.#drop(effect.code);
        break;
      case 'beat':
        this.#write(1, effect.seq);
        break;
      case 'identify':
        this.#withToken((token) =>
          this.#write(2, {
            token,
            properties: { os: navigator.platform, browser: 'Rookery web', device: '' },
            presence: this.presence(),
          }),
        );
        break;
      case 'resume':
        this.#withToken((token) => this.#write(6, { token, session_id: effect.session, seq: effect.seq }));
        break;
      case 'dispatch':
        this.#queue({ event: effect.event, data: effect.data });
        break;
      case 'renew':
        this.#renewal = session.token().then((token) => (token ? session.renew(token) : null)).catch(() => null);
        break;
    }
  }

  #connect(): void {
    const url = new URL('/gateway?v=10&encoding=json', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => this.#feed({ kind: 'opened' });
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#feed({ kind: 'frame', ...JSON.parse(data as string) });
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

  /** Speaks with a valid token; without one nobody is logged in any more. */
  #withToken(speak: (token: string) => void): void {
    const socket = this.#socket;
    void this.#renewal
      .then(() => session.token())
      .then((token) => {
        if (token && socket === this.#socket) speak(token);
      })
      .catch(() => socket?.close());
  }

  /** Collects what comes in between two frames, so that a burst is one change of the page. */
  #queue(dispatch: Dispatch): void {
    this.#waiting.push(dispatch);
    if (this.#scheduled) return;
    this.#scheduled = true;
    const flush = () => {
      if (!this.#scheduled) return;
      this.#scheduled = false;
      const batch = this.#waiting;
      this.#waiting = [];
      this.take(batch);
    };
    requestAnimationFrame(flush);
    setTimeout(flush, UNPAINTED_MS);
  }
}

export const connection = new Connection();
