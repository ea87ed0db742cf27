// The one menu, the one card and the one emoji picker that can be open, and beside what they are.

import type { Component } from 'svelte';
import type { Id } from '../api/types';

export interface MenuItem {
  label: string;
  icon?: Component<any>;
  run: () => void;
  danger?: boolean;
  disabled?: boolean;
  /** A line above it. */
  apart?: boolean;
  checked?: boolean;
  /** A number to be set in the menu, which stays open: its name says the number. */
  slider?: { value: () => number; most: number; step: number; set: (value: number) => void; name: (value: number) => string };
}

/** A place on the page to float beside. */
export interface Anchor {
  getBoundingClientRect: () => DOMRect;
}

function at(x: number, y: number): Anchor {
  return { getBoundingClientRect: () => new DOMRect(x, y, 0, 0) };
}

class Floats {
  menu = $state.raw<{ anchor: Anchor; items: MenuItem[]; label: string; back: HTMLElement | null; isPoint: boolean } | null>(null);
  card = $state.raw<{ anchor: Anchor; user: Id; group?: Id } | null>(null);
  emoji = $state.raw<{ anchor: Anchor; pick: (emoji: string) => void; stays: boolean } | null>(null);

  /** Opens a menu where one clicked, or at the thing that has the focus. */
  openMenu(event: MouseEvent | KeyboardEvent, label: string, items: MenuItem[], below?: HTMLElement): void {
    event.preventDefault();
    event.stopPropagation();
    const target = event.currentTarget as HTMLElement;
    const byKey = !(event instanceof MouseEvent) || (event.type === 'contextmenu' && event.clientX === 0 && event.clientY === 0);
    const point = !below && !byKey && event instanceof MouseEvent;
    const back = document.activeElement instanceof HTMLElement ? document.activeElement : target;
    this.menu = { anchor: point ? at(event.clientX, event.clientY) : (below ?? target), items, label, back, isPoint: point };
  }

  /** Another menu in place of the one in which something was just chosen. */
  nextMenu(label: string, items: MenuItem[]): void {
    const before = this.menu;
    // The chosen one is closed first.
    setTimeout(() => {
      if (before) this.menu = { ...before, label, items };
    });
  }

  openCard(anchor: HTMLElement, user: Id, group?: Id): void {
    const box = anchor.getBoundingClientRect();
    // The row may be drawn anew meanwhile: the card stays where it was opened.
    this.card = { anchor: { getBoundingClientRect: () => box }, user, group };
  }

  pickEmoji(anchor: HTMLElement, pick: (emoji: string) => void, stays = false): void {
    const box = anchor.getBoundingClientRect();
    this.emoji = { anchor: { getBoundingClientRect: () => box }, pick, stays };
  }
}

export const floats = new Floats();
