// A call comes back by itself, whatever is cut, and is in one tab at a time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MEDIA, connected, decoded, heard, join, listed, moving, press, tile, until, watched } from '../lib/call.js';
import { clean, composer, enter, group, house } from '../lib/house.js';

const own = house();

async function pair(a, b) {
  const people = await Promise.all([a, b].map((name) => own.node.register(name, name)));
  const rooks = await group(own.node, 'Rooks', people);
  const pages = [];
  for (const person of people) {
    const on = await enter(own.browser, own.node, person, `/g/${rooks.id}/${rooks.channel.id}`, { viewport: { width: 900, height: 560 }, first: watched });
    await join(on, 'General');
    await press(on, 'Turn the camera on');
    pages.push(on);
  }
  await Promise.all([moving(pages[0], people[1]), moving(pages[1], people[0])]);
  return { people, pages, rooks };
}

const end = (...pages) => Promise.all(pages.map((one) => one.context().close()));
const peer = (on, look) => on.evaluate(look);
const credentials = (on) => peer(on, () => /a=ice-ufrag:(\S+)/.exec(window.peers.at(-1).localDescription.sdp)[1]);

test('media that stays away is looked for on other ways', async () => {
  const { people: [, ben], pages: [one, two] } = await pair('ada', 'ben');
  const [before, count] = [await credentials(one), await peer(one, () => window.peers.length)];
  // As if the network had gone: the browser says so for a while.
  await peer(one, () => {
    const peer = window.peers.at(-1);
    Object.defineProperty(peer, 'connectionState', { configurable: true, get: () => 'disconnected' });
    peer.dispatchEvent(new Event('connectionstatechange'));
  });
  await until('ICE is restarted', async () => (await credentials(one)) !== before, 10_000);
  await peer(one, () => {
    const peer = window.peers.at(-1);
    delete peer.connectionState;
    peer.dispatchEvent(new Event('connectionstatechange'));
  });
  await connected(one);
  // It is the same connection on other ways, and pictures go on both ways.
  assert.equal(await peer(one, () => window.peers.length), count);
  const frames = await decoded(one);
  await until('pictures go on', async () => (await decoded(one)) > frames + 20);
  await moving(one, ben);
  clean(one, two);
  await end(one, two);
});

test('a lost socket is resumed while media goes on', async () => {
  const { people: [cleo, dan], pages: [one, two] } = await pair('cleo', 'dan');
  const sent = [];
  one.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(JSON.parse(payload).op)));
  const count = await peer(one, () => window.peers.length);
  await peer(one, () => window.sockets.at(-1).close(4900));
  await until('it is resumed', () => sent.includes(7));
  await connected(one);
  assert.equal(sent.includes(0), false, 'it identified anew');
  assert.equal(await peer(one, () => window.peers.length), count);
  await press(two, 'Turn the camera off');
  await tile(one, dan).locator('video').waitFor({ state: 'detached' });
  await press(two, 'Turn the camera on');
  await moving(one, dan);
  await moving(two, cleo);
  clean(one, two);
  await end(one, two);
});

test('a page that is loaded again is in the call again; one that is left is not', async () => {
  const { people: [eve, fay], pages: [one, two] } = await pair('eve', 'fay');
  await two.reload();
  await connected(two);
  await heard(one, fay);
  await heard(two, eve);
  await moving(two, eve);
  await two.goto('/friends');
  await listed(one, fay).waitFor({ state: 'detached' });
  clean(one, two);
  await end(one, two);
});

test('another tab takes the call over', async () => {
  const { people: [gus, hal], pages: [one, two], rooks } = await pair('gus', 'hal');
  const tab = await two.context().newPage();
  await tab.goto(`/g/${rooks.id}/${rooks.channel.id}`);
  await tab.getByText('On another tab or device').waitFor();
  await tab.getByRole('button', { name: 'Take over' }).click();
  await connected(tab);
  await two.getByText('The call goes on in your other tab or device').waitFor();
  await two.getByText('On another tab or device').waitFor();
  await heard(one, hal);
  await heard(tab, gus);
  assert.equal(await listed(one, hal).count(), 1);
  clean(one, two);
  await end(one, two);
});

test('a server that is killed and comes back has the call again, with nobody doing anything', async () => {
  const { people: [ivy, jo], pages: [one, two] } = await pair('ivy', 'jo');
  await composer(one).count();
  await own.node.stop('SIGKILL');
  await one.getByText(/Reconnecting/).first().waitFor({ timeout: MEDIA });
  await own.node.run();
  await Promise.all([connected(one), connected(two)]);
  await Promise.all([moving(one, jo), moving(two, ivy)]);
  await heard(one, jo);
  clean(one, two);
  await end(one, two);
});
