import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { fromHex, toHex } from '@yuanyou/rsp';
import type { Device } from './device.ts';

/** One line of lpac's stdio APDU driver. */
const apduLine = z.object({
  type: z.literal('apdu'),
  payload: z.object({
    func: z.enum(['connect', 'disconnect', 'logic_channel_open', 'logic_channel_close', 'transmit']),
    param: z.string().regex(/^(?:[0-9a-f]{2})*$/i).nullish(),
  }),
});

type Call = z.infer<typeof apduLine>['payload'];
type Payload = { readonly ecode: number; readonly data?: string };

/** Longest line that is read, in characters; an APDU has at most 261 bytes. */
const MAX_LINE = 65_536;

/**
 * Serves a device to an LPA that speaks lpac's stdio APDU protocol: a JSON object a line each way. Lines of other types go to `passBy`.
 * Ends when the input ends.
 */
export async function serveStdio(device: Device, input: Readable, output: Writable, passBy: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    const call = readCall(line);
    if (call) output.write(`${JSON.stringify({ type: 'apdu', payload: answerTo(device, call) })}\n`);
    else if (line !== '') passBy(line);
  }
}

function readCall(line: string): Call | undefined {
  if (line.length > MAX_LINE) return undefined;
  try {
    return apduLine.parse(JSON.parse(line)).payload;
  } catch {
    return undefined;
  }
}

const done: Payload = { ecode: 0 };
const failed: Payload = { ecode: -1 };

const answers: Readonly<Record<Call['func'], (device: Device, param: Uint8Array) => Payload>> = {
  connect: () => done,
  disconnect: () => done,
  logic_channel_open: (device, aid) => openChannel(device, aid),
  logic_channel_close: (device, channel) => {
    device.transmit(Uint8Array.of(0x00, 0x70, 0x80, channel[0] ?? 1));
    return done;
  },
  transmit: (device, apdu) => ({ ecode: 0, data: toHex(device.transmit(apdu)) }),
};

function answerTo(device: Device, { func, param }: Call): Payload {
  return answers[func](device, fromHex(param ?? ''));
}

/** MANAGE CHANNEL and SELECT; the channel's number is the answer. */
function openChannel(device: Device, aid: Uint8Array): Payload {
  const [channel = 0, ...status] = device.transmit(Uint8Array.of(0x00, 0x70, 0x00, 0x00, 0x01));
  if (status.length !== 2 || status[0] !== 0x90) return failed;
  const selected = device.transmit(Uint8Array.of(channel, 0xa4, 0x04, 0x00, aid.length, ...aid));
  return selected.at(-2) === 0x90 ? { ecode: channel } : failed;
}
