// Debian's Chromium, headless.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const found = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => path && existsSync(path));

/** `asks`: what pages want to use is asked for, and forbidden where a scenario does not allow it. */
export function browser({ asks = false } = {}) {
  if (!found) throw new Error('no Chromium: apt-get install chromium, or say where it is in CHROMIUM');
  return chromium.launch({
    executablePath: found,
    args: [
      '--no-sandbox', '--disable-gpu', '--use-fake-device-for-media-stream', ...(asks ? [] : ['--use-fake-ui-for-media-stream']),
      '--autoplay-policy=no-user-gesture-required', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });
}
