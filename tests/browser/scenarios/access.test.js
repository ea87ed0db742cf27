// What somebody needs who does not see the page, or uses no mouse.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { look } from '../lib/axe.js';
import { clean, composer, enter, group, house, page, row } from '../lib/house.js';

const own = house();

for (const colorScheme of ['dark', 'light']) {
  test(`no serious fault on any of the main screens, ${colorScheme}`, async () => {
    const found = [];
    const check = (on, what) => look(on, what, found);
    const people = await Promise.all(['ada', 'ben', 'cleo'].map((name) => own.node.register(`${name}.${colorScheme}`, name)));
    const [ada, ben] = people;
    const rooks = await group(own.node, 'Rooks', people);
    await own.node.api('PUT', `/users/@me/relationships/${ben.id}`, ada.token, {});
    await own.node.api('PUT', `/users/@me/relationships/${ada.id}`, ben.token, {});
    const say = (person, content) => own.node.api('POST', `/channels/${rooks.channel.id}/messages`, person.token, { content });
    const first = await say(ben, `Greetings <@${ada.id}>, **look**: https://a.example ||hidden|| \`code\``);
    await say(ada, '```rust\nfn main() {}\n```\n> said\n- one\n- two');
    await own.node.api('PUT', `/channels/${rooks.channel.id}/messages/${first.id}/reactions/${encodeURIComponent('👍')}/@me`, ada.token);

    const guest = await page(own.browser, own.node, { colorScheme });
    await guest.goto('/login');
    await guest.getByLabel('Username').waitFor();
    await check(guest, 'login');
    await guest.goto(`/invite/${rooks.code}`);
    await guest.getByRole('heading', { name: 'Rooks' }).waitFor();
    await check(guest, 'invite');

    const one = await enter(own.browser, own.node, ada, `/g/${rooks.id}/${rooks.channel.id}`, { colorScheme });
    await row(one, 'Greetings').waitFor();
    await one.getByRole('complementary').getByRole('heading', { name: 'Online' }).waitFor();
    await check(one, 'channel');
    await row(one, 'Greetings').hover();
    await check(one, 'channel with tools');
    await one.goto('/friends');
    await one.getByRole('tab', { name: 'All' }).waitFor();
    // Somebody is mentioned elsewhere: the rail has a mark beside the group's letters.
    await say(ben, `<@${ada.id}> again`);
    // One or two: that the first was read may still be on its way.
    await one.getByRole('link', { name: /^Rooks, \d mentions?$/ }).waitFor();
    await check(one, 'friends');
    await one.keyboard.press('Control+k');
    await one.getByPlaceholder('A channel, a group or a person').waitFor();
    await check(one, 'switcher');
    await one.keyboard.press('Escape');
    await one.keyboard.press('Control+,');
    for (const name of ['Profile', 'Account', 'Logins', 'Appearance', 'Notifications', 'Keyboard']) {
      await one.getByRole('dialog').getByRole('button', { name, exact: true }).click();
      await check(one, name);
    }
    await one.goto(`/g/${rooks.id}/${rooks.channel.id}`);
    await one.getByRole('button', { name: 'Rooks', exact: true }).click();
    await check(one, 'menu');
    await one.getByRole('menuitem', { name: 'Group settings' }).click();
    for (const name of ['Overview', 'Channels', 'Roles', 'Members', 'Invites', 'Bans', 'Audit log']) {
      await one.getByRole('dialog').getByRole('button', { name, exact: true }).click();
      if (name === 'Roles') await one.getByRole('button', { name: 'Everyone' }).click();
      await one.waitForFunction(() => !document.querySelector('[role="dialog"] .spinner'));
      await check(one, name);
    }
    assert.deepEqual(found, []);
    clean(guest, one);
  });
}

test('without a mouse: to a channel, to a message, and an answer to it', async () => {
  const [ada, ben] = await Promise.all(['ada', 'ben'].map((name) => own.node.register(`${name}.keys`, name)));
  const rooks = await group(own.node, 'Rooks', [ada, ben]);
  await own.node.api('POST', `/guilds/${rooks.id}/channels`, ada.token, { name: 'aviary', type: 0 });
  for (const content of ['first', 'second', 'third']) await own.node.api('POST', `/channels/${rooks.channel.id}/messages`, ben.token, { content });
  const one = await enter(own.browser, own.node, ada, '/friends');
  await one.getByRole('tab', { name: 'All' }).waitFor();
  await one.keyboard.press('Control+k');
  await one.getByPlaceholder('A channel, a group or a person').waitFor();
  await one.keyboard.type('gener');
  await one.keyboard.press('Enter');
  await row(one, 'third').waitFor();
  await one.keyboard.press('Alt+ArrowUp');
  await one.getByRole('heading', { name: 'aviary', exact: true }).waitFor();
  await one.keyboard.press('Alt+ArrowDown');
  await row(one, 'third').waitFor();
  await one.locator('#messages').focus();
  await one.keyboard.press('ArrowUp');
  await one.waitForFunction(() => document.activeElement?.textContent.includes('third'));
  await one.keyboard.press('ArrowUp');
  await one.waitForFunction(() => document.activeElement?.textContent.includes('second'));
  await one.keyboard.press('r');
  await one.getByText('Replying to ben').waitFor();
  await composer(one).press('Escape');
  await one.getByText('Replying to ben').waitFor({ state: 'detached' });
  clean(one);
});
