// axe-core on a page as it is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Adds the serious and critical violations of the page as it is. */
export async function look(on, what, found) {
  // In a world of its own: the page's policy runs no foreign scripts.
  const session = await on.context().newCDPSession(on);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, grantUniveralAccess: true });
  const run = (expression) => session.send('Runtime.evaluate', { expression, contextId: executionContextId, awaitPromise: true, returnByValue: true });
  await run(`${axe};0`);
  const { result, exceptionDetails } = await run(`axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + n.failureSummary.split('\\n')[1]).join(' | ')))`);
  assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
  found.push(...result.value.map((fault) => `${what}: ${fault}`));
}
