// Writes the compressed variants of the built files, with compressors that give the same bytes on every machine.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { gzipSync } from 'fflate';

const dist = new URL('../dist', import.meta.url).pathname;
const worthIt = /\.(html|js|css|json|svg|webmanifest|txt)$/;

// Its module for browsers fetches the WebAssembly; the one for Node reads it.
const { compress } = createRequire(import.meta.url)('brotli-wasm');
for (const name of readdirSync(dist, { recursive: true })) {
  const path = join(dist, name);
  if (!statSync(path).isFile() || !worthIt.test(name)) continue;
  const plain = readFileSync(path);
  for (const [ending, small] of [
    ['.br', compress(plain, { quality: 11 })],
    ['.gz', gzipSync(plain, { level: 9, mtime: 0 })],
  ]) {
    if (small.length < plain.length) writeFileSync(path + ending, small);
  }
}
