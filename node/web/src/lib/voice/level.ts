// How loud a microphone is, and a tone to hear a speaker by.

/** Decibels of full scale that are no bar, and a whole one. */
const [QUIET, LOUD] = [-60, -6];

/** From 0 to 1, as ears would say: of the mean square of samples. */
export function loudness(square: number): number {
  const decibels = 10 * Math.log10(Math.max(square, 1e-12));
  return Math.min(1, Math.max(0, (decibels - QUIET) / (LOUD - QUIET)));
}

export class Level {
  readonly #context = new AudioContext();
  #frame = 0;
  readonly #track: MediaStreamTrack;

  constructor(track: MediaStreamTrack, tell: (level: number) => void) {
    this.#track = track;
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 1024;
    this.#context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let shown = 0;
    const look = () => {
      analyser.getFloatTimeDomainData(samples);
      const now = loudness(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
      // It rises at once and falls slowly: a bar that trembles says nothing.
      shown = Math.max(now, shown * 0.93);
      tell(shown);
      this.#frame = requestAnimationFrame(look);
    };
    look();
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#track.stop();
    void this.#context.close();
  }
}

/** A short soft tone on a speaker. */
export async function playTone(speaker: string, volume: number): Promise<void> {
  const context = new AudioContext();
  const [tone, gain, out] = [context.createOscillator(), context.createGain(), context.createMediaStreamDestination()];
  tone.frequency.value = 523;
  gain.gain.setValueAtTime(0, context.currentTime);
  gain.gain.linearRampToValueAtTime(0.25, context.currentTime + 0.05);
  gain.gain.linearRampToValueAtTime(0, context.currentTime + 0.7);
  tone.connect(gain).connect(out);
  const audio = new Audio();
  audio.srcObject = out.stream;
  audio.volume = volume;
  tone.onended = () => {
    audio.pause();
    void context.close();
  };
  try {
    if (speaker) await audio.setSinkId(speaker);
    await audio.play();
  } finally {
    tone.start();
    tone.stop(context.currentTime + 0.8);
  }
}
