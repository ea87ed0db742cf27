// The peer of the fan-out bench: everybody is in one room; what one says goes to all. No accounts, no permissions, no
// numbers, nothing stored.
'use strict';

const { createServer } = require('node:http');
const { Server } = require('socket.io');

const http = createServer();
// Pings and recovery are off the measured path; compression is off, as in Rookery by default.
const io = new Server(http, {
  transports: ['websocket'],
  perMessageDeflate: false,
  pingInterval: 24 * 3600 * 1000,
  serveClient: false,
});
io.on('connection', (socket) => {
  socket.join('everybody');
  socket.on('say', (message) => io.to('everybody').emit('message', message));
});
http.listen(0, '127.0.0.1', () => console.log(http.address().port));
