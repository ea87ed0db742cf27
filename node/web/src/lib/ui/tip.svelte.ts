// Names of things, shown beside what one points at or has reached by keyboard. One for the whole page: a component for each
// button would be made and thrown away with every message that scrolls by.

import type { Attachment } from 'svelte/attachments';

export type Side = 'top' | 'bottom' | 'left' | 'right';

export interface Tip {
  text: string;
  keys?: string;
  /** Shown large in front of it. */
  sign?: string;
  side?: Side;
}

const DELAY_MS = 350;
/** Who has just seen one need not wait for the next. */
const WARM_MS = 300;

class Tips {
  shown = $state.raw<{ tip: () => Tip; box: DOMRect; node: Element } | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hiddenAt = 0;

  show(node: Element, tip: () => Tip): void {
    clearTimeout(this.#timer);
    const wait = Date.now() - this.#hiddenAt < WARM_MS ? 0 : DELAY_MS;
    this.#timer = setTimeout(() => {
      if (node.isConnected) this.shown = { tip, box: node.getBoundingClientRect(), node };
    }, wait);
  }

  hide(node?: Element): void {
    clearTimeout(this.#timer);
    if (!this.shown || (node && this.shown.node !== node)) return;
    this.shown = null;
    this.#hiddenAt = Date.now();
  }
}

export const tips = new Tips();

export function tip(what: () => Tip, begin?: () => void): Attachment {
  return (node) => {
    const show = (event: Event) => {
      if (event instanceof PointerEvent && event.pointerType === 'touch') return;
      if (event.type === 'focus' && !node.matches(':focus-visible')) return;
      begin?.();
      tips.show(node, what);
    };
    const hide = () => tips.hide(node);
    const events: [string, (event: Event) => void][] = [
      ['pointerenter', show], ['focus', show], ['pointerleave', hide], ['blur', hide], ['pointerdown', hide], ['dragstart', hide],
    ];
    for (const [name, listener] of events) node.addEventListener(name, listener);
    return () => {
      for (const [name, listener] of events) node.removeEventListener(name, listener);
      hide();
    };
  };
}
