// Messages on their way: shown at once, sent in order, tried again by themselves while that helps, and then by hand.

import { SvelteMap } from 'svelte/reactivity';
import { Refusal } from '../api/client';
import * as api from '../api/routes';
import type { Id, Message } from '../api/types';
import { upload } from '../api/upload';
import { connection } from '../gateway/socket.svelte';
import { nonce } from '../ids';
import { me } from './me.svelte';
import { messages } from './messages.svelte';

export interface Pending {
  readonly nonce: string;
  readonly channel: Id;
  readonly content: string;
  readonly replyTo: Message | null;
  readonly pingReply: boolean;
  readonly files: readonly File[];
  readonly at: number;
  /** Of the files, from 0 to 1. */
  readonly progress: number;
  /** For the connection. */
  readonly isWaiting: boolean;
  /** Why it did not go. */
  readonly failed: string | null;
}

/** The server remembers a nonce for ten minutes. */
const INSIST_MS = 9 * 60_000;

/** What the message says of a refusal; set by the texts. */
export type Explain = (refusal: Refusal) => string;

class Outbox {
  readonly #all = new SvelteMap<Id, readonly Pending[]>();
  readonly #running = new Map<Id, Promise<void>>();
  readonly #aborts = new Map<string, AbortController>();
  explain: Explain = (refusal) => refusal.message;

  in(channel: Id): readonly Pending[] {
    return this.#all.get(channel) ?? [];
  }

  get isEmpty(): boolean {
    return [...this.#all.values()].every((list) => list.length === 0);
  }

  send(channel: Id, content: string, options: { replyTo?: Message | null; pingReply?: boolean; files?: File[] } = {}): void {
    const pending: Pending = {
      nonce: nonce(), channel, content, replyTo: options.replyTo ?? null, pingReply: options.pingReply ?? true,
      files: options.files ?? [], at: Date.now(), progress: 0, isWaiting: false, failed: null,
    };
    this.#all.set(channel, [...this.in(channel), pending]);
    this.#queue(pending);
  }

  retry(pending: Pending): void {
    const again = { failed: null, progress: 0, at: Date.now() };
    this.#change(pending, again);
    this.#queue({ ...pending, ...again });
  }

  /** Gives one up; one that is being sent is stopped. */
  discard(pending: Pending): void {
    this.#aborts.get(pending.nonce)?.abort();
    this.#drop(pending.channel, pending.nonce);
  }

  #queue(pending: Pending): void {
    const before = this.#running.get(pending.channel) ?? Promise.resolve();
    const running = before.then(() => this.#send(pending));
    this.#running.set(pending.channel, running);
  }

  async #send({ nonce, channel }: Pending): Promise<void> {
    const pending = this.in(channel).find((other) => other.nonce === nonce);
    if (!pending) return;
    const abort = new AbortController();
    this.#aborts.set(nonce, abort);
    const body: Record<string, unknown> = { content: pending.content, nonce, enforce_nonce: true };
    if (pending.replyTo) {
      body.message_reference = { message_id: pending.replyTo.id, fail_if_not_exists: false };
      body.allowed_mentions = { parse: ['users', 'roles', 'everyone'], replied_user: pending.pingReply };
    }
    try {
      const message = await this.#insist(pending, body, abort.signal);
      messages.apply(channel, 'MESSAGE_CREATE', message);
      this.#drop(channel, nonce);
    } catch (error) {
      if (abort.signal.aborted) return;
      const failed = error instanceof Refusal ? this.explain(error) : String(error);
      this.#change(pending, { failed, isWaiting: false });
    } finally {
      this.#aborts.delete(nonce);
    }
  }

  /** Sends it, again with every connection as long as the server would know it again by its nonce. */
  async #insist(pending: Pending, body: Record<string, unknown>, signal: AbortSignal): Promise<Message> {
    const { channel, files } = pending;
    for (;;) {
      try {
        if (!files.length) return await api.messages.send(channel, body);
        return await upload(channel, body, files, (progress) => this.#change(pending, { progress }), signal);
      } catch (error) {
        const isAway = error instanceof Refusal && (error.status === 0 || error.status >= 502);
        if (signal.aborted || !isAway || Date.now() - pending.at > INSIST_MS) throw error;
        this.#change(pending, { isWaiting: true });
        await connection.comesBack();
        if (signal.aborted) throw error;
        this.#change(pending, { isWaiting: false });
      }
    }
  }

  #change({ nonce, channel }: Pending, change: Partial<Pending>): void {
    const list = this.in(channel);
    this.#all.set(channel, list.map((other) => (other.nonce === nonce ? { ...other, ...change } : other)));
  }

  #drop(channel: Id, nonce: string): void {
    this.#all.set(channel, this.in(channel).filter((other) => other.nonce !== nonce));
  }

  fold(event: string, data: any): void {
    if (event === 'MESSAGE_CREATE' && data.author.id === me.id && data.nonce) {
      const { channel_id, nonce } = data as Message;
      if (this.in(channel_id).some((pending) => pending.nonce === nonce)) this.#drop(channel_id, String(nonce));
    }
  }
}

export const outbox = new Outbox();
