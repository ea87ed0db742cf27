import { describe, expect, it } from 'vitest';
import { resolve, unresolve, wordAt } from '../src/lib/chat/mentions';
import { isWorthIt } from '../src/lib/notify';
import { format, parse } from '../src/lib/router.svelte';

const known = {
  user: (name: string) => ({ ada: '1', 'ben.b': '2' })[name],
  roles: [{ id: '10', name: 'mod' }, { id: '11', name: 'Mod Team' }],
  channels: [{ id: '20', name: 'general' }, { id: '21', name: 'general-talk' }],
};
const called = {
  username: (id: string) => ({ 1: 'ada', 2: 'ben.b' })[id],
  role: (id: string) => ({ 10: 'mod', 11: 'Mod Team' })[id],
  channel: (id: string) => ({ 20: 'general', 21: 'general-talk' })[id],
};

describe('mentions', () => {
  it.each([
    ['hi @ada', 'hi <@1>'],
    ['@ben.b.', '<@2>.'],
    ['mail ada@ada.example', 'mail ada@ada.example'],
    ['@nobody', '@nobody'],
    ['@mod team, @mod', '<@&11>, <@&10>'],
    ['#general-talk #general', '<#21> <#20>'],
    ['`@ada` @ada ```\n@ada\n```', '`@ada` <@1> ```\n@ada\n```'],
    ['<@1>', '<@1>'],
  ])('%j becomes %j', (text, expected) => expect(resolve(text, known)).toBe(expected));

  it('come back as they were written', () => {
    for (const text of ['hi <@1> and <@2>', '<@&11> in <#21>', '`<@1>`']) {
      expect(resolve(unresolve(text, called), known)).toBe(text);
    }
    expect(unresolve('<@404>', called)).toBe('<@404>');
  });

  it('are completed where one types', () => {
    expect(wordAt('hi @ad', 6)).toEqual({ mark: '@', word: 'ad', from: 3 });
    expect(wordAt('hi @ad later', 6)).toEqual({ mark: '@', word: 'ad', from: 3 });
    expect(wordAt('a@b', 3)).toBeNull();
    expect(wordAt(':s', 2)).toBeNull();
    expect(wordAt(':sm', 3)).toEqual({ mark: ':', word: 'sm', from: 0 });
    expect(wordAt('12:30', 5)).toBeNull();
  });
});

describe('addresses', () => {
  it.each(['/', '/login', '/friends', '/invite/aB3', '/d/1', '/d/1/2', '/g/1', '/g/1/2', '/g/1/2/3'])('%s is a place', (path) => {
    expect(format(parse(path))).toBe(path);
  });

  it('that are none lead to the start', () => {
    for (const path of ['/nowhere', '/g/x', '/d', '/g/../1']) expect(parse(path)).toEqual({ at: 'start' });
  });
});

describe('notifications', () => {
  const message = { mention_everyone: false } as Parameters<typeof isWorthIt>[0];
  it.each([
    ['mentions', false, false, false, false],
    ['mentions', false, true, false, true],
    ['mentions', true, false, false, true],
    ['mentions', true, false, true, false],
    ['mentions', false, true, true, true],
    ['all', false, false, false, true],
    ['all', false, false, true, false],
    ['none', true, true, false, false],
  ] as const)('%s: direct %s, mentioned %s, muted %s', (notify, isDirect, isMentioned, isMuted, expected) => {
    expect(isWorthIt(message, isDirect, isMentioned, notify, isMuted)).toBe(expected);
  });
});
