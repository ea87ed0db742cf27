// The call for who sees no page, uses no mouse, holds a phone, or lets nobody use the microphone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { look } from '../lib/axe.js';
import { connected, heard, join, listed, moving, press, tile } from '../lib/call.js';
import { clean, composer, enter, group, house } from '../lib/house.js';

const own = house({ asks: true });
const permissions = ['microphone', 'camera'];

async function meet(names) {
  const people = await Promise.all(names.map((name) => own.node.register(name, name)));
  const rooks = await group(own.node, 'Rooks', people);
  return { people, rooks, voice: rooks.channels.find(({ type }) => type === 2), at: `/g/${rooks.id}/${rooks.channel.id}` };
}

for (const colorScheme of ['dark', 'light']) {
  test(`no serious fault in a call, ${colorScheme}`, async () => {
    const { people: [ada, ben], rooks, voice, at } = await meet([`ada.${colorScheme}`, `ben.${colorScheme}`]);
    const found = [];
    const two = await enter(own.browser, own.node, ben, at, { colorScheme, permissions });
    await join(two, 'General');
    await press(two, 'Turn the camera on');
    const one = await enter(own.browser, own.node, ada, `/g/${rooks.id}/${voice.id}`, { colorScheme, permissions });
    await one.getByText('1 person is talking').waitFor();
    await look(one, 'before the call', found);
    await one.getByRole('button', { name: 'Join the call' }).click();
    await connected(one);
    await moving(one, ben);
    await press(one, 'Mute');
    await look(one, 'the call', found);
    await tile(one, ben).getByRole('button', { name: /^Show / }).click();
    await tile(one, ben).getByRole('button', { name: 'Back to everybody' }).first().waitFor();
    await look(one, 'one large', found);
    await one.getByRole('button', { name: 'Show messages' }).click();
    await composer(one).waitFor();
    await look(one, 'with messages', found);
    await tile(one, ben).click({ button: 'right' });
    await one.getByRole('menuitem', { name: /Volume/ }).waitFor();
    await look(one, 'the menu of somebody', found);
    await one.keyboard.press('Escape');
    await one.getByRole('toolbar', { name: 'Call' }).getByRole('button', { name: 'Devices' }).click();
    await one.getByRole('menuitem', { name: /^Microphone: / }).first().waitFor();
    await look(one, 'the devices', found);
    await one.getByRole('menuitem', { name: 'Voice settings' }).click();
    await one.getByRole('button', { name: 'Try it' }).click();
    await one.waitForFunction(() => Number(document.querySelector('[role="meter"]')?.ariaValueNow) > 30);
    await one.getByRole('button', { name: 'See yourself' }).click();
    await one.locator('video[aria-label="Camera"]').waitFor();
    await look(one, 'the settings', found);
    assert.deepEqual(found, []);
    clean(one, two);
    await one.context().close();
    await two.context().close();
  });
}

test('without a mouse: in, muted, somebody large, and out', async () => {
  const { people: [cleo, dan], rooks, voice, at } = await meet(['cleo', 'dan']);
  const two = await enter(own.browser, own.node, dan, at, { permissions });
  await join(two, 'General');
  const one = await enter(own.browser, own.node, cleo, at, { permissions });
  await composer(one).waitFor();
  await one.getByRole('link', { name: /^General, voice channel, 1 person/ }).focus();
  await one.keyboard.press('Enter');
  await connected(one);
  await one.keyboard.press('Control+Shift+D');
  await listed(two, cleo).and(two.getByRole('button', { name: 'cleo, hears nothing, muted' })).waitFor();
  await one.keyboard.press('Control+Shift+M');
  await listed(two, cleo).and(two.getByRole('button', { name: 'cleo', exact: true })).waitFor();
  const pick = tile(one, dan).getByRole('button', { name: /^Show / });
  await pick.focus();
  await one.keyboard.press('Enter');
  await tile(one, dan).getByRole('button', { name: 'Back to everybody' }).first().waitFor();
  await one.keyboard.press('Escape');
  await pick.waitFor();
  const leave = one.getByRole('toolbar', { name: 'Call' }).getByRole('button', { name: 'Leave the call' });
  await leave.focus();
  await one.keyboard.press('Enter');
  await one.getByRole('button', { name: 'Join the call' }).waitFor();
  assert.equal(new URL(one.url()).pathname, `/g/${rooks.id}/${voice.id}`);
  clean(one, two);
  await one.context().close();
  await two.context().close();
});

test('who lets nobody use the microphone listens, and is told why nobody hears him', async () => {
  const { people: [eve, fay], at } = await meet(['eve', 'fay']);
  const one = await enter(own.browser, own.node, eve, at, { permissions: [] });
  const two = await enter(own.browser, own.node, fay, at, { permissions });
  await join(two, 'General');
  await join(one, 'General');
  await one.getByText('does not let this page use the microphone').first().waitFor();
  await listed(two, eve).and(two.getByRole('button', { name: 'eve, muted' })).waitFor();
  await heard(one, fay);
  await press(one, 'Turn the camera on');
  await one.getByText('does not let this page use the camera').first().waitFor();
  // Allowed meanwhile.
  await one.context().grantPermissions(permissions);
  await press(one, 'Unmute');
  await heard(two, eve);
  clean(one, two);
  await one.context().close();
  await two.context().close();
});

test('on a phone the call fits, and goes on while one reads', async () => {
  const { people: [gus, hal], at } = await meet(['gus', 'hal']);
  const two = await enter(own.browser, own.node, hal, at, { permissions });
  await join(two, 'General');
  await press(two, 'Turn the camera on');
  const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2, permissions };
  const one = await enter(own.browser, own.node, gus, at, phone);
  await composer(one).waitFor();
  const fits = async () => assert.ok(await one.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'wider than the screen');
  await one.getByRole('button', { name: 'Show channels' }).tap();
  await one.getByRole('link', { name: /^General, voice channel/ }).tap();
  await moving(one, hal);
  await fits();
  for (const name of ['Mute', 'Turn the camera on', 'Leave the call']) {
    const box = await one.getByRole('toolbar', { name: 'Call' }).getByRole('button', { name, exact: true }).boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 390 && box.y + box.height <= 780, `${name} is out of reach`);
  }
  await one.getByRole('button', { name: 'Show channels' }).tap();
  await one.getByRole('link', { name: 'general', exact: true }).tap();
  await composer(one).waitFor();
  await fits();
  await heard(one, hal);
  await one.getByRole('main').getByRole('link', { name: 'Go to General' }).tap();
  await moving(one, hal);
  await one.getByRole('button', { name: 'Show messages' }).tap();
  await composer(one).waitFor();
  await fits();
  clean(one, two);
  await one.context().close();
  await two.context().close();
});

test('a camera that is given late is not turned on where nobody wants it any more', async () => {
  const { people: [ivy], rooks, at } = await meet(['ivy']);
  const attic = await own.node.api('POST', `/guilds/${rooks.id}/channels`, ivy.token, { name: 'Attic', type: 2 });
  assert.equal(attic.type, 2);
  // The browser asks; when it answers is up to the person.
  const late = () => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    window.asked = [];
    window.given = [];
    navigator.mediaDevices.getUserMedia = async (what) => {
      if (what.video) await new Promise((answer) => window.asked.push(answer));
      const stream = await ask(what);
      if (what.video) window.given.push(...stream.getVideoTracks());
      return stream;
    };
  };
  const one = await enter(own.browser, own.node, ivy, at, { permissions, first: late });
  const asked = (n) => one.waitForFunction((n) => window.asked.length === n, n);
  const answer = (n) => one.evaluate((n) => window.asked[n](), n);
  const given = (n) => one.waitForFunction((n) => window.given.length === n, n);
  const live = () => one.evaluate(() => window.given.filter(({ readyState }) => readyState === 'live').length);
  await join(one, 'General');
  await press(one, 'Turn the camera on');
  await asked(1);
  await join(one, 'Attic');
  await answer(0);
  await given(1);
  await one.waitForFunction(() => window.given[0].readyState === 'ended');
  // Of two that are given one is used, and stops with the call.
  await press(one, 'Turn the camera on');
  await press(one, 'Turn the camera on');
  await asked(3);
  await answer(1);
  await answer(2);
  await tile(one, ivy).locator('video.ready').waitFor();
  await given(3);
  assert.equal(await live(), 1);
  await press(one, 'Leave the call');
  await one.waitForFunction(() => window.given.every(({ readyState }) => readyState === 'ended'));
  clean(one);
  await one.context().close();
});
