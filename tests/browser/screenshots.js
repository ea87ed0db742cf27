// Makes the pictures of the README, and of everything else that one should look at after a change: `npm run screenshots`
// writes node/web/screenshots/, `npm run screenshots -- FOLDER` all of them into a folder.
import { mkdirSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { browser as launch } from './lib/browser.js';
import { connected, moving, press, tile } from './lib/call.js';
import { composer, enter, group, page, row } from './lib/house.js';
import { Node } from './lib/node.js';

const all = process.argv[2];
const folder = all ?? new URL('../../node/web/screenshots', import.meta.url).pathname;
mkdirSync(folder, { recursive: true });
/** Those that the README shows. */
const shown = new Set(['channel-dark', 'channel-light', 'channel-phone', 'friends-dark', 'roles-dark', 'login-light', 'call-dark', 'call-light', 'call-phone']);

/** A picture of dusk over trees, drawn here. */
function dusk(width, height) {
  const rows = [];
  for (let y = 0; y < height; y++) {
    const line = Buffer.alloc(1 + width * 3);
    for (let x = 0; x < width; x++) {
      const part = y / height;
      const hill = 0.72 + 0.1 * Math.sin(x / 60) + 0.05 * Math.sin(x / 17) + 0.03 * Math.sin(x / 5);
      const sun = Math.hypot((x - width * 0.68) / 46, (y - height * 0.5) / 46);
      const sky = [244 - 150 * part, 178 - 110 * part, 102 - 10 * part];
      const colour = part > hill ? [26, 20, 34] : sun < 1 ? [255, 226, 170] : sky;
      colour.forEach((value, n) => (line[1 + x * 3 + n] = value));
    }
    rows.push(line);
  }
  const chunk = (name, data) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk('IHDR', head), chunk('IDAT', deflateSync(Buffer.concat(rows))), chunk('IEND', Buffer.alloc(0))]);
}

/** The checksum of PNG; Node's zlib has one only since 22. */
function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let n = 0; n < 8; n++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

const [node, browser] = await Promise.all([Node.start(), launch()]);
const desk = { viewport: { width: 1360, height: 820 } };
const phone = { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

/** The message with the picture, not the one that answers it. */
const roost = (on) => on.locator(`[data-message="${picture.id}"]`);

async function take(on, name) {
  if (!all && !shown.has(name)) return;
  await on.evaluate(() => document.fonts.ready);
  await on.waitForTimeout(250);
  await on.screenshot({ path: `${folder}/${name}.png` });
}

// --- a group with something in it -------------------------------------------------------------------------------

const names = [['mara', 'Mara'], ['tomasz', 'Tomasz'], ['ines', 'Inês'], ['kofi', 'Kofi'], ['yuki', 'Yuki'], ['lena', 'Lena'], ['omar', 'Omar']];
const people = {};
for (const [name, shown] of names) people[name] = await node.register(name, shown);
const { mara, tomasz, ines, kofi, yuki } = people;
const api = (who, method, path, body) => node.api(method, path, who.token, body);
const club = await group(node, 'Tuesday Birders', Object.values(people));
const second = await group(node, 'Allotment 14', [tomasz, mara]);
await group(node, 'Synth repair', [ines, mara]);
const category = await api(mara, 'POST', `/guilds/${club.id}/channels`, { name: 'Field trips', type: 4 });
const make = (name, more = {}) => api(mara, 'POST', `/guilds/${club.id}/channels`, { name, type: 0, parent_id: category.id, ...more });
const walks = await make('walks', { topic: 'Where we go next, and who has a car. Meet at the mill at seven.' });
const photos = await make('photos');
const lists = await make('sightings');
await make('committee', { permission_overwrites: [{ id: club.id, type: 0, deny: '1024', allow: '0' }] });
const road = await make('On the road', { type: 2 });
await make('The hide', { type: 2, user_limit: 8 });
const role = (name, color, more = {}) => api(mara, 'POST', `/guilds/${club.id}/roles`, { name, color, permissions: '0', ...more });
const guides = await role('Guides', 0xf2a65a, { hoist: true, permissions: String((1n << 13n) | (1n << 51n) | (1n << 40n)) });
const drivers = await role('Drivers', 0x5bb8d4, { mentionable: true });
for (const [user, given] of [[mara, guides], [tomasz, guides], [ines, drivers], [kofi, drivers]]) await api(mara, 'PUT', `/guilds/${club.id}/members/${user.id}/roles/${given.id}`);
for (const user of [tomasz, ines]) {
  await api(mara, 'PUT', `/users/@me/relationships/${user.id}`, {});
  await api(user, 'PUT', `/users/@me/relationships/${mara.id}`, {});
}
await api(kofi, 'PUT', `/users/@me/relationships/${mara.id}`, {});
const say = (who, channel, content, more = {}) => api(who, 'POST', `/channels/${channel}/messages`, { content, ...more });
await say(tomasz, walks.id, 'Saturday looks dry until noon. The old mill again?');
const plan = await say(ines, walks.id, `I can take three people. <@&${drivers.id}> who else?`);
await say(kofi, walks.id, 'Me, if somebody brings **proper** coffee this time');
await say(kofi, walks.id, 'Two seats and a boot full of tripods.');
await say(mara, walks.id, `Then it is settled:\n- meet at the mill, **7:00**\n- <@${ines.id}> and <@${kofi.id}> drive\n- bring boots, the lower path is under water`);
await say(yuki, walks.id, 'I wrote down what we saw last time, in case somebody wants to compare:');
await say(yuki, walks.id, '```python\nseen = {"rook": 214, "jackdaw": 61, "raven": 2}\nfor bird, count in seen.items():\n    print(f"{bird:>8} {count}")\n```');
const form = new FormData();
form.append('payload_json', JSON.stringify({ content: 'The roost from the bridge, ten minutes after sunset', attachments: [{ id: 0, filename: 'roost.png' }] }));
form.append('files[0]', new Blob([dusk(640, 360)], { type: 'image/png' }), 'roost.png');
const posted = await fetch(`${node.url}/api/v10/channels/${walks.id}/messages`, { method: 'POST', headers: { Authorization: tomasz.token }, body: form });
const picture = await posted.json();
for (const [who, emoji] of [[mara, '😍'], [ines, '😍'], [kofi, '😍'], [yuki, '🐦‍⬛'], [kofi, '🐦‍⬛']]) await api(who, 'PUT', `/channels/${walks.id}/messages/${picture.id}/reactions/${encodeURIComponent(emoji)}/@me`);
await say(ines, walks.id, 'That light! Is it the same place as in November?', { message_reference: { message_id: picture.id } });
await api(mara, 'PUT', `/channels/${walks.id}/messages/pins/${plan.id}`);
await say(yuki, lists.id, `<@${mara.id}> two ravens over the quarry`);
await say(kofi, photos.id, 'new ones are up');
await say(tomasz, second.channel.id, 'the beans are in');
const { id: direct } = await api(tomasz, 'POST', '/users/@me/channels', { recipients: [mara.id] });
await say(tomasz, direct, 'Did you see the forecast for Sunday?');
await say(mara, direct, 'Yes. I am bringing the *big* umbrella.');
await api(ines, 'POST', '/users/@me/channels', { recipients: [mara.id] });
await api(mara, 'PUT', `/guilds/${club.id}/bans/${people.omar.id}`, { delete_message_seconds: 0 });

// --- looking at it ----------------------------------------------------------------------------------------------

const at = `/g/${club.id}/${walks.id}`;
const others = await Promise.all([tomasz, ines, yuki].map((who) => enter(browser, node, who, at, desk)));
for (const [n, note] of [[0, 'Cleaning lenses'], [1, 'On the train']]) {
  await composer(others[n]).waitFor();
  await others[n].locator('.bar .me').click();
  await others[n].getByRole('menuitem', { name: 'Set a note' }).click();
  await others[n].getByLabel('What are you up to?').fill(note);
  await others[n].keyboard.press('Enter');
}
await others[2].locator('.bar .me').click();
await others[2].getByRole('menuitem', { name: 'Away' }).click();

for (const colorScheme of ['dark', 'light']) {
  const guest = await page(browser, node, { ...desk, colorScheme });
  await guest.goto('/login');
  await guest.getByLabel('Username').waitFor();
  await take(guest, `login-${colorScheme}`);
  await guest.goto(`/invite/${club.code}`);
  await guest.getByRole('heading', { name: 'Tuesday Birders' }).waitFor();
  await take(guest, `invite-${colorScheme}`);

  const one = await enter(browser, node, mara, at, { ...desk, colorScheme });
  await row(one, 'That light!').waitFor();
  await one.getByRole('complementary').getByText('Cleaning lenses').waitFor();
  await one.getByRole('complementary').getByText('4 of 6 online').waitFor();
  await composer(others[0]).pressSequentially('I');
  await one.getByText('is typing').waitFor();
  await take(one, `channel-${colorScheme}`);
  await composer(others[0]).fill('');
  await roost(one).hover();
  await roost(one).getByRole('button', { name: 'More actions' }).click();
  await one.getByRole('menuitem', { name: 'Pin' }).waitFor();
  await take(one, `menu-${colorScheme}`);
  await one.keyboard.press('Escape');
  await roost(one).getByRole('button', { name: 'Tomasz' }).click();
  await one.getByText('In this group since').waitFor();
  await take(one, `card-${colorScheme}`);
  await one.keyboard.press('Escape');
  await composer(one).fill('look @');
  await composer(one).pressSequentially('i');
  await one.getByRole('listbox', { name: 'Suggestions' }).waitFor();
  await take(one, `mention-${colorScheme}`);
  await composer(one).fill('');
  await one.getByRole('button', { name: 'Emoji', exact: true }).click();
  await one.getByRole('button', { name: 'grinning face', exact: true }).waitFor();
  await take(one, `emoji-${colorScheme}`);
  await one.keyboard.press('Escape');
  await one.getByRole('button', { name: 'Pinned messages' }).click();
  await one.getByRole('region', { name: 'Pinned messages' }).getByText('three people').waitFor();
  await take(one, `pins-${colorScheme}`);
  await one.keyboard.press('Escape');
  await one.keyboard.press('Control+k');
  await one.getByPlaceholder('A channel, a group or a person').fill('p');
  await take(one, `switcher-${colorScheme}`);
  await one.keyboard.press('Escape');
  await roost(one).getByRole('img').click();
  await take(one, `picture-${colorScheme}`);
  await one.keyboard.press('Escape');
  await one.getByRole('button', { name: 'Tuesday Birders', exact: true }).click();
  await one.getByRole('menuitem', { name: 'Group settings' }).click();
  for (const name of ['Overview', 'Channels', 'Roles', 'Members', 'Invites', 'Bans', 'Audit log']) {
    await one.getByRole('dialog').getByRole('button', { name, exact: true }).click();
    if (name === 'Roles') await one.getByRole('button', { name: 'Guides' }).click();
    await one.waitForFunction(() => !document.querySelector('[role="dialog"] .spinner'));
    await take(one, `${name.toLowerCase().replace(' ', '-')}-${colorScheme}`);
  }
  await one.keyboard.press('Escape');
  await one.getByRole('button', { name: 'Settings of walks' }).click();
  await one.getByRole('dialog').getByRole('button', { name: 'Permissions' }).click();
  await take(one, `overwrites-${colorScheme}`);
  await one.keyboard.press('Escape');
  await one.getByRole('button', { name: 'Make or join a group' }).click();
  await one.getByLabel('Name', { exact: true }).waitFor();
  await take(one, `new-group-${colorScheme}`);
  await one.keyboard.press('Escape');
  await one.keyboard.press('Control+,');
  for (const name of ['Profile', 'Account', 'Logins', 'Appearance', 'Notifications', 'Keyboard']) {
    await one.getByRole('dialog').getByRole('button', { name, exact: true }).click();
    await take(one, `settings-${name.toLowerCase()}-${colorScheme}`);
  }
  await one.goto('/friends');
  await one.getByRole('tab', { name: 'All' }).waitFor();
  await one.getByText('Cleaning lenses').first().waitFor();
  await take(one, `friends-${colorScheme}`);
  await one.getByRole('tab', { name: /Requests/ }).click();
  await take(one, `requests-${colorScheme}`);
  await one.getByRole('link', { name: /Tomasz/ }).click();
  await row(one, 'umbrella').waitFor();
  await take(one, `direct-${colorScheme}`);
  await one.context().close();
  await guest.context().close();
}

const small = await enter(browser, node, mara, at, { ...phone, colorScheme: 'dark' });
await row(small, 'That light!').waitFor();
await take(small, 'channel-phone');
await small.getByRole('button', { name: 'Show channels' }).tap();
await take(small, 'sidebar-phone');
await small.getByRole('button', { name: 'Close' }).tap({ position: { x: 370, y: 400 } });
await small.getByRole('button', { name: /members/ }).tap();
await small.getByRole('complementary').getByText('Cleaning lenses').waitFor();
await take(small, 'members-phone');
await small.goto('/friends');
await small.getByRole('button', { name: 'Settings', exact: true }).tap();
await take(small, 'settings-phone');
await small.getByRole('dialog').getByRole('button', { name: 'Appearance' }).tap();
await take(small, 'appearance-phone');
const door = await page(browser, node, { ...phone, colorScheme: 'light' });
await door.goto('/register');
await door.getByLabel('Username').waitFor();
await take(door, 'register-phone');

// --- a call -----------------------------------------------------------------------------------------------------

/** Cameras and a screen drawn here, in place of the browser's test picture. */
const paint = (on, hue) =>
  on.addInitScript((hue) => {
    const film = (width, height, draw) => {
      const canvas = Object.assign(document.createElement('canvas'), { width, height });
      const brush = canvas.getContext('2d');
      let n = 0;
      const next = () => draw(brush, n++);
      next();
      setInterval(next, 100);
      return canvas.captureStream(10).getVideoTracks()[0];
    };
    const face = () =>
      film(1280, 720, (brush, n) => {
        const wall = brush.createLinearGradient(0, 0, 1280, 720);
        wall.addColorStop(0, `oklch(0.62 0.06 ${hue})`);
        wall.addColorStop(1, `oklch(0.36 0.05 ${hue + 40})`);
        brush.fillStyle = wall;
        brush.fillRect(0, 0, 1280, 720);
        brush.fillStyle = `oklch(0.8 0.08 ${hue + 60} / 55%)`;
        brush.fillRect(90, 80, 250, 300);
        brush.fillStyle = `oklch(0.3 0.03 ${hue} / 40%)`;
        for (const [x, width] of [[960, 40], [1010, 26], [1046, 50], [1106, 30]]) brush.fillRect(x, 210, width, 190);
        brush.fillRect(920, 400, 290, 14);
        const sway = Math.sin(n / 9) * 10;
        brush.fillStyle = `oklch(0.44 0.1 ${hue + 180})`;
        brush.beginPath();
        brush.ellipse(640 + sway / 2, 760, 300, 270, 0, 0, 7);
        brush.fill();
        brush.fillStyle = `oklch(0.74 0.06 ${50 + (hue % 20)})`;
        brush.fillRect(590 + sway, 420, 100, 110);
        brush.beginPath();
        brush.ellipse(640 + sway, 340, 118, 150, 0, 0, 7);
        brush.fill();
        brush.fillStyle = `oklch(0.28 0.05 ${hue % 80})`;
        brush.beginPath();
        brush.ellipse(640 + sway, 285, 124, 112, 0, Math.PI, 2 * Math.PI);
        brush.fill();
      });
    const map = () =>
      film(1600, 900, (brush, n) => {
        brush.fillStyle = '#f4f1e8';
        brush.fillRect(0, 0, 1600, 900);
        brush.fillStyle = '#cfe0c3';
        for (const [x, y, r] of [[300, 250, 240], [1250, 640, 300], [900, 180, 150]]) {
          brush.beginPath();
          brush.ellipse(x, y, r * 1.3, r, 0.3, 0, 7);
          brush.fill();
        }
        brush.lineCap = 'round';
        const path = (colour, width, points, dash = []) => {
          brush.strokeStyle = colour;
          brush.lineWidth = width;
          brush.setLineDash(dash);
          brush.beginPath();
          points.forEach(([x, y]) => brush.lineTo(x, y));
          brush.stroke();
          brush.setLineDash([]);
        };
        path('#a9c9dc', 46, [[0, 620], [300, 560], [620, 660], [980, 520], [1300, 360], [1600, 330]]);
        path('#d9cdb4', 18, [[120, 900], [330, 600], [700, 420], [1120, 300], [1500, 60]]);
        path('#c2410c', 8, [[330, 600], [520, 500], [700, 420], [860, 560], [1060, 640], [1240, 560]], [26, 18]);
        brush.fillStyle = '#1d2427';
        brush.font = '600 44px sans-serif';
        brush.fillText('Saturday: mill, weir, quarry', 60, 90);
        brush.font = '32px sans-serif';
        for (const [text, x, y] of [['Old mill, 7:00', 240, 690], ['Weir', 880, 620], ['Quarry', 1220, 520]]) brush.fillText(text, x, y);
        for (const [x, y] of [[330, 600], [860, 560], [1240, 560]]) {
          brush.fillStyle = '#c2410c';
          brush.beginPath();
          brush.arc(x, y, 16 + (x === 330 ? 4 * Math.sin(n / 3) : 0), 0, 7);
          brush.fill();
        }
      });
    const { mediaDevices } = navigator;
    const real = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wish) => (wish.video ? new MediaStream([face()]) : real(wish));
    mediaDevices.getDisplayMedia = async () => new MediaStream([map()]);
  }, hue);

const place = `/g/${club.id}/${road.id}`;
const inCall = async (who, hue, options = desk) => {
  const on = await enter(browser, node, who, '/friends', options);
  await paint(on, hue);
  await on.goto(place);
  await on.getByRole('button', { name: 'Join the call' }).click();
  // A phone has the call's bar behind the list of channels.
  if (!options.isMobile) await connected(on);
  return on;
};
const guests = [];
for (const [who, hue] of [[tomasz, 250], [ines, 20], [kofi, 150], [yuki, 320]]) guests.push(await inCall(who, hue, { viewport: { width: 900, height: 600 } }));
const [withTomasz, withInes, withKofi, withYuki] = guests;
for (const on of [withTomasz, withInes, withKofi]) await press(on, 'Turn the camera on');
await press(withYuki, 'Mute');
// They have something else in front of them: this machine decodes for the picture alone.
for (const on of guests) await on.getByRole('link', { name: 'walks' }).click();
await say(ines, road.id, 'the map is in the walks channel, too');

for (const colorScheme of ['dark', 'light']) {
  const one = await enter(browser, node, mara, '/friends', { ...desk, colorScheme });
  await paint(one, 90);
  await one.goto(place);
  await one.getByRole('button', { name: 'Join the call' }).waitFor();
  await take(one, `call-before-${colorScheme}`);
  await one.getByRole('button', { name: 'Join the call' }).click();
  await connected(one);
  await press(one, 'Turn the camera on');
  for (const who of [tomasz, ines, kofi]) await moving(one, who);
  // Until what comes is as sharp as it gets.
  await one.waitForTimeout(15_000);
  await take(one, `call-${colorScheme}`);
  await tile(one, yuki).click({ button: 'right' });
  await one.getByRole('menuitem', { name: /Volume/ }).waitFor();
  await take(one, `call-menu-${colorScheme}`);
  await one.keyboard.press('Escape');
  await one.getByRole('toolbar', { name: 'Call' }).getByRole('button', { name: 'Devices' }).click();
  await one.getByRole('menuitem', { name: 'Voice settings' }).waitFor();
  await take(one, `call-devices-${colorScheme}`);
  await one.getByRole('menuitem', { name: 'Voice settings' }).click();
  await one.getByRole('button', { name: 'Try it' }).click();
  await one.waitForTimeout(1_500);
  await take(one, `settings-voice-${colorScheme}`);
  await one.getByRole('button', { name: 'See yourself' }).click();
  await one.waitForTimeout(1_000);
  await take(one, `settings-voice-end-${colorScheme}`);
  await one.keyboard.press('Escape');
  await withInes.getByRole('region', { name: 'Call', exact: true }).getByRole('button', { name: 'Share the screen' }).click();
  await moving(one, ines, 'screen');
  await one.waitForTimeout(5_000);
  await take(one, `call-screen-${colorScheme}`);
  await one.getByRole('button', { name: 'Show messages' }).click();
  await row(one, 'the map is').waitFor();
  await take(one, `call-messages-${colorScheme}`);
  await withInes.getByRole('region', { name: 'Call', exact: true }).getByRole('button', { name: 'Stop sharing the screen' }).click();
  await one.getByRole('link', { name: 'walks' }).click();
  await row(one, 'That light!').waitFor();
  await take(one, `call-aside-${colorScheme}`);
  const tab = await one.context().newPage();
  await tab.goto(place);
  await tab.getByRole('button', { name: 'Take over' }).first().waitFor();
  await take(tab, `call-elsewhere-${colorScheme}`);
  await tab.close();
  await one.bringToFront();
  await one.getByRole('link', { name: /^The hide/ }).click();
  await one.getByText('You are the first one here').waitFor();
  await connected(one);
  await take(one, `call-alone-${colorScheme}`);
  await one.context().close();
}

const pocket = await inCall(mara, 90, { ...phone, colorScheme: 'dark' });
await press(pocket, 'Turn the camera on');
for (const who of [tomasz, ines, kofi]) await moving(pocket, who);
await pocket.waitForTimeout(15_000);
await take(pocket, 'call-phone');
await pocket.getByRole('button', { name: 'Show channels' }).tap();
await take(pocket, 'call-sidebar-phone');
await pocket.getByRole('link', { name: 'walks' }).tap();
await row(pocket, 'That light!').waitFor();
await take(pocket, 'call-aside-phone');

await browser.close();
node.end();
process.exit();
