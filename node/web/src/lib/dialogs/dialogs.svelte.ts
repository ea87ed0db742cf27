// The dialogs that are open, the last one on top.

import type { Id, Message } from '../api/types';

export interface Question {
  title: string;
  about: string;
  yes: string;
  danger?: boolean;
  /** Shown below the question. */
  message?: Message;
  /** Asks for a reason for the audit log. */
  reason?: boolean;
}

export type Opened =
  | { kind: 'newGroup'; tab?: 'create' | 'join' }
  | { kind: 'newChannel'; group: Id; parent?: Id; category?: boolean }
  | { kind: 'invite'; group: Id; channel: Id }
  | { kind: 'newDirect'; channel?: Id }
  | { kind: 'ban'; group: Id; user: Id }
  | { kind: 'timeout'; group: Id; user: Id }
  | { kind: 'image'; images: { url: string; name: string }[]; at: number }
  | { kind: 'switcher' }
  | { kind: 'keys' }
  | { kind: 'status' }
  | { kind: 'nick'; group: Id; user: Id }
  | { kind: 'rename'; channel: Id }
  | { kind: 'userSettings'; page?: string }
  | { kind: 'groupSettings'; group: Id; page?: string }
  | { kind: 'channelSettings'; group: Id; channel: Id; page?: string }
  | { kind: 'confirm'; question: Question; answer: (said: { reason: string } | null) => void };

class Dialogs {
  open = $state.raw<Opened[]>([]);

  show(dialog: Opened): void {
    this.open = [...this.open.filter(({ kind }) => kind !== dialog.kind), dialog];
  }

  close(dialog: Opened): void {
    this.open = this.open.filter((other) => other !== dialog);
  }

  closeAll(): void {
    for (const dialog of this.open) if (dialog.kind === 'confirm') dialog.answer(null);
    this.open = [];
  }

  /** Asks before something that cannot be taken back. */
  confirm(question: Question): Promise<{ reason: string } | null> {
    return new Promise((answer) => this.show({ kind: 'confirm', question, answer }));
  }
}

export const dialogs = new Dialogs();
