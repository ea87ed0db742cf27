// The peer of the durable bench: what one says is inserted into MongoDB, then goes to all, then is acknowledged. No
// accounts, no permissions, no numbers, no recognition of repetitions. Takes the URL of the database.
'use strict';

const { createServer } = require('node:http');
const { MongoClient } = require('mongodb');
const { Server } = require('socket.io');

async function main(url) {
  const client = await MongoClient.connect(url, { writeConcern: { w: 'majority', j: true } });
  const messages = client.db('peer').collection('messages');
  const http = createServer();
  // Pings are off the measured path; compression is off, as in Rookery by default.
  const io = new Server(http, {
    transports: ['websocket'],
    perMessageDeflate: false,
    pingInterval: 24 * 3600 * 1000,
    serveClient: false,
  });
  io.on('connection', (socket) => {
    // Who only writes gets no messages, as in Rookery, where writing is a request of its own.
    if (socket.handshake.query.listens) socket.join('everybody');
    socket.on('say', async (message, acknowledge) => {
      const { insertedId } = await messages.insertOne(message);
      io.to('everybody').emit('message', message);
      acknowledge(insertedId);
    });
  });
  http.listen(0, '127.0.0.1', () => console.log(http.address().port));
}

main(process.argv[2]);
