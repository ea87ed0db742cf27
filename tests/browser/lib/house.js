// What scenarios begin with: a server, a browser, and people who are in.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { browser as launch } from './browser.js';
import { Node } from './node.js';

/** How long something may take that happens at once. */
export const SOON = 15_000;

/** A server and a browser for the scenarios of a file; with what the browser is started. */
export function house(options) {
  const own = {};
  before(async () => {
    [own.node, own.browser] = await Promise.all([Node.start(), launch(options)]);
  });
  after(async () => {
    await own.browser?.close();
    own.node?.end();
  });
  return own;
}

/** A page of a person of its own, with what went wrong in it. `first` runs in it before its own scripts do. */
export async function page(browser, node, { first, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce', colorScheme: 'dark', baseURL: node.url, permissions: ['clipboard-read', 'clipboard-write'], ...options });
  context.setDefaultTimeout(SOON);
  const own = await context.newPage();
  if (first) await own.addInitScript(first);
  own.faults = [];
  own.on('pageerror', (error) => own.faults.push(String(error.stack ?? error)));
  own.on('console', (message) => {
    // Refused requests and lost connections are what some scenarios are about.
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(message.text())) own.faults.push(message.text());
  });
  return own;
}

/** Somebody with an account, in front of the client. */
export async function enter(browser, node, person, path = '/', options = {}) {
  const own = await page(browser, node, options);
  await own.goto('/login');
  await own.evaluate(async ({ username, id }) => {
    const body = JSON.stringify({ login: username, password: 'correct horse', cookie: true });
    const response = await fetch('/api/v10/auth/login', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    if (!response.ok) throw new Error(await response.text());
    localStorage.setItem('rookery.login', id);
  }, person);
  await own.goto(path);
  return own;
}

/** A group of these people, the first of whom owns it. */
export async function group(node, name, [owner, ...others]) {
  const made = await node.api('POST', '/guilds', owner.token, { name });
  const channels = await node.api('GET', `/guilds/${made.id}/channels`, owner.token);
  const channel = channels.find(({ type }) => type === 0);
  const { code } = await node.api('POST', `/channels/${channel.id}/invites`, owner.token, {});
  for (const other of others) await node.api('POST', `/invites/${code}`, other.token, {});
  return { ...made, channels, channel, code };
}

export const composer = (own) => own.locator('#composer');
export const row = (own, text) => own.locator('article.message', { hasText: text });

/** Writes a message and sends it. */
export async function write(own, text) {
  await composer(own).fill(text);
  await composer(own).press('Enter');
}

/** Nothing went wrong that nobody noticed. */
export function clean(...pages) {
  for (const own of pages) assert.deepEqual(own.faults, []);
}
