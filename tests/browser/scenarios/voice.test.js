// People talk and see each other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decoded, energy, heard, join, listed, moving, press, sent, silent, tile, until, watched } from '../lib/call.js';
import { clean, composer, enter, group, house, page, row, write } from '../lib/house.js';

const own = house();

/** People of these names in a group, each in front of its page, in the order of the names. */
async function meet(names, options = {}) {
  const people = await Promise.all(names.map(([name, shown]) => own.node.register(name, shown)));
  const rooks = await group(own.node, 'Rooks', people);
  const pages = await Promise.all(people.map((person) => enter(own.browser, own.node, person, `/g/${rooks.id}/${rooks.channel.id}`, { viewport: { width: 900, height: 560 }, ...options })));
  const voice = rooks.channels.find(({ type }) => type === 2);
  return { people, pages, rooks, voice };
}

const end = (...pages) => Promise.all(pages.map((one) => one.context().close()));

test('from two registrations to a video call', async () => {
  const register = async (person, name, shown) => {
    await person.getByLabel('Username').fill(name);
    await person.getByLabel('Display name').fill(shown);
    await person.getByLabel('Password', { exact: true }).fill('correct horse');
    await person.getByRole('button', { name: 'Create account' }).click();
  };
  const whoami = (person) => person.evaluate(() => ({ id: localStorage.getItem('rookery.login') }));
  const one = await page(own.browser, own.node, { viewport: { width: 900, height: 560 } });
  await one.goto('/register');
  await register(one, 'ada', 'Ada');
  await one.getByRole('button', { name: 'Make or join a group' }).first().click();
  await one.getByLabel('Name', { exact: true }).fill('Rooks');
  await one.getByRole('button', { name: 'Make group' }).click();
  await one.getByRole('button', { name: 'Invite people' }).click();
  await one.waitForFunction(() => document.querySelector('#invite-link')?.value.includes('/invite/'));
  const link = await one.locator('#invite-link').inputValue();
  await one.keyboard.press('Escape');
  // The first one is told what to do.
  await join(one, 'General');
  await one.getByText('You are the first one here').waitFor();
  const two = await page(own.browser, own.node, { viewport: { width: 900, height: 560 } });
  await two.goto(link);
  await register(two, 'ben', 'Ben');
  await composer(two).waitFor();
  const [ada, ben] = [await whoami(one), await whoami(two)];
  await listed(two, ada).waitFor();
  await join(two, 'General');
  await one.getByText('You are the first one here').waitFor({ state: 'detached' });
  for (const person of [one, two]) await press(person, 'Turn the camera on');
  await Promise.all([moving(one, ben), moving(two, ada), moving(one, ada)]);
  await Promise.all([heard(one, { ...ben, username: 'ben' }), heard(two, { ...ada, username: 'ada' })]);
  await press(two, 'Leave the call');
  await two.getByRole('button', { name: 'Join the call' }).waitFor();
  await tile(one, ben).waitFor({ state: 'detached' });
  clean(one, two);
  await end(one, two);
});

test('three hear and see each other, in the sizes that they show', async () => {
  const { people: [cleo, dan, eve], pages: [one, two, three] } = await meet([['cleo', 'Cleo'], ['dan', 'Dan'], ['eve', 'Eve']], { first: watched });
  for (const on of [one, two, three]) {
    await join(on, 'General');
    await press(on, 'Turn the camera on');
  }
  await Promise.all([moving(one, dan), moving(one, eve), moving(two, cleo), moving(two, eve), moving(three, cleo), moving(three, dan)]);
  for (const [on, who] of [[one, dan], [two, eve], [three, cleo]]) await heard(on, who);
  // Who speaks is marked, in the call and in the list.
  await one.locator(`li.tile[data-user="${dan.id}"][data-speaking]`).waitFor();
  const before = await decoded(one);
  await until('pictures go on being decoded', async () => (await decoded(one)) > before + 20);

  // What is not shown is not sent: another channel is looked at, and the call goes on.
  await one.getByRole('link', { name: 'general', exact: true }).click();
  await composer(one).waitFor();
  await until('pictures stop coming', async () => {
    const frames = await decoded(one);
    await one.waitForTimeout(1_500);
    return (await decoded(one)) - frames < 4;
  });
  await write(one, 'written during the call');
  await row(two, 'written during the call').waitFor({ state: 'detached' });
  await heard(one, dan);
  await one.getByRole('region', { name: 'Call', exact: true }).getByRole('link').click();
  await moving(one, dan);
  clean(one, two, three);
  await end(one, two, three);
});

test('a larger tile gets a larger picture, a smaller one a smaller', async () => {
  const { people: [, gus], pages: [one, two] } = await meet([['fay', 'Fay'], ['gus', 'Gus']], { first: watched });
  await join(two, 'General');
  await press(two, 'Turn the camera on');
  await until('nothing is sent to nobody', async () => (await sent(two)) === '');
  await one.setViewportSize({ width: 800, height: 400 });
  await join(one, 'General');
  await moving(one, gus);
  const height = () => tile(one, gus).locator('video').evaluate((video) => video.videoHeight);
  await until('a small picture for a small tile', async () => (await height()) <= 180);
  await until('no more is sent than that', async () => (await sent(two)) === 'q');
  await one.setViewportSize({ width: 1600, height: 1000 });
  await tile(one, gus).getByRole('button', { name: /^Show Gus/ }).click();
  await until('the whole picture for a large tile', async () => (await height()) >= 700, 60_000);
  await moving(one, gus);
  await one.setViewportSize({ width: 800, height: 400 });
  await one.keyboard.press('Escape');
  await until('a small picture again', async () => (await height()) <= 180);
  await until('and no other is sent', async () => (await sent(two)) === 'q');
  await moving(one, gus);
  clean(one, two);
  await end(one, two);
});

test('a screen is shared, shown large by itself, and ended', async () => {
  const { people: [hal, ivy], pages: [one, two] } = await meet([['hal', 'Hal'], ['ivy', 'Ivy']]);
  for (const on of [one, two]) await join(on, 'General');
  await press(one, 'Share the screen');
  await moving(two, hal, 'screen');
  const screen = tile(two, hal, 'screen');
  const box = await screen.boundingBox();
  assert.ok(box.height > 250, `it is ${box.height} px high`);
  await listed(two, hal).and(two.getByRole('button', { name: /shares the screen/ })).waitFor();
  // Back to everybody, and another one large.
  await two.keyboard.press('Escape');
  await screen.getByRole('button', { name: 'Show Screen of Hal large' }).waitFor();
  await tile(two, ivy).getByRole('button', { name: /^Show Ivy/ }).click();
  await tile(two, ivy).getByRole('button', { name: 'Back to everybody' }).first().waitFor();
  await press(one, 'Stop sharing the screen');
  await screen.waitFor({ state: 'detached' });
  clean(one, two);
  await end(one, two);
});

test('who mutes, is muted or deafened is not heard; who turns the camera off is not seen', async () => {
  const { people: [jo, kit], pages: [one, two] } = await meet([['jo', 'Jo'], ['kit', 'Kit']]);
  for (const on of [one, two]) await join(on, 'General');
  await heard(one, kit);
  // Oneself, by the key.
  await two.keyboard.press('Control+Shift+M');
  await listed(one, kit).and(one.getByRole('button', { name: 'Kit, muted' })).waitFor();
  await silent(one, kit);
  await two.keyboard.press('Control+Shift+M');
  await heard(one, kit);
  // By a moderator.
  const choose = async (name) => {
    await tile(one, kit).click({ button: 'right' });
    await one.getByRole('menuitem', { name, exact: true }).click();
  };
  await choose('Mute for everybody');
  await two.getByText('A moderator has muted you').first().waitFor();
  await silent(one, kit);
  await choose('Unmute for everybody');
  await heard(one, kit);
  await choose('Deafen');
  await two.getByText('A moderator has deafened you').first().waitFor();
  await silent(two, jo);
  await choose('End deafening');
  await heard(two, jo);
  // For oneself alone: quieter, and not at all.
  await listed(one, kit).click({ button: 'right' });
  const volume = one.getByRole('menuitem', { name: 'Volume: 100 %' });
  await volume.focus();
  await one.keyboard.press('ArrowLeft');
  await one.getByRole('menuitem', { name: 'Volume: 90 %' }).waitFor();
  await one.getByRole('menuitem', { name: 'Do not hear' }).click();
  assert.equal(await energy(one, kit), 0);
  await listed(one, kit).click({ button: 'right' });
  await one.getByRole('menuitem', { name: 'Hear again' }).click();
  await heard(one, kit);
  // Hearing nothing oneself.
  await press(one, 'Hear nothing');
  await listed(two, jo).and(two.getByRole('button', { name: 'Jo, hears nothing, muted' })).waitFor();
  await silent(two, jo);
  assert.equal(await energy(one, kit), 0);
  await press(one, 'Hear again');
  await heard(one, kit);
  // The camera, off and on.
  await press(two, 'Turn the camera on');
  await moving(one, kit);
  await press(two, 'Turn the camera off');
  await tile(one, kit).locator('video').waitFor({ state: 'detached' });
  await press(two, 'Turn the camera on');
  await moving(one, kit);
  clean(one, two);
  await end(one, two);
});

test('people are moved and removed by moderators, and go and come as they like', async () => {
  const { people: [lou, max], pages: [one, two], rooks } = await meet([['lou', 'Lou'], ['max', 'Max']]);
  const other = await own.node.api('POST', `/guilds/${rooks.id}/channels`, lou.token, { name: 'Balcony', type: 2 });
  for (const on of [one, two]) await join(on, 'General');
  await heard(one, max);
  const choose = async (name) => {
    await listed(one, max).click({ button: 'right' });
    await one.getByRole('menuitem', { name }).click();
  };
  await choose('Move to…');
  await one.getByRole('menuitem', { name: 'Move to Balcony' }).click();
  await two.getByText('You were moved to Balcony').waitFor();
  await two.getByRole('heading', { name: 'Balcony', exact: true }).waitFor();
  await join(one, 'Balcony');
  await heard(one, max);
  await heard(two, lou);
  await choose('Remove from the call');
  await two.getByText('You are no longer in the call in Balcony').waitFor();
  await two.getByRole('button', { name: 'Join the call' }).click();
  await heard(one, max);
  // Who may not, or may not any more, is told so.
  await press(two, 'Turn the camera on');
  await moving(one, max);
  await own.node.api('PUT', `/channels/${other.id}/permissions/${rooks.id}`, lou.token, { type: 0, allow: '0', deny: String(1n << 9n) });
  await two.getByText('You may not show video here').waitFor();
  await tile(one, max).locator('video').waitFor({ state: 'detached' });
  await press(two, 'Leave the call');
  await own.node.api('PUT', `/channels/${other.id}/permissions/${rooks.id}`, lou.token, { type: 0, allow: '0', deny: String(1n << 20n) });
  await two.getByText('You may not join this channel').waitFor();
  clean(one, two);
  await end(one, two);
});
