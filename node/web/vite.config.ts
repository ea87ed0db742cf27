import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// A node to talk to while developing: `npm run dev` and ROOKERY_URL, by default the one of `cargo run`.
const node = process.env.ROOKERY_URL ?? 'http://127.0.0.1:8080';
const served = ['/api', '/attachments', '/avatars', '/icons', '/channel-icons', '/embed'];

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    // What is inlined as a data: URL would need leave in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      ...Object.fromEntries(served.map((path) => [path, node])),
      '/gateway': { target: node, ws: true },
      '/voice': { target: node, ws: true },
    },
  },
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  test: { environment: 'jsdom', include: ['tests/**/*.test.ts'] },
});
