// What is open on the page, beside where one is.

import { SvelteMap } from 'svelte/reactivity';
import type { Id, Message } from '../api/types';

class View {
  /** On a phone: the groups and channels lie over the conversation. */
  drawer = $state(false);
  /** On a phone: so do the members. */
  people = $state(false);
  pins = $state(false);
  /** What is written in a voice channel, beside the call. */
  chat = $state(false);
  /** The message that is being changed. */
  editing = $state<Id | null>(null);
  /** What was typed there and is not saved: it outlives its row, and a refusal. */
  edited: { readonly id: Id; readonly text: string } | null = null;
  /** What the next message of a channel answers, and whether its author is notified. */
  readonly replies = new SvelteMap<Id, { message: Message; ping: boolean }>();
  /** Files that go with the next message of a channel. */
  readonly files = new SvelteMap<Id, File[]>();

  reply(message: Message): void {
    this.replies.set(message.channel_id, { message, ping: true });
    focusComposer();
  }
}

/** Puts the caret where one writes. */
export function focusComposer(): void {
  document.querySelector<HTMLTextAreaElement>('#composer')?.focus();
}

export const view = new View();
