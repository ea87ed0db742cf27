// discord.js, unmodified but for its base URL, works with messages: reactions, files, embeds, pins, bulk deletion.
'use strict';

const { AttachmentBuilder, EmbedBuilder, Events, GatewayIntentBits, Partials } = require('discord.js');
const lib = require('./lib.js');
const { assert, checked, person } = lib;

const { GROUP, CHANNEL, PERSON_ID } = process.env;

const client = lib.newClient({
  intents: [
    GatewayIntentBits.Guilds,
    GatewayIntentBits.GuildMessages,
    GatewayIntentBits.GuildMessageReactions,
    GatewayIntentBits.MessageContent,
    GatewayIntentBits.DirectMessages,
  ],
  partials: [Partials.Message, Partials.Channel, Partials.Reaction],
});
const next = (event, wanted) => lib.next(client, event, wanted);
const messages = `/channels/${CHANNEL}/messages`;

async function main() {
  await lib.login(client);
  const channel = await client.channels.fetch(CHANNEL);
  assert.equal(channel.guildId, GROUP);

  await reactions(channel);
  await files(channel);
  await embeds(channel);
  await pins(channel);
  await bulkDelete(channel);
  await direct();
  await client.destroy();
}

async function reactions(channel) {
  const message = await channel.send('what do you think?');
  const reaction = await message.react('\u{1f426}');
  assert.equal(reaction.emoji.name, '\u{1f426}');
  const theirs = next(Events.MessageReactionAdd, (_, user) => user.id === PERSON_ID);
  const emoji = encodeURIComponent('\u{1f44d}');
  await person('PUT', `${messages}/${message.id}/reactions/${emoji}/@me`);
  const [added] = await theirs;
  assert.equal(added.emoji.name, '\u{1f44d}');
  assert.equal(added.message.id, message.id);

  const fetched = await channel.messages.fetch({ message: message.id, force: true });
  assert.deepEqual(fetched.reactions.cache.map((r) => [r.emoji.name, r.count, r.me]), [
    ['\u{1f426}', 1, true],
    ['\u{1f44d}', 1, false],
  ]);
  const users = await fetched.reactions.cache.get('\u{1f44d}').users.fetch();
  assert.deepEqual([...users.keys()], [PERSON_ID]);

  const gone = next(Events.MessageReactionRemove, (_, user) => user.id === PERSON_ID);
  await fetched.reactions.cache.get('\u{1f44d}').users.remove(PERSON_ID);
  await gone;
  const allGone = next(Events.MessageReactionRemoveAll);
  await fetched.reactions.removeAll();
  await allGone;
  checked('reactions: added, listed, removed, cleared');
}

async function files(channel) {
  const bytes = Buffer.from('some bytes');
  const sent = await channel.send({
    content: 'look',
    files: [new AttachmentBuilder(bytes, { name: 'notes.txt', description: 'notes' })],
  });
  const file = sent.attachments.first();
  assert.deepEqual([file.name, file.size, file.description], ['notes.txt', bytes.length, 'notes']);
  const response = await fetch(file.url);
  assert.equal(response.status, 200);
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes);
  const bare = await sent.edit({ attachments: [] });
  assert.equal(bare.attachments.size, 0);
  checked('attachments: sent, downloaded, removed');
}

async function embeds(channel) {
  const embed = new EmbedBuilder()
    .setTitle('Rooks')
    .setURL('https://chat.example/')
    .setColor(0x3366cc)
    .setDescription('a bird')
    .setFooter({ text: 'corvidae' })
    .addFields({ name: 'wings', value: '2', inline: true });
  const sent = await channel.send({ embeds: [embed] });
  assert.equal(sent.embeds[0].title, 'Rooks');
  assert.equal(sent.embeds[0].fields[0].value, '2');
  const edited = await sent.edit({ embeds: [embed.setTitle('Ravens')] });
  assert.equal(edited.embeds[0].title, 'Ravens');
  checked('embeds');
}

async function pins(channel) {
  const message = await channel.send('to keep');
  const updated = next(Events.ChannelPinsUpdate, (where) => where.id === CHANNEL);
  await message.pin('worth it');
  await updated;
  const pinned = await channel.messages.fetchPins();
  assert.deepEqual(pinned.items.map((pin) => pin.message.id), [message.id]);
  await message.unpin();
  assert.equal((await channel.messages.fetchPins()).items.length, 0);
  checked('pins');
}

async function bulkDelete(channel) {
  const sent = [];
  for (let n = 0; n < 3; n += 1) sent.push(await channel.send(`number ${n}`));
  const gone = next(Events.MessageBulkDelete);
  const deleted = await channel.bulkDelete(sent);
  assert.equal(deleted.size, 3);
  assert.equal((await gone)[0].size, 3);
  checked('bulk delete');
}

async function direct() {
  const user = await client.users.fetch(PERSON_ID);
  const sent = await user.send('psst');
  assert.equal(sent.channel.isDMBased(), true);
  const answered = next(Events.MessageCreate, (message) => message.content === 'yes?');
  await person('POST', `/channels/${sent.channelId}/messages`, { content: 'yes?' });
  const [answer] = await answered;
  assert.equal(answer.author.id, PERSON_ID);
  assert.equal(answer.guild, null);
  checked('a direct message and its answer');
}

lib.run(main);
