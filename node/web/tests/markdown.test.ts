import { describe, expect, it } from 'vitest';
import { type Names, isEmoji, isPlain, plain, render, sanitize } from '../src/lib/markdown/render';
import corpus from './xss.json';

const names: Names = {
  user: (id) => (id === '7' ? '<b>ada</b>' : 'ben'),
  role: () => ({ name: 'mods' }),
  channel: (id) => (id === '9' ? 'general' : undefined),
  isMe: (_, id) => id === '7',
  time: () => 'then',
  everyone: true,
};
const html = (text: string) => render(text, names);

describe('markdown', () => {
  it.each([
    ['**bold** *it* __under__ ~~gone~~', '<p><strong>bold</strong> <em>it</em> <u>under</u> <del>gone</del></p>'],
    ['a\nb', '<p>a<br>b</p>'],
    ['`<b>`', '<p><code>&lt;b&gt;</code></p>'],
    ['||secret||', '<p><span class="spoiler" role="button" tabindex="0">secret</span></p>'],
    ['> said', '<blockquote>\n<p>said</p>\n</blockquote>'],
    ['> one\n> two\nthree', '<blockquote>\n<p>one<br>two</p>\n</blockquote>\n<p>three</p>'],
    ['a < b & c', '<p>a &lt; b &amp; c</p>'],
    ['---', '<p>---</p>'],
    ['a\n===', '<p>a<br>===</p>'],
  ])('%j', (text, expected) => expect(html(text)).toBe(expected));

  it('makes links that open elsewhere and tell nothing', () => {
    expect(html('https://a.example/x')).toContain('href="https://a.example/x"');
    expect(html('https://a.example/x')).toContain('rel="noopener noreferrer nofollow"');
    expect(html('[x](javascript:alert)')).toBe('<p>x</p>');
  });

  it('names who is mentioned, and nothing of a name is HTML', () => {
    expect(html('<@7>')).toContain('class="mention mine" data-user="7"');
    expect(html('<@7>')).toContain('@&lt;b&gt;ada&lt;/b&gt;');
    expect(html('<#9> <@&3> @everyone')).toMatch(/#general.*@mods.*@everyone/);
    expect(html('`<@7>`')).not.toContain('mention');
    expect(render('@everyone', { ...names, everyone: false })).not.toContain('mention');
  });

  it('keeps code as it is', () => {
    expect(html('```rust\nlet a = "<b>";\n```')).toBe('<pre tabindex="0"><code class="language-rust">let a = "&lt;b&gt;";</code></pre>');
  });

  it('sees what needs no markdown at all', () => {
    for (const text of ['hello', 'what? yes!', 'a - b', '1.5']) expect(isPlain(text), text).toBe(true);
    for (const text of ['*a*', 'a\nb', '<@1>', '- a', '1. a', 'https://x', 'a@b.c']) expect(isPlain(text), text).toBe(false);
  });

  it('shortens to a line', () => {
    expect(plain('**Hi** <@7>\n`x` ||no||', names)).toBe('Hi @<b>ada</b> x ▮▮▮');
  });

  it('knows a text of emoji', () => {
    for (const text of ['🐦', '👍🏽 🎉', '🇩🇪', '👩‍👩‍👧']) expect(isEmoji(text), text).toBe(true);
    for (const text of ['a🐦', '1', '12', '#', '']) expect(isEmoji(text), text).toBe(false);
  });
});

describe('what strangers write', () => {
  const ALLOWED = /^(a|blockquote|br|code|del|em|h[3-5]|li|ol|p|pre|span|strong|time|u|ul)$/;

  it.each(corpus.map((text) => [text]))('%j is only text', (text) => {
    const page = document.createElement('div');
    page.innerHTML = html(text);
    for (const element of page.querySelectorAll('*')) {
      expect(element.localName).toMatch(ALLOWED);
      for (const { name, value } of element.attributes) {
        expect(name).toMatch(/^(class|data-(user|role|channel)|href|rel|role|start|tabindex|target|title)$/);
        if (name === 'href') expect(value).toMatch(/^(https?:\/\/|mailto:)/i);
      }
    }
    // The same once more, as if it had got past the markdown.
    page.innerHTML = sanitize(text);
    expect(page.querySelector('script, img, svg, iframe, style, form, input, [onerror], [onload], [onclick]')).toBeNull();
  });
});
