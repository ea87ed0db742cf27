"""An independent WebRTC client: aiortc, unmodified. Sends a tone and moving pictures, decodes what it gets.

Speaks JSON, an object a line: on standard output first {"offer": SDP}; on standard input {"answer": SDP}; then twice a
second on standard output what it has decoded, per section: {"state": .., "video": {mid: {"frames": n, "width": w,
"height": h, "changes": n}}, "audio": {mid: {"frames": n, "loud": n}}}. Ends with standard input.
"""

import asyncio
import fractions
import json
import math
import sys

import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import VideoStreamTrack
from av import AudioFrame, VideoFrame

RATE = 48000
SAMPLES = 960


class Tone(MediaStreamTrack):
    """A sine of 440 Hz."""

    kind = "audio"

    def __init__(self):
        super().__init__()
        self.at = 0
        self.start = None

    async def recv(self):
        loop = asyncio.get_running_loop()
        if self.start is None:
            self.start = loop.time()
        await asyncio.sleep(self.start + self.at / RATE - loop.time())
        times = numpy.arange(self.at, self.at + SAMPLES)
        wave = 8000 * numpy.sin(2 * math.pi * 440 * times / RATE)
        frame = AudioFrame.from_ndarray(
            wave.astype(numpy.int16).reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = RATE
        frame.pts = self.at
        frame.time_base = fractions.Fraction(1, RATE)
        self.at += SAMPLES
        return frame


class Moving(VideoStreamTrack):
    """A bright bar that moves over a dark picture."""

    def __init__(self):
        super().__init__()
        self.number = 0

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        picture = numpy.full((240, 320, 3), 30, dtype=numpy.uint8)
        at = (self.number * 4) % 300
        picture[:, at : at + 20] = (40, 200, 240)
        self.number += 1
        frame = VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts, frame.time_base = pts, time_base
        return frame


async def watch(track, seen):
    """Decodes pictures; counts those that differ from the one before."""
    before = None
    while True:
        frame = await track.recv()
        small = frame.to_ndarray(format="gray8")[::16, ::16].astype(int)
        seen["frames"] += 1
        seen["width"], seen["height"] = frame.width, frame.height
        if before is not None and before.shape == small.shape:
            seen["changes"] += int(numpy.abs(small - before).max() > 40)
        before = small


async def listen(track, heard):
    """Decodes sound; counts frames that are not silent."""
    while True:
        frame = await track.recv()
        heard["frames"] += 1
        heard["loud"] += int(numpy.abs(frame.to_ndarray().astype(int)).max() > 1000)


def candidates_everywhere(sdp):
    """aiortc believes the candidates of a bundle's last section; they are in its first (RFC 8843)."""
    head, *sections = sdp.split("m=")
    lines = [line for line in sections[0].split("\r\n") if line.startswith(("a=candidate", "a=end-of"))]
    extra = "\r\n".join(lines) + "\r\n"
    return head + "m=" + sections[0] + "".join("m=" + section + extra for section in sections[1:])


def say(value):
    print(json.dumps(value), flush=True)


async def main():
    peer = RTCPeerConnection()
    video, audio, tasks = {}, {}, []

    @peer.on("track")
    def on_track(track):
        mid = next(t.mid for t in peer.getTransceivers() if t.receiver.track is track)
        if track.kind == "video":
            video[mid] = {"frames": 0, "width": 0, "height": 0, "changes": 0}
            tasks.append(asyncio.ensure_future(watch(track, video[mid])))
        else:
            audio[mid] = {"frames": 0, "loud": 0}
            tasks.append(asyncio.ensure_future(listen(track, audio[mid])))

    peer.addTransceiver(Tone(), direction="sendrecv")
    peer.addTransceiver(Moving(), direction="sendrecv")
    peer.addTransceiver("audio", direction="recvonly")
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    say({"offer": peer.localDescription.sdp})

    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    answer = json.loads(await reader.readline())["answer"]
    await peer.setRemoteDescription(RTCSessionDescription(sdp=candidates_everywhere(answer), type="answer"))

    ended = asyncio.ensure_future(reader.read())
    while not ended.done():
        await asyncio.wait([ended], timeout=0.5)
        say({"state": peer.connectionState, "video": video, "audio": audio})
    await peer.close()
    for task in tasks:
        task.cancel()


asyncio.run(main())
