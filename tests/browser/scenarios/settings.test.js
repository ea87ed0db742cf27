// Settings of people and groups, and what they do to others at once.
import { test } from 'node:test';
import { clean, composer, enter, group, house, row, write } from '../lib/house.js';

const own = house();
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mP8z8BQz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC', 'base64');

test('a picture, a note, a name, a time-out, a ban, a new password and the way out', async () => {
  const [ada, ben, cleo] = await Promise.all([['ada', 'Ada'], ['ben', 'Ben'], ['cleo', 'Cleo']].map(([name, shown]) => own.node.register(name, shown)));
  const rooks = await group(own.node, 'Rooks', [ada, ben]);
  for (const other of [ben, cleo]) {
    await own.node.api('PUT', `/users/@me/relationships/${other.id}`, ada.token, {});
    await own.node.api('PUT', `/users/@me/relationships/${ada.id}`, other.token, {});
  }
  const at = `/g/${rooks.id}/${rooks.channel.id}`;
  const [one, two] = await Promise.all([ada, ben].map((person) => enter(own.browser, own.node, person, at)));
  await composer(one).waitFor();
  await composer(two).waitFor();
  const page = (name) => one.getByRole('dialog').getByRole('button', { name, exact: true });

  // Oneself, as others see one.
  await one.keyboard.press('Control+,');
  await one.getByRole('dialog').locator('input[type=file]').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: png });
  await one.getByLabel('Note').fill('on the roof');
  await one.getByRole('button', { name: 'Save changes' }).click();
  await one.getByText('Saved', { exact: true }).waitFor();
  const shown = two.getByRole('complementary').getByRole('button', { name: /Ada/ });
  await shown.getByText('on the roof').waitFor();
  await shown.locator('img').waitFor();
  await page('Appearance').click();
  await one.getByText('Dense').click();
  await one.keyboard.press('Escape');
  await write(two, 'closer together');
  await one.locator('article.dense', { hasText: 'closer together' }).waitFor();

  // A member: timed out with a reason, let go, and renamed.
  const member = one.getByRole('complementary').getByRole('button', { name: /Ben/ });
  const choose = async (name) => {
    await member.click({ button: 'right' });
    await one.getByRole('menuitem', { name }).click();
  };
  await choose('Time out');
  await one.getByLabel('Reason').fill('zu laut, ärgerlich');
  await one.getByRole('dialog').getByRole('button', { name: 'Time out' }).click();
  await two.getByText('You are timed out').waitFor();
  await choose('End time-out');
  await composer(two).waitFor();
  await choose('Change name here');
  await one.getByLabel('Display name').fill('Benny');
  await one.keyboard.press('Enter');
  await row(two, 'Benny').first().waitFor();

  // Voice channels hold messages, too.
  await one.getByRole('link', { name: 'General, voice channel' }).click();
  await one.getByRole('button', { name: 'Show messages' }).click();
  await write(one, 'written in voice');
  await row(one, 'written in voice').waitFor();
  await one.getByRole('button', { name: 'Leave the call' }).first().click();

  // A conversation of three.
  await one.goto('/friends');
  await one.getByRole('button', { name: 'New message' }).click();
  for (const name of [/Ben/, /Cleo/]) await one.getByRole('option', { name }).click();
  await one.getByRole('button', { name: 'Start' }).click();
  await write(one, 'the three of us');
  await two.getByRole('link', { name: 'Friends and messages' }).click();
  // Whoever was registered first is named first.
  await two.getByRole('link', { name: /Ada, Cleo|Cleo, Ada/ }).click();
  await row(two, 'the three of us').waitFor();

  // Banned, at the door, and let in again; all of it is written down.
  await one.goto(at);
  await one.getByRole('button', { name: 'Rooks', exact: true }).click();
  await one.getByRole('menuitem', { name: 'Group settings' }).click();
  await page('Members').click();
  await one.getByRole('button', { name: 'Actions for ben' }).click();
  await one.getByRole('menuitem', { name: 'Ban' }).click();
  await one.getByRole('dialog', { name: /Ban Benny/ }).getByRole('button', { name: 'Ban' }).click();
  await page('Bans').click();
  await one.getByText('Lift ban').waitFor();
  await two.goto(`/invite/${rooks.code}`);
  await two.getByRole('button', { name: 'Join' }).click();
  await two.getByText('banned from this group').waitFor();
  await one.getByRole('button', { name: 'Lift ban' }).click();
  await one.getByText('Nobody is banned').waitFor();
  await two.getByRole('button', { name: 'Join' }).click();
  await composer(two).waitFor();
  await page('Audit log').click();
  await one.getByText('zu laut, ärgerlich').waitFor();
  await one.keyboard.press('Escape');

  // Another password, with the old one; and out.
  await one.keyboard.press('Control+,');
  await page('Account').click();
  await one.getByRole('button', { name: 'Change', exact: true }).nth(2).click();
  const change = one.getByRole('dialog', { name: 'Change password' });
  await change.getByLabel('New password').fill('battery staple');
  await change.getByLabel('Your password').fill('not this one');
  await change.getByRole('button', { name: 'Save changes' }).click();
  await change.getByText('does not match').waitFor();
  await change.getByLabel('Your password').fill('correct horse');
  await change.getByRole('button', { name: 'Save changes' }).click();
  await one.getByText('Changed.').waitFor();
  await one.getByRole('button', { name: 'Log out' }).click();
  await one.getByRole('dialog', { name: 'Log out' }).getByRole('button', { name: 'Log out' }).click();
  await one.getByText('Good to see you').waitFor();

  await two.getByRole('button', { name: 'Rooks', exact: true }).click();
  await two.getByRole('menuitem', { name: 'Leave group' }).click();
  await two.getByRole('dialog').getByRole('button', { name: 'Leave group' }).click();
  await two.waitForURL('**/friends');
  clean(one, two);
});
