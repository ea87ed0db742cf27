// discord.js, unmodified but for its base URL, looks after a group: roles, members, channels, bans, the audit log.
'use strict';

const { AuditLogEvent, ChannelType, Events, GatewayIntentBits, PermissionFlagsBits } = require('discord.js');
const lib = require('./lib.js');
const { assert, checked } = lib;

const { GROUP, CHANNEL, PERSON_ID, OTHER_ID } = process.env;

const client = lib.newClient({
  intents: [
    GatewayIntentBits.Guilds,
    GatewayIntentBits.GuildMembers,
    GatewayIntentBits.GuildModeration,
    GatewayIntentBits.GuildInvites,
    GatewayIntentBits.GuildMessages,
    GatewayIntentBits.MessageContent,
  ],
});
const next = (event, wanted) => lib.next(client, event, wanted);

async function main() {
  await lib.login(client);
  const guild = client.guilds.cache.get(GROUP);
  await members(guild);
  await roles(guild);
  await channels(guild);
  await invites(guild);
  await bans(guild);
  await client.destroy();
}

async function members(guild) {
  const all = await guild.members.fetch();
  assert.equal(all.size, 3);
  assert.equal((await guild.members.fetch(OTHER_ID)).user.username, 'ben');
  assert.equal((await guild.members.fetch({ query: 'be', limit: 5 })).first().id, OTHER_ID);
  assert.equal((await guild.members.search({ query: 'ad' })).first().id, PERSON_ID);
  assert.equal((await guild.members.list({ limit: 2 })).size, 2);
  checked('members: chunks, by id, by name, listed');

  const ben = guild.members.cache.get(OTHER_ID);
  const renamed = next(Events.GuildMemberUpdate, (_, now) => now.nickname === 'Benny');
  await ben.setNickname('Benny', 'nicer');
  await renamed;
  const quiet = await ben.timeout(60_000, 'too loud');
  assert.equal(quiet.isCommunicationDisabled(), true);
  await ben.timeout(null);
  checked('nickname and timeout');
}

async function roles(guild) {
  const created = next(Events.GuildRoleCreate);
  const role = await guild.roles.create({
    name: 'Helpers',
    colors: { primaryColor: 0x00ff00 },
    hoist: true,
    permissions: [PermissionFlagsBits.ManageMessages],
    reason: 'we need some',
  });
  await created;
  assert.equal(role.name, 'Helpers');
  assert.equal(role.permissions.has(PermissionFlagsBits.ManageMessages), true);
  const log = await guild.fetchAuditLogs({ type: AuditLogEvent.RoleCreate, limit: 1 });
  const entry = log.entries.first();
  assert.equal(entry.reason, 'we need some');
  assert.equal(entry.executorId, client.user.id);
  assert.equal(entry.targetId, role.id);
  checked('a role, with its reason in the audit log');

  const member = guild.members.cache.get(OTHER_ID);
  const given = next(Events.GuildMemberUpdate, (_, now) => now.roles.cache.has(role.id));
  await member.roles.add(role, 'he helps');
  await given;
  assert.equal(member.permissions.has(PermissionFlagsBits.ManageMessages), true);
  await member.roles.remove(role);
  const updated = next(Events.GuildRoleUpdate, (_, now) => now.name === 'Assistants');
  await role.setName('Assistants');
  await updated;
  const second = await guild.roles.create({ name: 'Second' });
  const several = [role, second];
  const held = (member) => several.filter(({ id }) => member.roles.cache.has(id)).length;
  const all = next(Events.GuildMemberUpdate, (_, now) => held(now) === 2);
  await member.roles.add(several, 'he helps a lot');
  await all;
  const none = next(Events.GuildMemberUpdate, (_, now) => held(now) === 0);
  await member.roles.remove(several);
  await none;
  await second.setPosition(2);
  assert.equal((await guild.roles.fetch(second.id, { force: true })).position, 2);
  const deleted = next(Events.GuildRoleDelete, (gone) => gone.id === role.id);
  await role.delete('no more');
  await deleted;
  checked('roles: given, taken, several at once, renamed, moved, deleted');
}

async function channels(guild) {
  const channel = await guild.channels.create({
    name: 'staff',
    type: ChannelType.GuildText,
    topic: 'hush',
    permissionOverwrites: [{ id: guild.id, deny: [PermissionFlagsBits.ViewChannel] }],
  });
  assert.equal(channel.permissionsFor(OTHER_ID).has(PermissionFlagsBits.ViewChannel), false);
  const seen = next(Events.ChannelUpdate, (before) => before.id === channel.id);
  await channel.permissionOverwrites.edit(OTHER_ID, { ViewChannel: true }, { reason: 'let him in' });
  await seen;
  assert.equal(channel.permissionsFor(OTHER_ID).has(PermissionFlagsBits.ViewChannel), true);
  await channel.permissionOverwrites.delete(OTHER_ID);
  await channel.setRateLimitPerUser(5);
  assert.equal(channel.rateLimitPerUser, 5);
  const gone = next(Events.ChannelDelete, (deleted) => deleted.id === channel.id);
  await channel.delete();
  await gone;
  checked('a channel with overwrites');
}

async function invites(guild) {
  const created = next(Events.InviteCreate);
  const invite = await guild.invites.create(CHANNEL, { maxAge: 600, maxUses: 2, unique: true });
  assert.equal((await created)[0].code, invite.code);
  assert.deepEqual([invite.maxAge, invite.maxUses, invite.uses], [600, 2, 0]);
  assert.equal((await guild.invites.fetch()).has(invite.code), true);
  assert.equal((await client.fetchInvite(invite.code)).guild.id, GROUP);
  await invite.delete('enough');
  checked('invites');
}

async function bans(guild) {
  const banned = next(Events.GuildBanAdd);
  const told = next(Events.GuildAuditLogEntryCreate, (entry) => entry.action === AuditLogEvent.MemberBanAdd);
  await guild.bans.create(OTHER_ID, { reason: 'spam', deleteMessageSeconds: 3600 });
  assert.equal((await banned)[0].user.id, OTHER_ID);
  assert.equal((await told)[0].reason, 'spam');
  assert.equal((await guild.bans.fetch(OTHER_ID)).reason, 'spam');
  assert.equal((await guild.bans.fetch()).size, 1);
  const log = await guild.fetchAuditLogs({ type: AuditLogEvent.MemberBanAdd });
  assert.equal(log.entries.first().target.id, OTHER_ID);
  await guild.bans.remove(OTHER_ID, 'he is sorry');
  await assert.rejects(guild.bans.fetch({ user: OTHER_ID, force: true }), { code: 10026 });
  checked('bans');
}

lib.run(main);
