// What one sees and hears of others in a call, by what anybody's tools see of the page.
import assert from 'node:assert/strict';
import { SOON } from './house.js';

/** Media takes its time on a machine that has other things to do: three encoders and decoders share it. */
export const MEDIA = 40_000;

/** A tile of the call view. */
export const tile = (on, user, stream = 'camera') => on.locator(`li.tile[data-user="${user.id}"][data-stream="${stream}"]`);
/** Somebody in the list of channels. */
export const listed = (on, user) => on.getByRole('navigation', { name: 'Channels' }).locator(`button[data-user="${user.id}"]`);
/** What one can press below the call. */
export const press = (on, name) => on.getByRole('toolbar', { name: 'Call' }).getByRole('button', { name, exact: true }).click();

/** Joins a voice channel with a click, and waits until media flows. */
export async function join(on, channel) {
  await on.getByRole('link', { name: new RegExp(`^${channel}, voice channel`) }).click();
  await connected(on);
}

export async function connected(on) {
  await on.getByRole('region', { name: 'Call', exact: true }).getByText(/connection$|^Connected$/).waitFor({ timeout: MEDIA });
}

/** For `first` of a page: its connections can be looked at, as the browser's own tools do. */
export function watched() {
  window.peers = [];
  window.sockets = [];
  const [Peer, Socket] = [window.RTCPeerConnection, window.WebSocket];
  window.RTCPeerConnection = class extends Peer {
    constructor(...args) {
      super(...args);
      window.peers.push(this);
    }
  };
  window.WebSocket = class extends Socket {
    constructor(...args) {
      super(...args);
      window.sockets.push(this);
    }
  };
}

/** Waits until pictures come that differ from each other, and answers how large they are. */
export async function moving(on, user, stream = 'camera', timeout = MEDIA) {
  const video = tile(on, user, stream).locator('video.ready');
  await video.waitFor({ timeout });
  return video.evaluate(async (element, timeout) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 32, height: 18 });
    const brush = canvas.getContext('2d', { willReadFrequently: true });
    const look = () => {
      brush.drawImage(element, 0, 0, 32, 18);
      return brush.getImageData(0, 0, 32, 18).data;
    };
    const first = look();
    const end = Date.now() + timeout;
    for (let changed = 0; changed < 3; ) {
      await new Promise((done, failed) => {
        const timer = setTimeout(() => failed(new Error(`no picture; ${changed} changes until now`)), end - Date.now());
        element.requestVideoFrameCallback(() => (clearTimeout(timer), done()));
      });
      const now = look();
      let difference = 0;
      for (let n = 0; n < now.length; n++) difference += Math.abs(now[n] - first[n]);
      if (difference > 500) changed++;
    }
    return { width: element.videoWidth, height: element.videoHeight };
  }, timeout);
}

/** The energy of somebody's voice as it is played, within some time: the root of the mean square of the loudest part. */
export function energy(on, user, ms = 2_500) {
  return on.evaluate(
    async ({ id, ms }) => {
      const audio = document.querySelector(`audio[data-user="${id}"][data-stream="audio"]`);
      if (!audio || audio.muted || audio.volume === 0) return 0;
      const context = new AudioContext();
      const analyser = context.createAnalyser();
      context.createMediaStreamSource(audio.srcObject).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      let most = 0;
      for (const end = Date.now() + ms; Date.now() < end; ) {
        await new Promise((done) => setTimeout(done, 20));
        analyser.getFloatTimeDomainData(samples);
        most = Math.max(most, samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
      }
      await context.close();
      return Math.sqrt(most);
    },
    { id: user.id, ms },
  );
}

/** Somebody is heard. */
export async function heard(on, user) {
  const end = Date.now() + MEDIA;
  while ((await energy(on, user, 1_500)) < 0.01) assert.ok(Date.now() < end, `${user.username} is not heard`);
}

/** Nobody hears somebody any more, for a while. */
export async function silent(on, user) {
  const end = Date.now() + SOON;
  while ((await energy(on, user)) > 0.001) assert.ok(Date.now() < end, `${user.username} is still heard`);
}

/** Pictures that the page has decoded until now. */
export function decoded(on) {
  return on.evaluate(async () => {
    let frames = 0;
    for (const peer of window.peers) {
      if (peer.connectionState === 'closed') continue;
      for (const one of (await peer.getStats()).values()) if (one.type === 'inbound-rtp') frames += one.framesDecoded ?? 0;
    }
    return frames;
  });
}

/** The layers of a camera that are sent, the smallest first: rids, as one word. */
export function sent(on) {
  return on.evaluate(async () => {
    const layers = [];
    for (const peer of window.peers) {
      if (peer.connectionState === 'closed') continue;
      for (const one of (await peer.getStats()).values()) if (one.type === 'outbound-rtp' && one.rid && one.active) layers.push(one.rid);
    }
    return ['q', 'h', 'f'].filter((rid) => layers.includes(rid)).join('');
  });
}

/** Waits until a thing is so. */
export async function until(what, is, timeout = MEDIA) {
  const end = Date.now() + timeout;
  for (;;) {
    const now = await is();
    if (now) return now;
    assert.ok(Date.now() < end, what);
    await new Promise((done) => setTimeout(done, 250));
  }
}
