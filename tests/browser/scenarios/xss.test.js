// What strangers write, wherever it is shown, runs nothing: the same corpus as the tests of the markdown, in a real browser.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { enter, group, house, row } from '../lib/house.js';

const own = house();
const corpus = JSON.parse(readFileSync(new URL('../../../node/web/tests/xss.json', import.meta.url), 'utf8'));

test('messages, names and topics of all kinds stay text', async () => {
  const [ada, eve] = [await own.node.register('ada', 'Ada'), await own.node.register('eve', '<img src=x onerror=pwn()>')];
  const rooks = await group(own.node, '<script>pwn()</script><img src=x onerror=pwn()>', [ada, eve]);
  await own.node.api('PATCH', `/channels/${rooks.channel.id}`, ada.token, { name: '<svg onload=pwn()>', topic: '"><img src=x onerror=pwn()>' });
  await own.node.api('PATCH', `/guilds/${rooks.id}/members/@me`, eve.token, { nick: '<b onclick=pwn()>eve</b>' });
  await own.node.api('POST', `/guilds/${rooks.id}/roles`, ada.token, { name: '<iframe src=javascript:pwn()>', hoist: true });
  for (const content of [...corpus, `mention <@${eve.id}> <#${rooks.channel.id}>`]) await own.node.api('POST', `/channels/${rooks.channel.id}/messages`, eve.token, { content });

  const page = await enter(own.browser, own.node, ada, '/friends');
  let called = 0;
  await page.exposeFunction('pwn', () => called++);
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(`/g/${rooks.id}/${rooks.channel.id}`);
  await row(page, 'mention @<b onclick').waitFor();
  // All of it is looked at, and everything in it that can be pressed is.
  await page.locator('#messages').hover();
  for (let n = 0; n < 30; n++) {
    await page.mouse.wheel(0, -300);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const found = await page.evaluate(() => {
      for (const element of document.querySelectorAll('.body *')) {
        if (element.localName !== 'a') element.dispatchEvent(new MouseEvent('click', { bubbles: true }));
        element.dispatchEvent(new MouseEvent('mouseover', { bubbles: true }));
      }
      const body = [...document.querySelectorAll('.body *')];
      const bad = body.filter((e) => /^(script|img|svg|iframe|style|form|input|object|embed|video|link|meta|base)$/.test(e.localName) || [...e.attributes].some(({ name }) => /^on|^style$|^id$/.test(name)));
      return [...bad.map((e) => e.outerHTML), ...body.filter((e) => e.localName === 'a' && !/^(https?:|mailto:)/.test(e.href)).map((e) => e.href)];
    });
    assert.deepEqual(found, []);
  }
  await page.getByText('The beginning of').waitFor();
  await page.goto('/friends');
  await page.keyboard.press('Control+k');
  await page.goto(`/g/${rooks.id}`);
  await page.getByRole('complementary').waitFor();
  assert.equal(called, 0);
  assert.deepEqual(asked.filter((url) => !url.startsWith(own.node.url) && !url.startsWith('blob:')), []);
});
