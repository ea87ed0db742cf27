// discord.js, unmodified but for its base URL, chats with a Rookery server and resumes a cut connection.
// Prints what it checked; ends with status 1 at the first thing that is not so.
'use strict';

const diagnostics = require('node:diagnostics_channel');
const { once } = require('node:events');
const { Events, GatewayIntentBits, Status } = require('discord.js');
const lib = require('./lib.js');
const { assert, checked, fail, person } = lib;

const { GROUP, CHANNEL } = process.env;

// Every TCP connection this process opens, so that they can be cut below the library.
const sockets = new Set();
diagnostics.subscribe('net.client.socket', ({ socket }) => {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
});

const client = lib.newClient({
  intents: [
    GatewayIntentBits.Guilds,
    GatewayIntentBits.GuildMembers,
    GatewayIntentBits.GuildMessages,
    GatewayIntentBits.GuildMessageTyping,
    GatewayIntentBits.MessageContent,
  ],
});
const next = (event, wanted) => lib.next(client, event, wanted);
const say = (content) => person('POST', `/channels/${CHANNEL}/messages`, { content });

async function main() {
  await lib.login(client);
  assert.equal(client.user.bot, true);
  assert.equal(client.ws.status, Status.Ready);
  checked('login and ready');

  const guild = client.guilds.cache.get(GROUP);
  assert.equal(guild.available, true);
  assert.equal(guild.name, 'Rooks');
  const channel = guild.channels.cache.get(CHANNEL);
  assert.equal(channel.isTextBased(), true);
  assert.equal((await guild.members.fetchMe()).id, client.user.id);
  assert.equal((await guild.channels.fetch()).has(CHANNEL), true);
  assert.equal(guild.memberCount, 3);
  checked('the group with its channels and members');

  const joined = next(Events.GuildCreate);
  const second = await person('POST', '/guilds', { name: 'Second' });
  await person('POST', `/oauth2/authorize?client_id=${client.user.id}&scope=bot`, {
    guild_id: second.id,
    permissions: '0',
    authorize: true,
  });
  assert.equal((await joined)[0].id, second.id);
  checked('guild create when it is added to another group');
  const left = next(Events.GuildDelete);
  await person('DELETE', `/guilds/${second.id}`);
  assert.equal((await left)[0].id, second.id);
  checked('guild delete');

  const created = next(Events.MessageCreate);
  const typing = next(Events.TypingStart);
  await person('POST', `/channels/${CHANNEL}/typing`, {});
  await typing;
  const sent = await say('hello, rook');
  const [message] = await created;
  assert.equal(message.id, sent.id);
  assert.equal(message.content, 'hello, rook');
  assert.equal(message.author.username, 'ada');
  assert.equal(message.guildId, GROUP);
  assert.ok(message.member.joinedAt instanceof Date);
  checked('typing and message create');

  const own = await message.reply('hello, person');
  assert.equal(own.reference.messageId, sent.id);
  const read = await person('GET', `/channels/${CHANNEL}/messages/${own.id}`);
  assert.equal(read.content, 'hello, person');
  assert.equal(read.author.id, client.user.id);
  assert.equal(read.referenced_message.id, sent.id);
  checked('reply');

  const updated = next(Events.MessageUpdate, (_, after) => after.id === sent.id);
  await person('PATCH', `/channels/${CHANNEL}/messages/${sent.id}`, { content: 'hello again' });
  const [before, after] = await updated;
  assert.deepEqual([before.content, after.content], ['hello, rook', 'hello again']);
  const edited = await own.edit('hello yourself');
  assert.equal(edited.content, 'hello yourself');
  assert.ok(edited.editedTimestamp > 0);
  checked('edits, theirs and its own');

  const deleted = next(Events.MessageDelete, (gone) => gone.id === sent.id);
  await person('DELETE', `/channels/${CHANNEL}/messages/${sent.id}`);
  await deleted;
  await own.delete();
  await assert.rejects(channel.messages.fetch({ message: own.id, force: true }), { code: 10008 });
  checked('deletions, theirs and its own');

  await channel.send('one of mine');
  const history = await channel.messages.fetch({ limit: 10 });
  // Below it are the announcements of who joined.
  assert.equal(history.first().content, 'one of mine');
  assert.deepEqual(history.map((kept) => kept.system), [false, true, true]);
  checked('send and history');

  await resume();
  await client.destroy();
}

// The connection is cut in the middle of traffic, five times: each message comes once, in order.
async function resume() {
  const rounds = 5;
  const each = 20;
  const seen = [];
  const onMessage = (message) => seen.push(message.content);
  client.on(Events.MessageCreate, onMessage);
  let resumed = 0;
  client.on(Events.ShardResume, () => { resumed += 1; });
  client.on(Events.ShardReady, () => fail(new Error('the session was lost: it identified again')));
  const expected = [];
  for (let round = 0; round < rounds; round += 1) {
    for (let n = 0; n < each; n += 1) {
      const content = `round ${round} message ${n}`;
      expected.push(content);
      if (n === each / 2) {
        const back = next(Events.ShardResume);
        const cut = [...sockets];
        assert.ok(cut.length > 0, 'no socket to cut');
        const closed = cut.map((socket) => (socket.destroyed ? undefined : once(socket, 'close')));
        for (const socket of cut) socket.destroy();
        await Promise.all(closed);
        await say(content);
        await back;
      } else {
        await say(content);
      }
    }
  }
  const last = next(Events.MessageCreate, (message) => message.content === 'the last one');
  await say('the last one');
  await last;
  expected.push('the last one');
  assert.deepEqual(seen, expected);
  assert.equal(resumed, rounds);
  checked(`${rounds} cut connections resumed, ${expected.length} messages, none lost, doubled or out of order`);
}

lib.run(main);
