// What people wrote, as safe HTML: a small markdown, then an allow-list of what may be in the result.

import DOMPurify from 'dompurify';
import { Marked, type TokenizerAndRendererExtension, type Tokens } from 'marked';

/** How those who are mentioned are called. */
export interface Names {
  user: (id: string) => string;
  role: (id: string) => { name: string; colour?: string } | undefined;
  channel: (id: string) => string | undefined;
  isMe: (kind: 'user' | 'role', id: string) => boolean;
  time: (seconds: number, style: string | undefined) => string;
  everyone: boolean;
}

export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

let names: Names;

/** An inline construct by its pattern, which is anchored. */
function inline(name: string, start: string, rule: RegExp, html: (match: string[], inner: () => string) => string): TokenizerAndRendererExtension {
  return {
    name,
    level: 'inline',
    start: (src) => {
      const at = src.indexOf(start);
      return at < 0 ? undefined : at;
    },
    tokenizer(src) {
      const match = rule.exec(src);
      if (!match) return undefined;
      return { type: name, raw: match[0], match: [...match], tokens: this.lexer.inlineTokens(match[1] ?? '') };
    },
    renderer(token) {
      return html(token.match as string[], () => this.parser.parseInline(token.tokens ?? []));
    },
  };
}

function mention(kind: string, id: string, text: string, isMe: boolean): string {
  return `<span class="mention${isMe ? ' mine' : ''}" data-${kind}="${id}" role="button" tabindex="0">${escape(text)}</span>`;
}

const extensions = [
  inline('user', '<@', /^<@!?(\d{1,20})>/, ([, id]) => mention('user', id!, `@${names.user(id!)}`, names.isMe('user', id!))),
  inline('role', '<@&', /^<@&(\d{1,20})>/, ([, id]) => mention('role', id!, `@${names.role(id!)?.name ?? '…'}`, names.isMe('role', id!))),
  inline('channel', '<#', /^<#(\d{1,20})>/, ([, id]) => {
    const name = names.channel(id!);
    return name === undefined ? '<span class="mention">#…</span>' : mention('channel', id!, `#${name}`, false);
  }),
  inline('everyone', '@', /^@(everyone|here)\b/, ([raw]) => (names.everyone ? `<span class="mention mine">${raw}</span>` : raw!)),
  inline('time', '<t:', /^<t:(-?\d{1,12})(?::([tTdDfFR]))?>/, ([, seconds, style]) => {
    return `<time>${escape(names.time(Number(seconds), style))}</time>`;
  }),
  inline('spoiler', '||', /^\|\|([\s\S]+?)\|\|/, (_, inner) => `<span class="spoiler" role="button" tabindex="0">${inner()}</span>`),
  inline('underline', '__', /^__(?=\S)([\s\S]*?\S)__(?!_)/, (_, inner) => `<u>${inner()}</u>`),
];

const none = () => undefined;

/** A quote ends with the last line that is marked as one, and swallows nothing that follows. */
const QUOTE = /^(?:>(?: [^\n]*| ?)(?:\n|$))+/;

function link(href: string, text: string, title?: string): string {
  if (!/^(https?:\/\/|mailto:)/i.test(href)) return text;
  return `<a href="${escape(href)}" title="${escape(title ?? href)}" target="_blank" rel="noopener noreferrer nofollow">${text}</a>`;
}

const marked = new Marked({
  gfm: true,
  breaks: true,
  extensions,
  // No HTML, tables, images, rules, or headings drawn with a line below: this is chat.
  tokenizer: {
    blockquote(src) {
      const raw = QUOTE.exec(src)?.[0];
      if (!raw) return undefined;
      const text = raw.replace(/^> ?/gm, '');
      return { type: 'blockquote', raw, text, tokens: this.lexer.blockTokens(text, []) };
    },
    html: none, tag: none, table: none, hr: none, lheading: none, def: none, reflink: none, code: none,
  },
  renderer: {
    image: ({ href, text }) => link(href, escape(text || href)),
    link({ href, title, tokens }: Tokens.Link) {
      return link(href, this.parser.parseInline(tokens), title ?? undefined);
    },
    heading({ tokens, depth }: Tokens.Heading) {
      const level = Math.min(depth, 3) + 2;
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
    },
    code: ({ text, lang }) => {
      const language = /^[\w+#-]{1,20}$/.exec(lang ?? '')?.[0].toLowerCase();
      return `<pre tabindex="0"><code${language ? ` class="language-${language}"` : ''}>${escape(text)}</code></pre>`;
    },
  },
});

const CLASSES = /^(mention( mine)?|spoiler|language-[\w+#-]+|hljs-[\w-]+( \w+_?)*)$/;

const purify = DOMPurify();
purify.addHook('uponSanitizeAttribute', (_, data) => {
  if (data.attrName === 'class' && !CLASSES.test(data.attrValue)) data.keepAttr = false;
});

/** Leaves of HTML only what messages may hold, whoever made it. */
export function sanitize(html: string): string {
  return purify.sanitize(html, {
    ALLOWED_TAGS: [
      'a', 'blockquote', 'br', 'code', 'del', 'em', 'h3', 'h4', 'h5', 'li', 'ol', 'p', 'pre', 'span', 'strong', 'time', 'u', 'ul',
    ],
    ALLOWED_ATTR: ['class', 'data-channel', 'data-role', 'data-user', 'href', 'rel', 'role', 'start', 'tabindex', 'target', 'title'],
    ALLOWED_URI_REGEXP: /^(https?:\/\/|mailto:)/i,
    // Their values are no addresses, which is what all others are taken for.
    ADD_URI_SAFE_ATTR: ['data-channel', 'data-role', 'data-user', 'rel', 'start', 'tabindex', 'target'],
    ALLOW_ARIA_ATTR: false,
    ALLOW_DATA_ATTR: false,
  });
}

/** Texts without any of this are shown as they are. */
const SPECIAL = /[*_~`|<>[\]#&\n\\@]|https?:|www\.|^\s*(?:[-+]|\d+[.)])\s|\S@\S/;
/** Texts that say the same whoever is called what. */
const NAMED = /<[@#t]|@(everyone|here)/;
const MOST_CACHED = 2_000;
const cache = new Map<string, string>();

/** Text with a few allowed tags that have no attributes needs no further look: most messages are so, and a parser is slow. */
const HARMLESS = /^(?:[^<>&]|&(?:amp|lt|gt|quot|#39);|<\/?(?:p|br|strong|em|del|u|code|blockquote|ul|li)>)*$/;

export function isPlain(text: string): boolean {
  return !SPECIAL.test(text);
}

export function render(text: string, using: Names): string {
  const isSame = !NAMED.test(text);
  const known = isSame ? cache.get(text) : undefined;
  if (known !== undefined) return known;
  names = using;
  const made = marked.parse(text, { async: false }).trim();
  const html = HARMLESS.test(made) ? made : sanitize(made);
  if (isSame) {
    if (cache.size >= MOST_CACHED) cache.delete(cache.keys().next().value!);
    cache.set(text, html);
  }
  return html;
}

/** A text in one line without its marks, for previews and notifications. */
export function plain(text: string, using: Pick<Names, 'user' | 'role' | 'channel'>): string {
  return text
    .replace(/```[\s\S]*?```/g, (block) => block.replace(/^```\S*|```$/g, ''))
    .replace(/<@!?(\d+)>/g, (_, id) => `@${using.user(id)}`)
    .replace(/<@&(\d+)>/g, (_, id) => `@${using.role(id)?.name ?? '…'}`)
    .replace(/<#(\d+)>/g, (_, id) => `#${using.channel(id) ?? '…'}`)
    .replace(/\|\|[\s\S]+?\|\|/g, '▮▮▮')
    .replace(/[*_~`]{1,3}(?=\S)|(?<=\S)[*_~`]{1,3}/g, '')
    .replace(/^(#{1,3}|>) /gm, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Whether a text is a few emoji and nothing else: they are shown large. */
export function isEmoji(text: string): boolean {
  const rest = text.replace(/\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|[\u200d\ufe0f\u20e3\s]|[#*0-9]\ufe0f/gu, '');
  return rest === '' && /\p{Extended_Pictographic}|\p{Regional_Indicator}/u.test(text) && [...text].length <= 60;
}
