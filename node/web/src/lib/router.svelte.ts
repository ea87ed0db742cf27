// Where one is, as the address says; and the way back.

import type { Id } from './api/types';
import { read, write } from './state/stored.svelte';

export type Place =
  | { at: 'start' }
  | { at: 'login' }
  | { at: 'register' }
  | { at: 'friends' }
  | { at: 'invite'; code: string }
  | { at: 'direct'; channel: Id; message?: Id }
  | { at: 'group'; group: Id; channel?: Id; message?: Id };

const isId = (text: string | undefined): text is Id => !!text && /^\d{1,20}$/.test(text);

export function parse(path: string): Place {
  const [first, second, third, fourth] = path.split('/').filter(Boolean);
  if (first === 'login' || first === 'register' || first === 'friends') return { at: first };
  if (first === 'invite' && second) return { at: 'invite', code: second };
  if (first === 'd' && isId(second)) return { at: 'direct', channel: second, message: isId(third) ? third : undefined };
  if (first === 'g' && isId(second)) {
    return { at: 'group', group: second, channel: isId(third) ? third : undefined, message: isId(fourth) ? fourth : undefined };
  }
  return { at: 'start' };
}

export function format(place: Place): string {
  const path = (...parts: (string | undefined)[]) => `/${parts.filter(Boolean).join('/')}`;
  switch (place.at) {
    case 'start':
      return '/';
    case 'invite':
      return path('invite', place.code);
    case 'direct':
      return path('d', place.channel, place.message);
    case 'group':
      return path('g', place.group, place.channel, place.message);
    default:
      return path(place.at);
  }
}

class Router {
  place = $state.raw<Place>(parse(location.pathname));
  /** Rises with every wish to go somewhere, also where one is: a message is jumped to again. */
  wish = $state(0);

  constructor() {
    addEventListener('popstate', () => {
      this.place = parse(location.pathname);
      this.wish++;
    });
  }

  go(place: Place, replace = false): void {
    const path = format(place);
    if (path !== location.pathname) history[replace ? 'replaceState' : 'pushState'](null, '', path);
    this.place = place;
    this.wish++;
    if (place.at === 'group' && place.channel) write(`last.${place.group}`, place.channel);
    if (place.at === 'group' || place.at === 'direct' || place.at === 'friends') write('last', { ...place, message: undefined });
  }

  /** The channel of a group where one was last. */
  last(group: Id): Id | undefined {
    return read<Id | undefined>(`last.${group}`, undefined);
  }

  /** Where one was last. */
  home(): Place {
    return read<Place>('last', { at: 'friends' });
  }

  get channel(): Id | undefined {
    return this.place.at === 'group' || this.place.at === 'direct' ? this.place.channel : undefined;
  }

  get group(): Id | undefined {
    return this.place.at === 'group' ? this.place.group : undefined;
  }
}

export const router = new Router();

/** Follows a link of our own without leaving the page. */
export function follow(event: MouseEvent): void {
  const link = (event.target as Element).closest?.('a');
  if (!link || link.origin !== location.origin || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  if (/^\/(attachments|avatars|icons|channel-icons|api)\//.test(link.pathname) || link.hasAttribute('download')) return;
  event.preventDefault();
  router.go(parse(link.pathname));
}
