import { expect, test } from 'vitest';
import { verifyBundle } from './index.ts';
import { newNoteSigner, sampleService } from './testing/sample.ts';

const service = sampleService();
const file = service.file();
const witnesses = [newNoteSigner('witness.example/1', 'cosignature/v1'), newNoteSigner('witness.example/2', 'cosignature/v1')];
const witnessed = sampleService(witnesses);

test('is refused for every byte of the file, whichever bit is flipped', () => {
  for (let at = 0; at < file.length; at += 1) {
    const changed = Buffer.from(file);
    changed[at]! ^= 1 << (at % 8);
    const result = verifyBundle(changed, service.trust);
    expect(result.outcome, `byte ${at}: ${file[at]} -> ${changed[at]}`).toBe('invalid');
  }
});

test('is refused with a byte removed, doubled or added', () => {
  for (let at = 0; at <= file.length; at += 13) {
    expect(verifyBundle(Buffer.concat([file.subarray(0, at), file.subarray(at + 1)]), service.trust).ok).toBe(at === file.length);
    expect(verifyBundle(Buffer.concat([file.subarray(0, at), Buffer.from(' '), file.subarray(at)]), service.trust).ok).toBe(false);
  }
});

test('a cosigned bundle is refused for every changed byte of its cosignatures too', () => {
  const whole = witnessed.file(1, 2);
  for (let at = whole.indexOf('— witness'); at < whole.length; at += 1) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 0x01;
    expect(verifyBundle(changed, witnessed.trust).ok, `byte ${at}`).toBe(false);
  }
});
