// A value that outlives the page, in this browser, and is the same in all its tabs.

const PREFIX = 'rookery.';

export interface Stored<T> {
  value: T;
}

/** What cannot be kept (a full or forbidden storage) is kept in memory; answers whether it was kept. */
export function write(key: string, value: unknown): boolean {
  try {
    if (value === undefined) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

export function read<T>(key: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(PREFIX + key);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

/** Another tab wrote it. */
export function onStored(key: string, changed: () => void): void {
  addEventListener('storage', (event) => {
    if (event.key === PREFIX + key) changed();
  });
}

export function stored<T>(key: string, otherwise: T): Stored<T> {
  let value = $state.raw(read(key, otherwise));
  onStored(key, () => (value = read(key, otherwise)));
  return {
    get value() {
      return value;
    },
    set value(next: T) {
      value = next;
      write(key, next);
    },
  };
}
