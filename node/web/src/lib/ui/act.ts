// Doing something and saying so when it is refused.

import { Refusal } from '../api/client';
import { t } from '../text';
import { toasts } from './toasts.svelte';

/** A refusal in the person's words. */
export function explain(error: unknown): string {
  if (!(error instanceof Refusal)) return t.errors.unknown;
  if (error.status === 0) return t.errors.unreachable;
  const byCode = t.errors.codes[error.code as keyof typeof t.errors.codes];
  if (byCode) return byCode;
  if (error.status === 429) return t.errors.tooFast(Math.ceil(error.retryAfter ?? 1));
  if (error.status === 503) return t.errors.busy;
  const field = Object.values(error.fields)[0];
  return field || error.message || t.errors.unknown;
}

/** Runs it; a refusal is told in a toast. Answers whether it went well. */
export async function act(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work();
    if (done) toasts.say(done);
    return true;
  } catch (error) {
    toasts.complain(explain(error));
    return false;
  }
}

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toasts.say(t.copied);
  } catch {
    toasts.complain(t.errors.clipboard);
  }
}
