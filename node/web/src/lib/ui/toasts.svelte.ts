// Short words about what happened, which go away by themselves.

export interface Toast {
  id: number;
  text: string;
  kind: 'info' | 'bad';
}

const LASTS_MS = 5_000;
const MOST = 3;

class Toasts {
  list = $state.raw<Toast[]>([]);
  #next = 1;

  #add(text: string, kind: Toast['kind']): void {
    if (this.list.some((toast) => toast.text === text)) return;
    const toast = { id: this.#next++, text, kind };
    this.list = [...this.list, toast].slice(-MOST);
    setTimeout(() => this.drop(toast.id), kind === 'bad' ? LASTS_MS * 1.5 : LASTS_MS);
  }

  say(text: string): void {
    this.#add(text, 'info');
  }

  complain(text: string): void {
    this.#add(text, 'bad');
  }

  drop(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
