// What a change of roles and permissions does to what somebody sees, at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clean, composer, enter, group, house, write } from '../lib/house.js';

const own = house();

test('a permission taken in the settings hides a channel from who is in it', async () => {
  const [ada, ben] = [await own.node.register('ada', 'Ada'), await own.node.register('ben', 'Ben')];
  const rooks = await group(own.node, 'Rooks', [ada, ben]);
  const secret = await own.node.api('POST', `/guilds/${rooks.id}/channels`, ada.token, { name: 'nest', type: 0 });
  const [one, other] = [await enter(own.browser, own.node, ada, `/g/${rooks.id}/${secret.id}`), await enter(own.browser, own.node, ben, `/g/${rooks.id}/${secret.id}`)];
  await write(other, 'I am in');
  const link = other.getByRole('link', { name: 'nest' });
  await link.waitFor();

  await one.getByRole('button', { name: 'Settings of nest' }).click();
  await one.getByRole('button', { name: 'Permissions' }).click();
  await one.getByRole('radiogroup', { name: 'See channels' }).getByRole('radio', { name: 'Forbid' }).click();
  await one.getByRole('button', { name: 'Save changes' }).click();

  await link.waitFor({ state: 'detached' });
  await other.waitForURL(`**/g/${rooks.id}/${rooks.channel.id}`);
  await composer(other).waitFor();

  // A role that may see it brings it back.
  await one.getByRole('button', { name: 'Close', exact: true }).last().click();
  await one.getByRole('button', { name: 'Rooks', exact: true }).click();
  await one.getByRole('menuitem', { name: 'Group settings' }).click();
  await one.getByRole('button', { name: 'Roles', exact: true }).click();
  await one.getByRole('button', { name: 'New role' }).click();
  await one.getByRole('textbox', { name: 'Name' }).fill('Nesters');
  await one.getByRole('switch', { name: 'Administrator' }).click();
  await one.getByRole('button', { name: 'Save changes' }).click();
  await one.getByText('Saved', { exact: true }).waitFor();
  const roles = await own.node.api('GET', `/guilds/${rooks.id}/roles`, ada.token);
  const role = roles.find(({ name }) => name === 'Nesters');
  assert.equal(BigInt(role.permissions) & 8n, 8n);
  await own.node.api('PUT', `/guilds/${rooks.id}/members/${ben.id}/roles/${role.id}`, ada.token);
  await link.waitFor();
  clean(one, other);
});

test('what was to be changed for a role that is taken out is changed for nobody', async () => {
  const ada = await own.node.register('ada5', 'Ada');
  const rooks = await group(own.node, 'Rooks', [ada]);
  const secret = await own.node.api('POST', `/guilds/${rooks.id}/channels`, ada.token, { name: 'nest', type: 0 });
  const role = await own.node.api('POST', `/guilds/${rooks.id}/roles`, ada.token, { name: 'Nesters' });
  await own.node.api('PUT', `/channels/${secret.id}/permissions/${role.id}`, ada.token, { type: 0, deny: '0', allow: '0' });
  const page = await enter(own.browser, own.node, ada, `/g/${rooks.id}/${secret.id}`);
  await page.getByRole('button', { name: 'Settings of nest' }).click();
  await page.getByRole('button', { name: 'Permissions' }).click();
  await page.getByRole('button', { name: 'Nesters', exact: true }).click();
  const forbid = page.getByRole('radiogroup', { name: 'See channels' }).getByRole('radio', { name: 'Forbid' });
  await forbid.click();
  await page.getByRole('button', { name: 'Save changes' }).waitFor();
  await page.getByRole('button', { name: /: Nesters$/ }).click();
  await page.getByRole('button', { name: 'Nesters', exact: true }).waitFor({ state: 'detached' });
  assert.equal(await forbid.getAttribute('aria-checked'), 'false');
  await page.getByRole('button', { name: 'Save changes' }).waitFor({ state: 'hidden' });
  clean(page);
});

test('who may not write is told so, and who is removed is shown the way out', async () => {
  const [ada, ben] = [await own.node.register('ada4', 'Ada'), await own.node.register('ben4', 'Ben')];
  const rooks = await group(own.node, 'Rooks', [ada, ben]);
  const page = await enter(own.browser, own.node, ben, `/g/${rooks.id}/${rooks.channel.id}`);
  await composer(page).waitFor();
  await own.node.api('PUT', `/channels/${rooks.channel.id}/permissions/${rooks.id}`, ada.token, { type: 0, deny: String(1 << 11), allow: '0' });
  await page.getByText('You may not write here').waitFor();
  await own.node.api('DELETE', `/guilds/${rooks.id}/members/${ben.id}`, ada.token);
  await page.getByText('This group is not there').waitFor();
  clean(page);
});
