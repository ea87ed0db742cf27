// discord.js, unmodified but for its base URL, follows a channel while the servers behind that URL are restarted one after the
// other. Prints a line of JSON for each message and each resume; ends when somebody says "end".
'use strict';

const { Events, GatewayIntentBits } = require('discord.js');
const lib = require('./lib.js');

const client = lib.newClient({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.MessageContent],
});
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

client.on(Events.ShardResume, () => tell({ resumed: true }));
client.on(Events.ShardReady, () => tell({ ready: true }));
client.on(Events.MessageCreate, (message) => {
  if (message.content === 'end') {
    tell({ end: true });
    client.destroy().then(() => process.exit(0), lib.fail);
  } else {
    tell({ id: message.id, content: message.content });
  }
});
lib.login(client).catch(lib.fail);
