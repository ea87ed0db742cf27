// What the scripts share: the client under test, the person it talks with, and waiting for events.
'use strict';

const assert = require('node:assert/strict');
const { Client } = require('discord.js');

const { ROOKERY_API, BOT_TOKEN, PERSON_TOKEN } = process.env;
const DEADLINE_MS = 20_000;

function fail(error) {
  console.error(error);
  process.exit(1);
}

function checked(what) {
  console.log(`ok: ${what}`);
}

// A client like everybody's, but for its base URL. Any error ends the script.
function newClient(options) {
  const client = new Client({ ...options, rest: { api: ROOKERY_API } });
  client.on('error', fail);
  client.on('warn', (text) => console.error('warning:', text));
  return client;
}

// What a person does, straight over HTTP.
async function person(method, path, body) {
  const response = await fetch(`${ROOKERY_API}/v10${path}`, {
    method,
    headers: { authorization: PERSON_TOKEN, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

// The arguments of the next event for which `wanted` holds.
function next(client, event, wanted = () => true) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} within ${DEADLINE_MS} ms`)), DEADLINE_MS);
    const listener = (...args) => {
      if (!wanted(...args)) return;
      clearTimeout(timer);
      client.off(event, listener);
      resolve(args);
    };
    client.on(event, listener);
  });
}

// Logs in and waits until everything is there.
async function login(client) {
  const ready = next(client, 'clientReady');
  await client.login(BOT_TOKEN);
  await ready;
}

// Runs a script to its last line, which the test looks for.
function run(main) {
  process.on('unhandledRejection', fail);
  const alarm = setTimeout(() => fail(new Error('not done within 80 s')), 80_000);
  main().then(() => {
    clearTimeout(alarm);
    console.log('all checks passed');
  }, fail);
}

module.exports = { assert, checked, fail, login, newClient, next, person, run };
