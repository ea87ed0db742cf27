// A message with files. `fetch` does not tell how much of a body has gone, so this is an XMLHttpRequest.

import { Refusal, pause, readRefusal } from './client';
import { sleep, token } from './session';
import type { Id, Message } from './types';

function send(path: string, body: FormData, auth: string, progress: (part: number) => void, signal: AbortSignal): Promise<Message> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open('POST', path);
    xhr.setRequestHeader('Authorization', auth);
    xhr.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) resolve(JSON.parse(xhr.responseText) as Message);
      else reject(readRefusal(xhr.status, xhr.responseText, xhr.getResponseHeader('Retry-After')));
    };
    xhr.onerror = () => reject(new Refusal(0, 0, ''));
    signal.addEventListener('abort', () => {
      xhr.abort();
      reject(signal.reason);
    });
    xhr.send(body);
  });
}

/** Sends a message with its files; its nonce makes repeating it harmless. */
export async function upload(
  channel: Id, form: Record<string, unknown>, files: readonly File[], progress: (part: number) => void, signal: AbortSignal,
): Promise<Message> {
  const body = new FormData();
  const attachments = files.map((file, id) => ({ id, filename: file.name }));
  body.append('payload_json', JSON.stringify({ ...form, attachments }));
  files.forEach((file, n) => body.append(`files[${n}]`, file, file.name));
  for (let attempt = 0; ; attempt++) {
    try {
      return await send(`/api/v10/channels/${channel}/messages`, body, (await token()) ?? '', progress, signal);
    } catch (error) {
      const wait = error instanceof Refusal ? pause(error, 'POST', true, attempt) : null;
      if (wait === null) throw error;
      await sleep(wait);
    }
  }
}
