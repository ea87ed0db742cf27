// The node of a room is killed: the call goes on at another, with nobody doing anything.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { browser as launch } from '../lib/browser.js';
import { MEDIA, connected, decoded, heard, join, moving, press, until, watched } from '../lib/call.js';
import { Cluster } from '../lib/cluster.js';
import { clean, enter, group } from '../lib/house.js';

/** Milliseconds until there are pictures again. */
const MOST = 10_000;

const own = {};
const skip = !process.env.ROOKERY_TEST_MONGO && 'run it with target/debug/with_mongod';
before(async () => {
  if (skip) return;
  [own.node, own.browser] = await Promise.all([Cluster.start(3), launch()]);
});
after(async () => {
  await own.browser?.close();
  own.node?.end();
});

test('the node of a room is killed: pictures are back within ten seconds', { skip }, async (t) => {
  const people = await Promise.all(['ada', 'ben'].map((name) => own.node.register(name, name)));
  const rooks = await group(own.node, 'Rooks', people);
  const pages = [];
  for (const person of people) {
    const on = await enter(own.browser, own.node, person, `/g/${rooks.id}/${rooks.channel.id}`, { viewport: { width: 900, height: 560 }, first: watched });
    await join(on, 'General');
    await press(on, 'Turn the camera on');
    pages.push(on);
  }
  const [one, two] = pages;
  const [ada, ben] = people;
  await Promise.all([moving(one, ben), moving(two, ada)]);
  const roomAt = () => one.evaluate(() => window.sockets.findLast(({ url }) => url.endsWith('/voice')).url);
  const was = await roomAt();
  const node = own.node.nodes.find(({ port }) => was.includes(`:${port}/`));
  assert.ok(node, was);

  const killed = Date.now();
  await node.stop('SIGKILL');
  await until('the call is at another node', async () => (await roomAt()) !== was);
  // Connections of before count no more.
  const frames = () => one.evaluate(async () => {
    const peer = window.peers.at(-1);
    return [...(await peer.getStats()).values()].reduce((sum, { framesDecoded }) => sum + (framesDecoded ?? 0), 0);
  });
  const peers = await one.evaluate(() => window.peers.length);
  await until('there are pictures', async () => (await one.evaluate(() => window.peers.length)) >= peers && (await one.evaluate(() => window.peers.at(-1).connectionState)) === 'connected' && (await frames()) > 5);
  const took = Date.now() - killed;
  t.diagnostic(`the node of a call is killed: pictures are back after ${(took / 1000).toFixed(1)} s`);
  await Promise.all([connected(one), connected(two)]);
  await Promise.all([moving(one, ben, 'camera', MEDIA), moving(two, ada, 'camera', MEDIA)]);
  await heard(one, ben);
  assert.ok((await decoded(one)) > 0);
  assert.ok(took < MOST, `${took} ms`);
  clean(one, two);
});
