// Two people, from making their accounts to a conversation.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clean, composer, house, page, row, write } from '../lib/house.js';

const own = house();

async function register(person, name, shown) {
  await person.getByLabel('Username').fill(name);
  await person.getByLabel('Display name').fill(shown);
  await person.getByLabel('Password', { exact: true }).fill('correct horse');
  await person.getByRole('button', { name: 'Create account' }).click();
}

const tool = async (person, text, name) => {
  await row(person, text).hover();
  await row(person, text).getByRole('toolbar').getByRole('button', { name }).click();
};

test('from two registrations to a conversation with everything in it', async () => {
  const ada = await page(own.browser, own.node);
  await ada.goto('/');
  await ada.getByRole('button', { name: 'Make an account' }).click();
  await register(ada, 'ada', 'Ada');

  await ada.getByRole('button', { name: 'Make or join a group' }).first().click();
  await ada.getByLabel('Name', { exact: true }).fill('Rooks');
  await ada.getByRole('button', { name: 'Make group' }).click();
  await composer(ada).waitFor();
  await ada.getByRole('button', { name: 'Invite people' }).click();
  await ada.waitForFunction(() => document.querySelector('#invite-link')?.value.includes('/invite/'));
  const link = await ada.locator('#invite-link').inputValue();
  await ada.keyboard.press('Escape');

  const ben = await page(own.browser, own.node);
  await ben.goto(link);
  await ben.getByRole('heading', { name: 'Rooks' }).waitFor();
  await register(ben, 'ben', 'Ben');
  await composer(ben).waitFor();
  await row(ada, 'Ben is here').waitFor();

  // A message, and what is under it while it is on its way and after.
  await write(ada, 'Hello **Ben**, meet `rooks`');
  await row(ben, 'Hello Ben').locator('strong').waitFor();
  await write(ben, 'Good morning @ada!');
  await row(ada, 'Good morning @Ada').waitFor();
  assert.match(await row(ada, 'Good morning').getAttribute('class'), /mine/);

  // An answer to it.
  await tool(ada, 'Good morning', 'Reply');
  await write(ada, 'Slept well?');
  await row(ben, 'Slept well?').getByText('Good morning @Ada').waitFor();

  // A reaction by one, joined by the other.
  await tool(ben, 'Slept well?', 'React');
  await ben.getByPlaceholder('Find an emoji').fill('owl');
  await ben.getByRole('button', { name: 'owl', exact: true }).click();
  const reaction = (person) => row(person, 'Slept well?').getByRole('button', { name: /🦉/ });
  await reaction(ada).click();
  await ben.waitForFunction(() => /2 reactions/.test([...document.querySelectorAll('.reaction')].map((b) => b.ariaLabel).join()));
  assert.equal(await reaction(ben).getAttribute('aria-pressed'), 'true');

  // A change, with the arrow key.
  await composer(ada).press('ArrowUp');
  await ada.getByLabel('Edit message').fill('Did you sleep well?');
  await ada.keyboard.press('Enter');
  await row(ben, 'Did you sleep well?').getByText('edited').waitFor();

  // Typing is seen.
  await composer(ben).pressSequentially('I d');
  await ada.getByText('Ben is typing').waitFor();
  await composer(ben).fill('');

  // A file by paste and one by the dialog, with a preview, and looked at large.
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mP8z8BQz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC';
  await ada.evaluate((data) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], 'dot.png', { type: 'image/png' }));
    document.querySelector('#composer').dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }));
  }, png);
  await ada.locator('.files img').waitFor();
  await ada.locator('input[type=file]').first().setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('about rooks') });
  await write(ada, 'two files');
  await row(ben, 'two files').getByRole('link', { name: 'notes.txt' }).first().waitFor();
  const picture = row(ben, 'two files').getByRole('img', { name: 'dot.png' });
  await picture.waitFor();
  assert.equal(await picture.evaluate(async (image) => (await image.decode(), image.naturalWidth)), 10);
  await picture.click();
  await ben.getByRole('dialog', { name: /dot\.png/ }).waitFor();
  await ben.keyboard.press('Escape');

  // Pinned, found again, and jumped to.
  await row(ada, 'Hello Ben').click({ button: 'right', position: { x: 300, y: 10 } });
  await ada.getByRole('menuitem', { name: 'Pin' }).click();
  await row(ben, 'Ada pinned a message').waitFor();
  await ben.getByRole('button', { name: 'Pinned messages' }).click();
  await ben.getByRole('region', { name: 'Pinned messages' }).getByText('Hello Ben').waitFor();
  await ben.getByRole('button', { name: 'Show in the conversation' }).first().click();
  await ben.locator('article.flash', { hasText: 'Hello Ben' }).waitFor();

  // Deleted after a question.
  await row(ada, 'Did you sleep well?').click({ button: 'right', position: { x: 300, y: 30 } });
  await ada.getByRole('menuitem', { name: 'Delete message' }).click();
  await ada.getByRole('dialog').getByText('cannot be taken back').waitFor();
  await ada.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await row(ben, 'Did you sleep well?').waitFor({ state: 'detached' });

  clean(ada, ben);
});

test('friends, and a conversation of two', async () => {
  const ada = await page(own.browser, own.node);
  const ben = await page(own.browser, own.node);
  for (const [person, name, shown] of [[ada, 'cleo', 'Cleo'], [ben, 'dan', 'Dan']]) {
    await person.goto('/register');
    await register(person, name, shown);
    await person.getByRole('tab', { name: 'Add a friend' }).click();
  }
  await ada.getByPlaceholder('username').fill('dan');
  await ada.getByRole('button', { name: 'Send request' }).click();
  await ada.getByText('dan has been asked').waitFor();
  await ben.getByRole('tab', { name: /Requests/ }).click();
  await ben.getByRole('button', { name: 'Accept' }).click();
  await ada.getByRole('tab', { name: 'All' }).click();
  await ada.getByRole('button', { name: 'Message', exact: true }).click();
  await write(ada, 'Just us');
  await ben.getByRole('link', { name: /Cleo/ }).click();
  await row(ben, 'Just us').waitFor();
  // Whoever is blocked is not heard.
  await ben.getByRole('link', { name: 'Friends', exact: true }).click();
  await ben.getByRole('tab', { name: 'All' }).click();
  await ben.getByRole('button', { name: 'More' }).click();
  await ben.getByRole('menuitem', { name: 'Block' }).click();
  await ben.getByRole('dialog').getByRole('button', { name: 'Block' }).click();
  await ben.getByRole('tab', { name: 'Blocked' }).click();
  await ben.getByText('Unblock').waitFor();
  await write(ada, 'Hello?');
  await ada.getByText('Not sent').waitFor();
  clean(ada, ben);
});
