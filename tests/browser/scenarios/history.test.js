// Reading what is old, while something new comes: nothing is hidden, and nothing that was typed is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cable } from '../lib/cable.js';
import { clean, composer, enter, group, house, row, write } from '../lib/house.js';

const own = house();

const say = (channel, person, content) => own.node.api('POST', `/channels/${channel.id}/messages`, person.token, { content });

/** A channel with more messages than a page has, and the first of them. */
async function longHistory(channel, person) {
  const first = await say(channel, person, 'the oldest one');
  for (let n = 0; n < 130; n++) await say(channel, person, `line ${n}`);
  return first;
}

test('a message from a link is shown once, and what comes and goes afterwards is seen', async () => {
  const [ada, ben] = [await own.node.register('ada', 'Ada'), await own.node.register('ben', 'Ben')];
  const rooks = await group(own.node, 'Rooks', [ada, ben]);
  const old = await longHistory(rooks.channel, ben);
  const link = `/g/${rooks.id}/${rooks.channel.id}/${old.id}`;
  const cable = await Cable.to(own.node.port);
  const page = await enter(own.browser, own.node, ada, link, { baseURL: cable.url });
  await row(page, 'the oldest one').waitFor();

  // A cut connection that is resumed leaves the caret where one types.
  await composer(page).click();
  await composer(page).pressSequentially('half a ');
  cable.cut();
  await page.getByText('Connection lost').waitFor();
  cable.mend();
  await page.getByText('Connection lost').waitFor({ state: 'detached' });
  await page.keyboard.type('thought');
  assert.equal(await composer(page).inputValue(), 'half a thought');

  // What one sends is seen, although one was far from the present.
  await composer(page).press('Enter');
  await row(page, 'half a thought').waitFor();
  await row(page, 'line 129').waitFor();
  await page.waitForURL(`**/g/${rooks.id}/${rooks.channel.id}`);

  // A session that is lost: everything is read again, and goes on.
  await page.evaluate((path) => history.pushState(null, '', path), link);
  await page.evaluate(() => dispatchEvent(new PopStateEvent('popstate')));
  await row(page, 'the oldest one').waitFor();
  await own.node.stop('SIGKILL');
  await page.getByText('Connection lost').waitFor();
  await own.node.run();
  await page.getByText('Connection lost').waitFor({ state: 'detached', timeout: 40_000 });
  await say(rooks.channel, ben, 'after the restart');
  await page.locator('#messages').press('End');
  await row(page, 'after the restart').waitFor();
  cable.end();
  clean(page);
});

test('a change that cannot be made is not lost', async () => {
  const ada = await own.node.register('ada2', 'Ada');
  const rooks = await group(own.node, 'Rooks', [ada]);
  const cable = await Cable.to(own.node.port);
  const page = await enter(own.browser, own.node, ada, `/g/${rooks.id}/${rooks.channel.id}`, { baseURL: cable.url });
  await write(page, 'as it was');
  await row(page, 'as it was').waitFor();
  await page.locator('[data-message]', { hasText: 'as it was' }).waitFor();
  const editor = page.getByLabel('Edit message');

  await composer(page).press('ArrowUp');
  await editor.fill('x'.repeat(2_001));
  await editor.press('Enter');
  await page.getByText('1 character too many').waitFor();
  assert.equal((await editor.inputValue()).length, 2_001);

  await editor.fill('as it shall be');
  cable.cut();
  await editor.press('Enter');
  await page.getByText('Connection lost').waitFor();
  // It is refused, and stands there to be tried again.
  await editor.waitFor();
  assert.equal(await editor.inputValue(), 'as it shall be');
  cable.mend();
  await page.getByText('Connection lost').waitFor({ state: 'detached' });
  await editor.press('Enter');
  await row(page, 'as it shall be').getByText('edited').waitFor();
  cable.end();
  clean(page);
});

test('a channel is read when what was new in it is deleted', async () => {
  const [ada, ben] = [await own.node.register('ada3', 'Ada'), await own.node.register('ben3', 'Ben')];
  const rooks = await group(own.node, 'Rooks', [ada, ben]);
  const nest = await own.node.api('POST', `/guilds/${rooks.id}/channels`, ada.token, { name: 'nest', type: 0 });
  const page = await enter(own.browser, own.node, ada, `/g/${rooks.id}/${rooks.channel.id}`);
  await composer(page).waitFor();
  const unread = page.locator('li.unread', { hasText: 'nest' });
  const gone = await say(nest, ben, 'a slip');
  await unread.waitFor();
  await own.node.api('DELETE', `/channels/${nest.id}/messages/${gone.id}`, ben.token);
  await page.getByRole('link', { name: 'nest' }).click();
  await page.waitForURL(`**/${nest.id}`);
  await unread.waitFor({ state: 'detached' });
  clean(page);
});

test('who comes back to a group reads what was said while he was away', async () => {
  const [ada, ben] = [await own.node.register('ada4', 'Ada'), await own.node.register('ben4', 'Ben')];
  const rooks = await group(own.node, 'Rooks', [ada, ben]);
  const path = `/g/${rooks.id}/${rooks.channel.id}`;
  const page = await enter(own.browser, own.node, ben, path);
  await say(rooks.channel, ada, 'before');
  await row(page, 'before').waitFor();
  await own.node.api('DELETE', `/guilds/${rooks.id}/members/${ben.id}`, ada.token);
  await page.getByText('This group is not there').waitFor();
  await say(rooks.channel, ada, 'while he was away');
  await own.node.api('POST', `/invites/${rooks.code}`, ben.token, {});
  await page.getByRole('link', { name: 'Rooks' }).click();
  await row(page, 'while he was away').waitFor();
  await row(page, 'before').waitFor();
  clean(page);
});
