import { describe, expect, it } from 'vitest';
import { Refusal, type Wire, makeRequest, readRefusal } from '../src/lib/api/client';

interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A wire that answers in turn; `null` is no answer at all. */
function wire(answers: (Answer | null)[], tokens: (string | null)[] = ['a', 'b']) {
  const asked: { path: string; init: RequestInit }[] = [];
  const slept: number[] = [];
  const own: Wire = {
    fetch: async (path, init) => {
      asked.push({ path, init });
      const answer = answers.shift();
      if (!answer) throw new TypeError('unreachable');
      const text = answer.body === undefined ? null : JSON.stringify(answer.body);
      return new Response(answer.status === 204 ? null : text, { status: answer.status, headers: answer.headers });
    },
    sleep: async (ms) => void slept.push(ms),
    token: async () => tokens[0] ?? null,
    renew: async () => tokens[1] ?? null,
  };
  return { request: makeRequest(own), asked, slept };
}

describe('a request', () => {
  it('carries the token and reads the answer', async () => {
    const { request, asked } = wire([{ status: 200, body: { id: '1' } }]);
    expect(await request('GET', '/users/@me')).toEqual({ id: '1' });
    expect(asked[0]!.path).toBe('/api/v10/users/@me');
    expect((asked[0]!.init.headers as Record<string, string>).Authorization).toBe('a');
  });

  it('waits as long as a rate limit says, and tries again', async () => {
    const { request, slept } = wire([{ status: 429, body: { retry_after: 1.5 } }, { status: 204 }]);
    await request('POST', '/x');
    expect(slept).toEqual([1_550]);
  });

  it('does not make somebody wait for minutes', async () => {
    const { request } = wire([{ status: 429, body: { retry_after: 300 } }]);
    await expect(request('POST', '/x')).rejects.toMatchObject({ status: 429, retryAfter: 300 });
  });

  it('repeats what has an unknown outcome only when that is harmless', async () => {
    for (const failure of [{ status: 503 }, null]) {
      const once = wire([failure, { status: 200, body: 1 }]);
      await expect(once.request('POST', '/x', { body: {} })).rejects.toBeInstanceOf(Refusal);
      expect(once.asked.length).toBe(1);
      const twice = wire([failure, { status: 200, body: 1 }]);
      expect(await twice.request('POST', '/x', { body: { nonce: '1' }, repeatable: true })).toBe(1);
      expect(twice.asked[0]!.init.body).toBe(twice.asked[1]!.init.body);
    }
  });

  it('gives up after a few tries', async () => {
    const { request, asked } = wire(Array(20).fill({ status: 503 }));
    await expect(request('GET', '/x')).rejects.toMatchObject({ status: 503 });
    expect(asked.length).toBe(5);
  });

  it('renews a refused token once', async () => {
    const { request, asked } = wire([{ status: 401 }, { status: 204 }]);
    await request('GET', '/x');
    expect((asked[1]!.init.headers as Record<string, string>).Authorization).toBe('b');
    const second = wire([{ status: 401 }, { status: 401 }]);
    await expect(second.request('GET', '/x')).rejects.toMatchObject({ status: 401 });
  });

  it('shows what is wrong with which field', () => {
    const body = { code: 50035, message: 'Invalid Form Body', errors: { username: { _errors: [{ code: 'X', message: 'taken' }] }, a: { 0: { _errors: [{ message: 'no' }] } } } };
    const refusal = readRefusal(400, JSON.stringify(body), null);
    expect(refusal.fields).toEqual({ username: 'taken', 'a.0': 'no' });
    expect(readRefusal(502, '<html>', '3')).toMatchObject({ status: 502, retryAfter: 3, fields: {} });
  });
});
