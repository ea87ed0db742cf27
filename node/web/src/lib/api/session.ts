// Who is logged in: the access token in memory, renewed with the cookie that scripts cannot read. The refresh token may be
// used only once, so of several tabs one renews at a time.

import { Refusal, makeRequest } from './client';
import type { Id, Tokens } from './types';

/** Renew when this much of a token's life is left. */
const MARGIN_MS = 60_000;
/** Set while a refresh is under way, with its time. */
const UNDER_WAY = 'rookery.refreshing';
/** How long one may be that a page began which is gone. */
const SETTLED_MS = 1_500;
/** Set while a login exists, so that newcomers' first page asks for nothing. */
const MARK = 'rookery.login';

let current: { token: string; until: number; user: Id } | null = null;
let renewing: Promise<string | null> | null = null;
const tabs = 'BroadcastChannel' in globalThis ? new BroadcastChannel('rookery') : null;

/** Called when the login is over, whoever ended it. */
let onEnded: () => void = () => {};

export const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/** Runs one tab after the other, where the browser offers that (it does on https and on localhost). */
function alone<T>(work: () => Promise<T>): Promise<T> {
  if (!navigator.locks) return work();
  return navigator.locks.request('rookery.refresh', work) as Promise<T>;
}

/** Waits for a refresh that another page began: one that was left in this moment can no longer say that it has ended. */
async function settled(): Promise<void> {
  for (;;) {
    const left = Number(localStorage.getItem(UNDER_WAY) ?? 0) + SETTLED_MS - Date.now();
    if (left <= 0 || left > SETTLED_MS) return;
    await sleep(Math.min(left, 50));
  }
}

const anonymous = makeRequest({
  // Kept alive when the page is left: the next token is in the answer, and this one is used up.
  fetch: (path, init) => fetch(path, { ...init, keepalive: true }),
  sleep,
  token: async () => null,
  renew: async () => null,
});

function keep(tokens: Tokens): string {
  current = { token: tokens.token, until: Date.now() + tokens.expires_in * 1000, user: tokens.user_id };
  localStorage.setItem(MARK, tokens.user_id);
  return tokens.token;
}

function end(): null {
  const was = current !== null || localStorage.getItem(MARK) !== null;
  current = null;
  localStorage.removeItem(MARK);
  if (was) onEnded();
  return null;
}

async function refresh(): Promise<string | null> {
  await settled();
  localStorage.setItem(UNDER_WAY, String(Date.now()));
  try {
    return keep(await anonymous<Tokens>('POST', '/auth/refresh', { body: { cookie: true } }));
  } catch (error) {
    // Only the server's word ends a login: that it cannot be reached does not.
    if (error instanceof Refusal && (error.status === 401 || error.status === 400)) return end();
    throw error;
  } finally {
    localStorage.removeItem(UNDER_WAY);
  }
}

/** A token that is valid for a while yet. */
export async function token(): Promise<string | null> {
  if (current && current.until - Date.now() > MARGIN_MS) return current.token;
  if (!hasLogin()) return null;
  renewing ??= alone(refresh).finally(() => (renewing = null));
  return renewing;
}

/** Another token than this one, which the server refused. */
export async function renew(refused: string): Promise<string | null> {
  if (current?.token === refused) current = null;
  return token();
}

/** Whether this browser has a login as far as is known without asking. */
export function hasLogin(): boolean {
  return localStorage.getItem(MARK) !== null;
}

/** A token that came with another answer, after the password was changed. */
export function adopt(token: string): void {
  if (current) current = { ...current, token };
}

export async function logIn(login: string, password: string): Promise<void> {
  keep(await anonymous<Tokens>('POST', '/auth/login', { body: { login, password, cookie: true } }));
  tabs?.postMessage('changed');
}

export interface Registration {
  username: string;
  password: string;
  global_name?: string;
  invite?: string;
}

export async function register(form: Registration): Promise<void> {
  keep(await anonymous<Tokens>('POST', '/auth/register', { body: { ...form, cookie: true } }));
  tabs?.postMessage('changed');
}

export async function logOut(): Promise<void> {
  await request('POST', '/auth/logout', { body: {}, repeatable: true }).catch(() => undefined);
  tabs?.postMessage('changed');
  end();
}

/** Tells when the login is over, here or in another tab. */
export function watch(ended: () => void): void {
  onEnded = ended;
  tabs?.addEventListener('message', () => location.reload());
}

/** Requests of whoever is logged in. */
export const request = makeRequest({ fetch: (path, init) => fetch(path, init), sleep, token, renew });
