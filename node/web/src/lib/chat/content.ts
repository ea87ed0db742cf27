// What a message may say.

/** Characters, as the server counts them. */
export const MOST_CHARS = 2_000;

export const lengthOf = (content: string): number => [...content].length;
