// Draws the icons of the installed client out of its SVG. Run by hand when the SVG changes: `npm run icons`.
import { readFileSync, writeFileSync } from 'node:fs';
import { browser } from './lib/browser.js';

const folder = new URL('../../node/web/public/', import.meta.url);
const svg = readFileSync(new URL('icon.svg', folder), 'utf8');

const chromium = await browser();
for (const { name, size, maskable } of [
  { name: 'icon-192.png', size: 192 },
  { name: 'icon-512.png', size: 512 },
  // Systems cut their own shape out of it: the colour goes to the edges, the bird stays in the middle.
  { name: 'icon-maskable.png', size: 512, maskable: true },
]) {
  const page = await chromium.newPage({ viewport: { width: size, height: size } });
  const inner = maskable ? size * 0.8 : size;
  await page.setContent(`<body style="margin:0;display:grid;place-items:center;height:100vh;${maskable ? 'background:#f2a65a' : ''}">${svg.replace('<svg ', `<svg width="${inner}" height="${inner}" `)}</body>`);
  writeFileSync(new URL(name, folder), await page.screenshot({ omitBackground: true }));
  await page.close();
}
await chromium.close();
