// What a reload, a cut connection and a restarted server do to somebody who is writing: nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cable } from '../lib/cable.js';
import { clean, composer, enter, group, house, row, write } from '../lib/house.js';

const own = house();

test('a reload leads back to the channel, with what was typed', async () => {
  const ada = await own.node.register('ada', 'Ada');
  const rooks = await group(own.node, 'Rooks', [ada]);
  const path = `/g/${rooks.id}/${rooks.channel.id}`;
  const page = await enter(own.browser, own.node, ada, path);
  await write(page, 'before the reload');
  await row(page, 'before the reload').waitFor();
  await composer(page).fill('half a sent');
  await page.reload();
  await row(page, 'before the reload').waitFor();
  assert.equal(await composer(page).inputValue(), 'half a sent');
  assert.equal(new URL(page.url()).pathname, path);
  // In another tab of the same browser one is in, too.
  const tab = await page.context().newPage();
  await tab.goto(path);
  await row(tab, 'before the reload').waitFor();
  await write(page, 'seen in both');
  await row(tab, 'seen in both').waitFor();
  clean(page);
});

test('leaving a page at any moment logs nobody out', async () => {
  const ada = await own.node.register('ada0', 'Ada');
  const rooks = await group(own.node, 'Rooks', [ada]);
  const path = `/g/${rooks.id}/${rooks.channel.id}`;
  const page = await enter(own.browser, own.node, ada, path);
  // A token is renewed with each page, and can be used only once.
  for (let n = 0; n < 6; n++) await page.goto(path, { waitUntil: n % 2 ? 'commit' : 'domcontentloaded' });
  const tabs = await Promise.all(Array.from({ length: 3 }, () => page.context().newPage()));
  await Promise.all(tabs.map((tab) => tab.goto(path)));
  for (const tab of [page, ...tabs]) await composer(tab).waitFor();
  clean(page);
});

test('a cut connection is resumed and nothing is missed', async () => {
  const ada = await own.node.register('ada2', 'Ada');
  const ben = await own.node.register('ben2', 'Ben');
  const rooks = await group(own.node, 'Rooks', [ada, ben]);
  const cable = await Cable.to(own.node.port);
  const page = await enter(own.browser, own.node, ada, `/g/${rooks.id}/${rooks.channel.id}`, { baseURL: cable.url });
  const sent = [];
  page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(JSON.parse(payload).op)));
  const say = (content) => own.node.api('POST', `/channels/${rooks.channel.id}/messages`, ben.token, { content });
  await say('one');
  await row(page, 'one').waitFor();
  sent.length = 0;
  cable.cut();
  await page.getByText('Connection lost').waitFor();
  await say('two, while away');
  await write(page, 'written in the tunnel');
  await page.getByText('Sent when the connection is back').waitFor();
  cable.mend();
  await say('three');
  await row(page, 'three').waitFor();
  await row(page, 'two, while away').waitFor();
  await page.locator('[data-message]', { hasText: 'written in the tunnel' }).waitFor();
  // It was resumed, and not begun anew.
  assert.ok(sent.includes(6) && !sent.includes(2), String(sent));
  cable.end();
  clean(page);
});

test('a server restarted while somebody types loses nothing', async () => {
  const ada = await own.node.register('ada3', 'Ada');
  const rooks = await group(own.node, 'Rooks', [ada]);
  const page = await enter(own.browser, own.node, ada, `/g/${rooks.id}/${rooks.channel.id}`);
  await write(page, 'before the restart');
  await row(page, 'before the restart').waitFor();
  await composer(page).fill('typed before');
  await own.node.stop('SIGKILL');
  await page.getByText('Connection lost').waitFor();
  await composer(page).press('End');
  await composer(page).pressSequentially(', and while it was away');
  await composer(page).press('Enter');
  // It is shown at once, and sent by itself.
  await page.locator('article', { hasText: 'and while it was away' }).waitFor();
  await composer(page).fill('still typing');
  await own.node.run();
  await page.getByText('Connection lost').waitFor({ state: 'detached', timeout: 40_000 });
  await page.locator('[data-message]', { hasText: 'typed before, and while it was away' }).waitFor();
  assert.equal(await composer(page).inputValue(), 'still typing');
  const history = await own.node.api('GET', `/channels/${rooks.channel.id}/messages`, ada.token);
  assert.equal(history.filter(({ content }) => content.includes('while it was away')).length, 1);
  await row(page, 'before the restart').waitFor();
  clean(page);
});
