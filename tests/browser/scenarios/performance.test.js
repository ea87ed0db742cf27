// How fast it is, and that it stays so: the figures of the README's table. Others use the machine, too, so a figure is the
// best of a few tries; it still has to be reached.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clean, composer, enter, group, house } from '../lib/house.js';

const own = house();
const TRIES = 3;
const MESSAGES = 10_000;

/** Runs it until it is good enough; answers the best value there was. */
async function best(most, measure) {
  let least = Infinity;
  for (let n = 0; n < TRIES && least > most; n++) least = Math.min(least, await measure());
  return least;
}

/** The longest task of the page's main thread while something goes on, in milliseconds; 0 when none took 50. */
async function longestTask(on, during) {
  await on.evaluate(() => {
    window.tasks = [];
    window.watcher = new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration)));
    window.watcher.observe({ type: 'longtask' });
  });
  await during();
  return on.evaluate(() => {
    window.tasks.push(...window.watcher.takeRecords().map(({ duration }) => duration));
    window.watcher.disconnect();
    return Math.max(0, ...window.tasks);
  });
}

/** Posts so many messages, some at a time. */
async function post(channel, token, count, text) {
  let next = 0;
  const worker = async () => {
    while (next < count) await own.node.api('POST', `/channels/${channel}/messages`, token, { content: text(next++) });
  };
  await Promise.all(Array.from({ length: 24 }, worker));
}

test('the first load is small, and can be used within a second', async (t) => {
  const ada = await own.node.register('ada', 'Ada');
  const rooks = await group(own.node, 'Rooks', [ada]);
  const path = `/g/${rooks.id}/${rooks.channel.id}`;
  let bytes = 0;
  const time = await best(1_000, async () => {
    const one = await enter(own.browser, own.node, ada, '/login');
    const fresh = await one.context().newPage();
    const session = await fresh.context().newCDPSession(fresh);
    await session.send('Network.enable');
    await session.send('Network.setCacheDisabled', { cacheDisabled: true });
    const kinds = new Map();
    let sum = 0;
    session.on('Network.responseReceived', ({ requestId, response }) => kinds.set(requestId, response.mimeType));
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      if (/javascript/.test(kinds.get(requestId) ?? '')) sum += encodedDataLength;
    });
    const started = Date.now();
    await fresh.goto(path, { waitUntil: 'commit' });
    await composer(fresh).waitFor();
    const took = Date.now() - started;
    bytes = sum;
    await one.context().close();
    return took;
  });
  t.diagnostic(`first load: ${(bytes / 1000).toFixed(0)} kB of JavaScript over the wire, usable after ${time} ms`);
  assert.ok(bytes < 150_000, `${bytes} bytes`);
  assert.ok(time < 1_000, `${time} ms`);
});

test('ten thousand messages scroll smoothly', async (t) => {
  const ben = await own.node.register('ben', 'Ben');
  const rooks = await group(own.node, 'Rooks', [ben]);
  const words = 'rooks live in colonies and know each other by **voice** for `years` on end, it is said'.split(' ');
  await post(rooks.channel.id, ben.token, MESSAGES, (n) => `${n}: ${words.slice(0, 2 + (n % 13)).join(' ')}`);
  const one = await enter(own.browser, own.node, ben, `/g/${rooks.id}/${rooks.channel.id}`);
  await composer(one).waitFor();
  await one.locator('#messages').hover();
  // All of it is read once, from the end to the beginning, by pages as one scrolls.
  const deadline = Date.now() + 90_000;
  while (!(await one.getByText('The beginning of').isVisible())) {
    assert.ok(Date.now() < deadline, 'the beginning is not reached');
    await one.mouse.wheel(0, -20_000);
    await one.waitForTimeout(16);
  }
  const held = await one.locator('#messages').evaluate((list) => list.scrollHeight);
  assert.ok(held > MESSAGES * 20, `${held} px`);
  const longest = await best(50, () =>
    longestTask(one, async () => {
      for (const step of [900, 2_500, -700, 9_000, -3_000]) {
        for (let n = 0; n < 25; n++) {
          await one.mouse.wheel(0, step);
          await one.waitForTimeout(16);
        }
      }
    }),
  );
  t.diagnostic(`10,000 messages: the longest task while scrolling took ${longest || 'less than 50'} ms`);
  assert.ok(longest <= 50, `${longest} ms`);
  clean(one);
});

test('a burst of two hundred messages a second keeps the page responsive', async (t) => {
  const cleo = await own.node.register('cleo', 'Cleo');
  const rooks = await group(own.node, 'Rooks', [cleo]);
  const one = await enter(own.browser, own.node, cleo, `/g/${rooks.id}/${rooks.channel.id}`);
  await composer(one).waitFor();
  let sent = 0;
  const longest = await best(100, () =>
    longestTask(one, async () => {
      const started = Date.now();
      const posts = [];
      for (let second = 0; second < 3; second++) {
        for (let n = 0; n < 200; n++) {
          posts.push(own.node.api('POST', `/channels/${rooks.channel.id}/messages`, cleo.token, { content: `burst ${sent++} *of* many` }));
          const ahead = posts.length * 5 - (Date.now() - started);
          if (ahead > 0) await new Promise((done) => setTimeout(done, ahead));
        }
      }
      await composer(one).fill('I can still type');
      await Promise.all(posts);
      await one.getByText(`burst ${sent - 1} of many`).waitFor();
    }),
  );
  t.diagnostic(`200 messages a second: the longest task took ${longest || 'less than 50'} ms`);
  assert.ok(longest <= 100, `${longest} ms`);
  assert.equal(await composer(one).inputValue(), 'I can still type');
  clean(one);
});
