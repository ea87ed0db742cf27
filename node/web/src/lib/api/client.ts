// One request: the token, what is tried again and when, and refusals as values that forms can show.

/** What the client needs of the world; tests give their own. */
export interface Wire {
  fetch: (path: string, init: RequestInit) => Promise<Response>;
  sleep: (ms: number) => Promise<void>;
  /** A valid access token, or nothing when nobody is logged in. */
  token: () => Promise<string | null>;
  /** A new one instead of one that was refused. */
  renew: (refused: string) => Promise<string | null>;
}

export interface Ask {
  body?: unknown;
  /** For the audit log. */
  reason?: string;
  /** Repeating it is harmless although the method does not say so, such as a message with its nonce. */
  repeatable?: boolean;
  /** No token is sent: logging in and the like. */
  anonymous?: boolean;
  signal?: AbortSignal;
}

/** The server said no, or nothing. `status` 0: it could not be reached. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
    /** Faults by field. */
    readonly fields: Record<string, string> = {},
    /** Seconds until it may be tried again. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

/** How often a request is sent at most. */
const TRIES = 5;
/** The longest wait that is worth it: after that the person is told. */
const PATIENCE_MS = 15_000;
const FIRST_PAUSE_MS = 400;

const IDEMPOTENT = new Set(['GET', 'PUT', 'DELETE']);

/** `{errors: {field: {_errors: [{message}]}}}` flattened to `field.sub` -> message. */
export function readFields(errors: unknown, path = ''): Record<string, string> {
  const found: Record<string, string> = {};
  if (typeof errors !== 'object' || errors === null) return found;
  for (const [key, value] of Object.entries(errors)) {
    if (key === '_errors' && Array.isArray(value)) {
      found[path] = String(value[0]?.message ?? '');
    } else {
      Object.assign(found, readFields(value, path ? `${path}.${key}` : key));
    }
  }
  return found;
}

/** A refusal out of an answer's body, whatever that is. */
export function readRefusal(status: number, text: string, retryHeader: string | null): Refusal {
  let body: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) body = parsed as Record<string, unknown>;
  } catch {
    // A proxy's page: the status says enough.
  }
  const said = Number(body.retry_after ?? retryHeader ?? NaN);
  return new Refusal(
    status,
    Number(body.code ?? 0),
    String(body.message ?? ''),
    readFields(body.errors),
    Number.isFinite(said) ? said : null,
  );
}

/** How long to wait before the next try, or nothing when the refusal stands. */
export function pause(refusal: Refusal, method: string, repeatable: boolean, attempt: number): number | null {
  if (attempt + 1 >= TRIES) return null;
  const backoff = FIRST_PAUSE_MS * 2 ** attempt;
  if (refusal.status === 429) {
    const wait = refusal.retryAfter === null ? backoff : refusal.retryAfter * 1000 + 50;
    return wait <= PATIENCE_MS ? wait : null;
  }
  // Unreachable, or an outcome that is not known: only what may happen twice is sent twice.
  const isUncertain = refusal.status === 0 || refusal.status === 503 || refusal.status === 502;
  if (isUncertain && (repeatable || IDEMPOTENT.has(method))) {
    return Math.max(backoff, (refusal.retryAfter ?? 0) * 1000);
  }
  return null;
}

export type Request = <T>(method: string, path: string, ask?: Ask) => Promise<T>;

/** Requests below `/api/v10` over a wire. */
export function makeRequest(wire: Wire): Request {
  return async function request<T>(method: string, path: string, ask: Ask = {}): Promise<T> {
    let token = ask.anonymous ? null : await wire.token();
    let renewed = false;
    for (let attempt = 0; ; attempt++) {
      let refusal: Refusal;
      try {
        const headers: Record<string, string> = {};
        if (token) headers.Authorization = token;
        if (ask.body !== undefined) headers['Content-Type'] = 'application/json';
        if (ask.reason) headers['X-Audit-Log-Reason'] = encodeURIComponent(ask.reason);
        const body = ask.body === undefined ? undefined : JSON.stringify(ask.body);
        const response = await wire.fetch(`/api/v10${path}`, { method, headers, body, signal: ask.signal });
        const text = response.status === 204 ? '' : await response.text();
        if (response.ok) return (text ? JSON.parse(text) : undefined) as T;
        refusal = readRefusal(response.status, text, response.headers.get('Retry-After'));
      } catch (error) {
        if (ask.signal?.aborted) throw error;
        refusal = new Refusal(0, 0, '');
      }
      if (refusal.status === 401 && token && !renewed) {
        renewed = true;
        token = await wire.renew(token);
        if (token) continue;
      }
      const wait = pause(refusal, method, ask.repeatable ?? false, attempt);
      if (wait === null) throw refusal;
      await wire.sleep(wait);
    }
  };
}
