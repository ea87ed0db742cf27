// Files: where they are, and which may go with a message.

/** Files are served by whoever served the page, whatever name the node has for itself. */
export function local(url: string): string {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}

export const MOST_FILES = 10;
export const MOST_BYTES = 100 * 1024 * 1024;

/** The files of a drop or a paste. */
export function filesOf(data: DataTransfer | null): File[] {
  return data ? [...data.files] : [];
}

/** A picture as forms send it. */
export function asDataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
