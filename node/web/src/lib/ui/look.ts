// Small things about how names and numbers look.

/** A colour of its own for whatever has an id. */
export function hueOf(id: string): number {
  let hash = 7;
  for (const c of id) hash = (hash * 31 + c.charCodeAt(0)) % 3600;
  // Golden steps: neighbours differ.
  return Math.round((hash * 137.5) % 360);
}

/** The first letters of the first words of a name. */
export function initials(name: string, most = 2): string {
  const words = name.trim().split(/[\s_-]+/).filter(Boolean);
  const letters = words.slice(0, most).map((word) => [...word][0] ?? '');
  return letters.join('').toLocaleUpperCase() || '?';
}

export const hex = (colour: number) => `#${colour.toString(16).padStart(6, '0')}`;

export const short = (count: number) => (count > 99 ? '99+' : String(count));
