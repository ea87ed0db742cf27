// Several nodes behind one address, as a browser sees them: files are everybody's, and a call outlives the node of its room.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { browser as launch } from '../lib/browser.js';
import { MEDIA, connected, decoded, heard, join, moving, press, until, watched } from '../lib/call.js';
import { Cluster } from '../lib/cluster.js';
import { clean, composer, enter, group, row, write } from '../lib/house.js';

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

test('a picture is shown whichever node serves it', { skip }, async () => {
  const [ada, ben] = await Promise.all(['eve', 'tom'].map((name) => own.node.register(name, name)));
  const rooks = await group(own.node, 'Pictures', [ada, ben]);
  const at = `/g/${rooks.id}/${rooks.channel.id}`;
  const [one, two] = await Promise.all([ada, ben].map((person) => enter(own.browser, own.node, person, at)));
  await composer(one).waitFor();
  const buffer = readFileSync(new URL('../../../node/web/public/icon-512.png', import.meta.url));
  await one.locator('input[type=file]').first().setInputFiles({ name: 'rook.png', mimeType: 'image/png', buffer });
  await one.locator('.files img').waitFor();
  await write(one, 'a rook');
  const picture = row(two, 'a rook').getByRole('img', { name: 'rook.png' });
  await picture.waitFor();
  assert.equal(await picture.evaluate(async (image) => (await image.decode(), image.naturalWidth)), 512);
  // The browser was served by one of them; the others have it, too.
  const [message] = await own.node.api('GET', `/channels/${rooks.channel.id}/messages`, ada.token);
  const { pathname, search } = new URL(message.attachments[0].url);
  for (const { port } of own.node.nodes) {
    const file = await fetch(`http://127.0.0.1:${port}${pathname}${search}`);
    assert.equal(file.status, 200);
    assert.deepEqual(Buffer.from(await file.arrayBuffer()), buffer);
  }
  if (process.env.ROOKERY_SCREENSHOT) await two.screenshot({ path: process.env.ROOKERY_SCREENSHOT });
  clean(one, two);
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
