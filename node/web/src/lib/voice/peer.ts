// The connection for media: made once with all sections that it will ever have. What plays in them changes without another
// negotiation.

import type { Kind } from './room';

/** What READY says of the room. */
export interface RoomOffer {
  ice_servers: RTCIceServer[];
  max_slots: { audio: number; video: number };
}

const AUDIO_SLOTS = 4;
const VIDEO_SLOTS = 16;

/** A camera in three sizes: everybody gets the one that fits. */
const CAMERA: RTCRtpEncodingParameters[] = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
];
const SCREEN: RTCRtpEncodingParameters[] = [{ maxBitrate: 2_500_000 }];

/** Asks whoever sends Opus to say nothing while nothing is said, and to repair small losses. */
export function tuned(answer: string): string {
  const opus = /^a=rtpmap:(\d+) opus\/48000/im.exec(answer)?.[1];
  if (!opus) return answer;
  const wanted = ['useinbandfec=1', 'usedtx=1'];
  return answer.replace(new RegExp(`^(a=fmtp:${opus} )([^\r\n]*)`, 'gm'), (_line, start: string, found: string) => {
    const missing = wanted.filter((one) => !found.includes(one.split('=')[0]!));
    return start + [found, ...missing].join(';');
  });
}

/** Which layers, the smallest first, somebody sees who sees the picture so high at most; `heights` are theirs. */
export function demanded(heights: readonly number[], height: number): boolean[] {
  // A little too small is not seen: the room chooses in the same way.
  const enough = heights.findIndex((one) => one * 8 >= height * 7);
  return heights.map((_, layer) => height > 0 && (enough < 0 || layer <= enough));
}

export class Peer {
  /** What comes in, by section. */
  readonly incoming = new Map<string, MediaStream>();
  readonly #pc: RTCPeerConnection;
  readonly #senders: Record<Kind, RTCRtpSender>;
  readonly #receivers: RTCRtpTransceiver[] = [];
  /** How high others see what one sends; what is not said is wanted whole. */
  readonly #demand = new Map<Kind, number>();
  /** One change of what is sent at a time. */
  #changes: Promise<unknown> = Promise.resolve();

  constructor({ ice_servers, max_slots }: RoomOffer, on: (state: 'flowing' | 'broken') => void) {
    const pc = new RTCPeerConnection({ iceServers: ice_servers, bundlePolicy: 'max-bundle' });
    this.#pc = pc;
    // Their order is the protocol's.
    const add = (kind: 'audio' | 'video', sendEncodings?: RTCRtpEncodingParameters[]) =>
      pc.addTransceiver(kind, { direction: 'sendonly', sendEncodings: sendEncodings?.map((one) => ({ ...one })) }).sender;
    this.#senders = { audio: add('audio'), camera: add('video', CAMERA), screen: add('video', SCREEN), screen_audio: add('audio') };
    for (const [kind, count] of [['audio', Math.min(AUDIO_SLOTS, max_slots.audio)], ['video', Math.min(VIDEO_SLOTS, max_slots.video)]] as const) {
      for (let n = 0; n < count; n++) this.#receivers.push(pc.addTransceiver(kind, { direction: 'recvonly' }));
    }
    pc.onconnectionstatechange = () => {
      const { connectionState } = pc;
      if (connectionState === 'connected') on('flowing');
      else if (connectionState === 'disconnected' || connectionState === 'failed') on('broken');
    };
  }

  /** An offer; its candidates are not waited for: the server is reachable by itself. */
  async offer(iceRestart = false): Promise<string> {
    await this.#pc.setLocalDescription(await this.#pc.createOffer({ iceRestart }));
    for (const { mid, receiver } of this.#receivers) {
      if (mid && !this.incoming.has(mid)) this.incoming.set(mid, new MediaStream([receiver.track]));
    }
    return this.#pc.localDescription!.sdp;
  }

  async answer(sdp: string): Promise<void> {
    await this.#pc.setRemoteDescription({ type: 'answer', sdp: tuned(sdp) });
  }

  async send(kind: Kind, track: MediaStreamTrack | null): Promise<void> {
    const sender = this.#senders[kind];
    if (sender.track === track) return;
    // Whoever begins sends all; the room says again what of it is seen.
    if (!track || !sender.track) this.#demand.delete(kind);
    await sender.replaceTrack(track);
    this.#trim(kind);
  }

  /** Others see what one sends in this height at most; 0: nobody does. */
  demand(kind: Kind, height: number): void {
    this.#demand.set(kind, height);
    this.#trim(kind);
  }

  /** Stops layers that nobody sees, and begins those again that somebody does. */
  #trim(kind: Kind): void {
    const sender = this.#senders[kind];
    this.#changes = this.#changes.then(() => {
      const full = sender.track?.getSettings().height;
      if (sender.track?.kind !== 'video' || !full) return;
      const parameters = sender.getParameters();
      const heights = parameters.encodings.map(({ scaleResolutionDownBy }) => full / (scaleResolutionDownBy ?? 1));
      const wanted = demanded(heights, this.#demand.get(kind) ?? Infinity);
      if (parameters.encodings.every(({ active }, layer) => active === wanted[layer])) return;
      parameters.encodings.forEach((encoding, layer) => (encoding.active = wanted[layer]!));
      return sender.setParameters(parameters);
    }).catch(() => undefined);
  }

  close(): void {
    this.#pc.onconnectionstatechange = null;
    this.#pc.close();
  }
}
