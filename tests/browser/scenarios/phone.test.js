// The client on a phone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clean, composer, enter, group, house, row } from '../lib/house.js';

const own = house();
const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

test('on a phone everything is within reach and nothing sticks out', async () => {
  const [ada, ben] = [await own.node.register('ada', 'Ada'), await own.node.register('ben', 'Ben')];
  const rooks = await group(own.node, 'Rooks', [ada, ben]);
  await own.node.api('POST', `/channels/${rooks.channel.id}/messages`, ben.token, { content: `a very ${'long'.repeat(80)} word\n\`\`\`\n${'code '.repeat(60)}\n\`\`\`` });
  await own.node.api('POST', `/guilds/${rooks.id}/channels`, ada.token, { name: 'second', type: 0 });
  const page = await enter(own.browser, own.node, ada, `/g/${rooks.id}/${rooks.channel.id}`, phone);
  await row(page, 'a very long').waitFor();
  const fits = async () => assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'wider than the screen');
  await fits();

  // Enter makes a line; the button sends.
  await composer(page).fill('from my phone');
  await composer(page).press('Enter');
  await composer(page).pressSequentially('second line');
  await page.getByRole('button', { name: 'Send' }).tap();
  await row(page, 'second line').waitFor();

  // The channels come and go.
  const second = page.getByRole('link', { name: 'second' });
  assert.equal(await second.isVisible(), false);
  await page.getByRole('button', { name: 'Show channels' }).tap();
  await second.tap();
  await page.getByRole('heading', { name: 'second', exact: true }).waitFor();
  await second.waitFor({ state: 'hidden' });
  await fits();

  // So do the members.
  await page.getByRole('button', { name: /members/ }).tap();
  await page.getByRole('complementary', { name: 'Members' }).getByText('Ben').waitFor();
  await fits();
  clean(page);
});
