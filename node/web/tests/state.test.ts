import { describe, expect, it } from 'vitest';
import type { Channel, Group, ListUpdate, Message } from '../src/lib/api/types';
import { buildRows, grewAtStart } from '../src/lib/chat/rows';
import { compare, firstOf, isNewer, madeAt, nonce } from '../src/lib/ids';
import { P, inChannel, inGroup, rank } from '../src/lib/permissions';
import { directAfter } from '../src/lib/state/directs.svelte';
import { drafts } from '../src/lib/state/drafts.svelte';
import { groupAfter, groups, sections } from '../src/lib/state/groups.svelte';
import { rangesFor, rowsAfter } from '../src/lib/state/memberlist.svelte';
import { colourOf } from '../src/lib/state/members.svelte';
import { type Timeline, joined, messages, nothing, reacted, received, removed, timelineAfter } from '../src/lib/state/messages.svelte';
import { readAfterAck, readAfterMessage, unread } from '../src/lib/state/reads.svelte';

const START = Date.UTC(2026, 0, 5, 12);

/** The message of a minute. */
function message(minute: number, author = 'ada', more: Partial<Message> = {}): Message {
  const at = START + minute * 60_000;
  return {
    id: firstOf(at), channel_id: '1', type: 0, author: { id: author, username: author, global_name: null, avatar: null }, content: `m${minute}`,
    timestamp: new Date(at).toISOString(), edited_timestamp: null, mention_everyone: false, mentions: [], mention_roles: [], attachments: [], embeds: [], pinned: false, ...more,
  };
}

const live: Timeline = { items: [], hasOlder: false, hasNewer: false, isStale: false };
const of = (...minutes: number[]): Timeline => ({ ...live, items: minutes.map((minute) => message(minute)) });
const words = ({ items }: Timeline) => items.map(({ content }) => content).join(' ');

describe('ids', () => {
  it('sort by age, whatever their length', () => {
    expect(['100', '99', '1000'].sort(compare)).toEqual(['99', '100', '1000']);
    expect(isNewer('100', '99')).toBe(true);
    expect(isNewer(null, '99')).toBe(false);
    expect(isNewer('1', null)).toBe(true);
    expect(madeAt(firstOf(START))).toBe(START);
  });

  it('nonces are short and different', () => {
    const many = new Set(Array.from({ length: 1_000 }, nonce));
    expect(many.size).toBe(1_000);
    for (const one of many) expect(one.length).toBeLessThanOrEqual(25);
  });
});

describe('a timeline', () => {
  it('takes messages in order, each once', () => {
    let timeline = of(1, 2);
    for (const minute of [4, 3, 4]) timeline = received(timeline, message(minute));
    expect(words(timeline)).toBe('m1 m2 m3 m4');
  });

  it('shows nothing new while it ends before the present, or must be read again', () => {
    expect(words(received({ ...of(1), hasNewer: true }, message(2)))).toBe('m1');
    expect(received(nothing, message(2))).toBe(nothing);
  });

  it('joins pages without holes or doubles', () => {
    const page = [4, 3, 2, 1].map((minute) => message(minute));
    const newest = joined(nothing, page, 'newest', 4);
    expect(words(newest)).toBe('m1 m2 m3 m4');
    expect(newest.hasOlder).toBe(true);
    const older = joined(of(3, 4), [3, 2, 1].map((minute) => message(minute)), 'older', 4);
    expect(words(older)).toBe('m1 m2 m3 m4');
    expect(older.hasOlder).toBe(false);
    const newer = joined({ ...of(1, 2), hasNewer: true }, [3, 2].map((minute) => message(minute)), 'newer', 4);
    expect(words(newer)).toBe('m1 m2 m3');
    expect(newer.hasNewer).toBe(false);
  });

  it('forgets what is deleted, also in answers to it', () => {
    const timeline = received(of(1, 2), message(3, 'ben', { referenced_message: message(2) }));
    const after = removed(timeline, [message(2).id]);
    expect(words(after)).toBe('m1 m3');
    expect(after.items[1]!.referenced_message).toBeNull();
    expect(removed(after, ['404'])).toBe(after);
  });

  it('changes in place and keeps whose reactions they are', () => {
    const reactions = [{ count: 2, me: true, emoji: { id: null, name: '👍' } }];
    const timeline = { ...live, items: [message(1, 'ada', { reactions })] };
    const data = { ...message(1, 'ada', { content: 'new' }), reactions: [{ ...reactions[0]!, me: false }] };
    const after = timelineAfter(timeline, 'MESSAGE_UPDATE', data, 'ben');
    expect(after.items[0]).toMatchObject({ content: 'new', reactions });
  });

  it('counts reactions, one\'s own only once', () => {
    let list = reacted(undefined, '👍', 1, true);
    expect(list).toEqual([{ count: 1, me: true, emoji: { id: null, name: '👍' } }]);
    list = reacted(list, '👍', 1, true);
    list = reacted(list, '👍', 1, false);
    expect(list[0]).toMatchObject({ count: 2, me: true });
    list = reacted(list, '👍', -1, true);
    list = reacted(list, '👍', -1, true);
    expect(list[0]).toMatchObject({ count: 1, me: false });
    expect(reacted(list, '👍', -1, false)).toEqual([]);
  });
});

describe('histories', () => {
  it('are read again when one comes back to a group', () => {
    messages.all.set('10', of(1));
    messages.all.set('11', of(1));
    messages.fold('GUILD_CREATE', { ...group(), members: [] });
    expect(messages.of('10')).toMatchObject({ isStale: true, items: [{ content: 'm1' }] });
    expect(messages.of('11').isStale).toBe(false);
    messages.all.clear();
  });
});

describe('drafts', () => {
  const hide = () => dispatchEvent(new Event('pagehide'));
  const kept = () => Object.fromEntries(JSON.parse(localStorage.getItem('rookery.drafts') ?? '[]'));
  /** What another tab writes, with or without this one having heard of it. */
  const elsewhere = (all: Record<string, string>, isHeard: boolean) => {
    localStorage.setItem('rookery.drafts', JSON.stringify(Object.entries(all)));
    if (isHeard) dispatchEvent(new StorageEvent('storage', { key: 'rookery.drafts' }));
  };

  it('of several tabs do not overwrite each other', () => {
    drafts.set('1', 'here');
    hide();
    elsewhere({ 1: 'here', 2: 'there' }, false);
    hide();
    expect(kept()).toEqual({ 1: 'here', 2: 'there' });
    drafts.set('3', 'here, too');
    hide();
    expect(kept()).toEqual({ 1: 'here', 2: 'there', 3: 'here, too' });
    // Sent there, so it does not come back here.
    elsewhere({ 2: 'there', 3: 'here, too' }, true);
    expect(drafts.get('1')).toBe('');
    drafts.set('3', '');
    hide();
    expect(kept()).toEqual({ 2: 'there' });
    expect(drafts.get('2')).toBe('there');
  });
});

describe('rows', () => {
  const marks = { unreadAfter: null, me: 'me', isBlocked: (user: string) => user === 'foe' };
  const kinds = (rows: ReturnType<typeof buildRows>) => rows.map((row) => (row.kind === 'message' ? (row.head ? 'head' : 'tail') : row.kind)).join(' ');

  it('group an author\'s messages, part days, and begin with the beginning', () => {
    const items = [message(0), message(1), message(20), message(21, 'ben'), message(22, 'ben', { type: 19 }), message(60 * 24)];
    expect(kinds(buildRows({ ...live, items }, [], marks))).toBe('start day head tail head head head day head');
  });

  it('say where the new ones begin, and fold away those of who is blocked', () => {
    const items = [message(0), message(1), message(2, 'foe'), message(3, 'foe'), message(4)];
    const rows = buildRows({ ...live, items, hasOlder: true }, [], { ...marks, unreadAfter: message(0).id });
    expect(kinds(rows)).toBe('day head new head blocked head');
    expect(rows[4]).toMatchObject({ kind: 'blocked', messages: [{ content: 'm2' }, { content: 'm3' }] });
  });

  it('keep their key from sending to having arrived', () => {
    const pending = { nonce: '77', channel: '1', content: 'x', replyTo: null, pingReply: true, files: [], at: START, progress: 0, isWaiting: false, failed: null };
    const before = buildRows(live, [pending], marks);
    const after = buildRows({ ...live, items: [message(0, 'me', { nonce: '77' })] }, [], marks);
    expect(before.at(-1)!.key).toBe(after.at(-1)!.key);
  });

  it('know when they grew at the start', () => {
    const short = buildRows({ ...of(5, 6), hasOlder: true }, [], marks);
    const long = buildRows({ ...of(3, 4, 5, 6), hasOlder: true }, [], marks);
    const later = buildRows({ ...of(5, 6, 7), hasOlder: true }, [], marks);
    expect(grewAtStart(short, long)).toBe(true);
    expect(grewAtStart(short, later)).toBe(false);
    expect(grewAtStart([], long)).toBe(false);
  });
});

function channel(id: string, more: Partial<Channel> = {}): Channel {
  return { id, type: 0, name: id, position: 0, parent_id: null, topic: null, nsfw: false, rate_limit_per_user: 0, last_message_id: null, permission_overwrites: [], ...more };
}

function group(more: Partial<Group> = {}): Group {
  const role = (id: string, position: number, permissions: bigint, color = 0) => ({ id, name: id, color, hoist: false, position, permissions: String(permissions), managed: false, mentionable: false });
  return {
    id: '1', name: 'g', icon: null, description: null, owner_id: 'owner', system_channel_id: null, joined_at: '', member_count: 1,
    roles: [role('1', 0, P.VIEW_CHANNEL | P.SEND_MESSAGES | P.MENTION_EVERYONE), role('2', 1, P.KICK_MEMBERS, 0xff0000), role('3', 2, P.ADMINISTRATOR, 0x00ff00)],
    channels: [channel('10')], ...more,
  };
}

describe('permissions', () => {
  const may = (overwrites: Channel['permission_overwrites'], roles: string[], permission: bigint, timeout?: string) =>
    (inChannel(group(), channel('10', { permission_overwrites: overwrites }), { id: 'ada', roles, timeout }, START) & permission) !== 0n;
  const deny = (id: string, type: 0 | 1, bits: bigint) => ({ id, type, allow: '0', deny: String(bits) });
  const allow = (id: string, type: 0 | 1, bits: bigint) => ({ id, type, allow: String(bits), deny: '0' });

  it('of the owner and of administrators know no limits', () => {
    expect(inGroup(group(), { id: 'owner', roles: [] }) & P.BAN_MEMBERS).not.toBe(0n);
    expect(may([deny('3', 0, P.VIEW_CHANNEL)], ['3'], P.VIEW_CHANNEL)).toBe(true);
  });

  it('of members win over those of roles, which win over everyone\'s', () => {
    expect(may([deny('1', 0, P.SEND_MESSAGES)], [], P.SEND_MESSAGES)).toBe(false);
    expect(may([deny('1', 0, P.SEND_MESSAGES), allow('2', 0, P.SEND_MESSAGES)], ['2'], P.SEND_MESSAGES)).toBe(true);
    expect(may([allow('2', 0, P.SEND_MESSAGES), deny('ada', 1, P.SEND_MESSAGES)], ['2'], P.SEND_MESSAGES)).toBe(false);
  });

  it('without seeing there is nothing, without writing no mentions, in a time-out only reading', () => {
    expect(may([deny('1', 0, P.VIEW_CHANNEL)], ['2'], P.SEND_MESSAGES)).toBe(false);
    expect(may([deny('1', 0, P.SEND_MESSAGES)], [], P.MENTION_EVERYONE)).toBe(false);
    expect(may([], [], P.SEND_MESSAGES, new Date(START + 1_000).toISOString())).toBe(false);
    expect(may([], [], P.VIEW_CHANNEL, new Date(START + 1_000).toISOString())).toBe(true);
    expect(may([], [], P.SEND_MESSAGES, new Date(START - 1_000).toISOString())).toBe(true);
  });

  it('ranks are those of the highest role', () => {
    expect(rank(group(), { id: 'ada', roles: ['2', '3'] })).toBe(2);
    expect(rank(group(), { id: 'ada', roles: [] })).toBe(0);
    expect(rank(group(), { id: 'owner', roles: [] })).toBe(Infinity);
    expect(colourOf(group().roles, ['2', '3'])).toBe(0x00ff00);
  });
});

describe('groups', () => {
  it('follow their channels and roles, and forget themselves', () => {
    let one = groupAfter(undefined, 'GUILD_CREATE', { ...group(), members: [1], presences: [] })!;
    expect('members' in one).toBe(false);
    one = groupAfter(one, 'CHANNEL_CREATE', channel('11'))!;
    one = groupAfter(one, 'CHANNEL_UPDATE', channel('11', { name: 'x' }))!;
    expect(one.channels.map(({ name }) => name)).toEqual(['10', 'x']);
    one = groupAfter(one, 'CHANNEL_DELETE', { id: '10' })!;
    one = groupAfter(one, 'GUILD_ROLE_DELETE', { role_id: '2' })!;
    expect([one.channels.length, one.roles.length]).toEqual([1, 2]);
    expect(groupAfter(one, 'GUILD_DELETE', { id: '1', unavailable: true })).toBe(one);
    expect(groupAfter(one, 'GUILD_DELETE', { id: '1' })).toBeUndefined();
  });

  it('show channels by category and place, voice below text', () => {
    const list = [channel('a', { type: 2, position: 0 }), channel('b', { position: 1 }), channel('c', { type: 4 }), channel('d', { parent_id: 'c', position: 2 }), channel('e', { parent_id: 'c', position: 1 }), channel('f', { parent_id: 'gone' })];
    expect(sections(list).map(({ category, channels }) => [category?.id, channels.map(({ id }) => id).join('')])).toEqual([[undefined, 'fba'], ['c', 'ed']]);
  });
});

describe('the newest message of a channel', () => {
  it('is not forgotten for what is told late', () => {
    groups.fold('GUILD_CREATE', { ...group(), channels: [channel('10', { last_message_id: '5' })], members: [] });
    groups.heard('10', '7');
    groups.fold('CHANNEL_UPDATE', { ...channel('10', { last_message_id: '6' }), guild_id: '1' });
    expect(groups.last('10')).toBe('7');
    expect(groups.last('404')).toBeNull();
  });
});

describe('read states', () => {
  it('only go forward, and count mentions', () => {
    const read = readAfterMessage(readAfterMessage(unread, true), false);
    expect(read.mentions).toBe(1);
    expect(readAfterAck({ last: '9', mentions: 3 }, '5', 0)).toEqual({ last: '9', mentions: 0 });
  });
});

describe('direct channels', () => {
  it('follow who comes and goes', () => {
    const user = (id: string) => ({ id, username: id, global_name: null, avatar: null });
    let one = directAfter(undefined, 'CHANNEL_CREATE', { id: '1', type: 3, recipients: [user('a')], last_message_id: null })!;
    one = directAfter(one, 'CHANNEL_RECIPIENT_ADD', { user: user('b') })!;
    one = directAfter(one, 'CHANNEL_RECIPIENT_ADD', { user: user('b') })!;
    one = directAfter(one, 'CHANNEL_RECIPIENT_REMOVE', { user: user('a') })!;
    expect(one.recipients.map(({ id }) => id)).toEqual(['b']);
    expect(directAfter(one, 'CHANNEL_DELETE', {})).toBeUndefined();
  });
});

describe('the member list', () => {
  it('keeps the rows that did not come', () => {
    const heading = (id: string, count: number) => ({ group: { id, count } });
    const update = (items: unknown[], range: [number, number], count: number) => ({ groups: [{ id: 'online', count }], ops: [{ op: 'SYNC', range, items }] }) as unknown as ListUpdate;
    let rows = rowsAfter([], update([heading('online', 3), 'a', 'b'], [0, 2], 3));
    expect(rows).toEqual([heading('online', 3), 'a', 'b', null]);
    rows = rowsAfter(rows, update(['c'], [3, 3], 3));
    expect(rows.at(-1)).toBe('c');
    expect(rowsAfter(rows, update([heading('online', 1), 'a'], [0, 2], 1)).length).toBe(2);
  });

  it('looks at the top and at what is shown', () => {
    expect(rangesFor(0, 50)).toEqual([[0, 99]]);
    expect(rangesFor(350, 420)).toEqual([[0, 99], [300, 399], [400, 499]]);
  });
});
