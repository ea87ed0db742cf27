// discord.js, unmodified but for its base URL, with two shards: each group is on exactly one of them.
'use strict';

const { Events, GatewayIntentBits, ShardClientUtil } = require('discord.js');
const lib = require('./lib.js');
const { assert, checked, person } = lib;

const { GROUPS } = process.env;
const SHARDS = 2;

const client = lib.newClient({
  shards: [0, 1],
  shardCount: SHARDS,
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.MessageContent],
});

async function main() {
  await lib.login(client);
  const groups = GROUPS.split(',');
  const used = new Set();
  assert.equal(client.guilds.cache.size, groups.length);
  for (const id of groups) {
    const guild = client.guilds.cache.get(id);
    assert.equal(guild.shardId, ShardClientUtil.shardIdForGuildId(id, SHARDS));
    used.add(guild.shardId);
    const channel = guild.channels.cache.find((found) => found.isTextBased() && !found.isVoiceBased());
    const seen = [];
    const listener = (message) => seen.push(message.content);
    client.on(Events.MessageCreate, listener);
    const last = lib.next(client, Events.MessageCreate, (message) => message.content === 'second');
    for (const content of ['first', 'second']) {
      await person('POST', `/channels/${channel.id}/messages`, { content });
    }
    await last;
    client.off(Events.MessageCreate, listener);
    assert.deepEqual(seen, ['first', 'second']);
  }
  assert.equal(used.size, SHARDS, 'groups on both shards');
  assert.equal(client.ws.shards.size, SHARDS);
  checked(`${groups.length} groups on ${SHARDS} shards, each message once`);
  await client.destroy();
}

lib.run(main);
