import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes.ts';
import { RspError } from '../errors.ts';
import { encodeIccid } from '../identity.ts';
import { encodeTlv, readTlv, readTlvs } from '../tlv/index.ts';
import { decodeImsi, encodeImsi } from './files.ts';
import { buildProfilePackage, readProfilePackage } from './index.ts';

const runs = Number(process.env.FUZZ_CASES ?? 2000);
const person = {
  iccid: '8986000000000000012', imsi: '001010123456789', mncLength: 2, ki: Buffer.alloc(16, 0x4b), opc: Buffer.alloc(16, 0x0c),
  pin1: '1234', puk1: '11112222', second: { pin2: '5678', puk2: '33334444' }, adm1: Buffer.from('99887766'), serviceProviderName: 'Yuanyou',
} as const;
const samples = new URL('../../../../../shared/data/profiles/', import.meta.url);

describe('our profile package', () => {
  it('says of itself what it was personalised with', () => {
    const upp = buildProfilePackage(person);
    expect(readProfilePackage(upp)).toMatchObject({
      version: { major: 2, minor: 3 }, iccid: person.iccid, imsi: person.imsi,
    });
    expect(readProfilePackage(upp).elements.map(({ name }) => name))
      .toEqual(['header', 'mf', 'pukCodes', 'pinCodes', 'cd', 'usim', 'pinCodes', 'akaParameter', 'securityDomain', 'end']);
  });

  it('holds each personal value in its place and nowhere else', () => {
    const hex = toHex(buildProfilePackage(person));
    const count = (bytes: Uint8Array) => hex.split(toHex(bytes)).length - 1;
    expect(count(encodeIccid(person.iccid))).toBe(1);
    expect(count(Buffer.from(`${person.iccid}F`, 'hex'))).toBe(1);
    expect(hex).toContain('8309080910101032547698');
    expect(hex).toContain(`A12A8001018101018210${'4B'.repeat(16)}8310${'0C'.repeat(16)}`);
    for (const code of [person.pin1, person.second.pin2]) expect(count(Buffer.from(`${code}\xff\xff\xff\xff`, 'latin1'))).toBe(1);
    for (const code of [person.puk1, person.second.puk2, '99887766']) expect(count(Buffer.from(code))).toBe(1);
    const another = toHex(buildProfilePackage({ ...person, iccid: '8986000000000000013', imsi: '001010123456780', ki: Buffer.alloc(16, 1), opc: Buffer.alloc(16, 2) }));
    expect(another).not.toContain('4B'.repeat(16));
    expect(another.length).toBe(hex.length);
  });

  it('may do without a second PIN', () => {
    const { second: _left, ...rest } = person;
    expect(readProfilePackage(buildProfilePackage(rest)).elements.map(({ name }) => name))
      .toEqual(['header', 'mf', 'pukCodes', 'pinCodes', 'cd', 'usim', 'akaParameter', 'securityDomain', 'end']);
  });

  it.each([
    [{ iccid: '123' }, 'identity/iccid'], [{ imsi: '12' }, 'saip/value'], [{ ki: Buffer.alloc(15) }, 'saip/value'], [{ adm1: Buffer.alloc(7) }, 'saip/value'], [{ pin1: '12' }, 'saip/value'],
    [{ serviceProviderName: 'a name that is too long' }, 'saip/value'],
  ])('refuses %j', (change, code) => {
    expect(() => buildProfilePackage({ ...person, ...change })).toThrow(code);
  });

  it('IMSIs of every length come back', () => {
    fc.assert(fc.property(fc.stringMatching(/^\d{6,15}$/), (imsi) => decodeImsi(encodeImsi(imsi)) === imsi));
  });
});

describe('readProfilePackage', () => {
  const upp = buildProfilePackage(person);
  const elements = readTlvs(upp).map(({ raw }) => raw);
  const without = (index: number) => Buffer.concat(elements.filter((_, at) => at !== index));

  it.each([
    ['no header', without(0)], ['no MF', without(1)], ['no end', without(elements.length - 1)],
    ['an element after the end', Buffer.concat([...elements, elements[4]!])],
    ['a doubled element', Buffer.concat([elements[0]!, elements[1]!, elements[2]!, elements[2]!, ...elements.slice(3)])],
    ['an unknown element', Buffer.concat([...elements.slice(0, -1), encodeTlv(0xbe), elements.at(-1)!])],
    ['nothing', new Uint8Array()],
  ])('refuses %s', (_what, bytes) => {
    expect(() => readProfilePackage(bytes)).toThrow(RspError);
  });

  it('refuses ICCIDs that differ', () => {
    const other = readTlvs(buildProfilePackage({ ...person, iccid: '8986000000000000013' }));
    expect(() => readProfilePackage(Buffer.concat([elements[0]!, other[1]!.raw, ...elements.slice(2)]))).toThrow('saip/value');
  });

  it('ends with an answer or an RspError on any change', () => {
    fc.assert(fc.property(fc.nat(upp.length - 1), fc.nat(255), (at, byte) => {
      const changed = Uint8Array.from(upp);
      changed[at] = byte;
      try {
        readProfilePackage(changed);
      } catch (error) {
        return error instanceof RspError;
      }
      return true;
    }), { numRuns: runs });
  }, 300_000);

  it.skipIf(!existsSync(samples))('reads the public test profiles (in ../shared/data when it is there)', () => {
    for (const name of ['ts48-v7-saip2.3-bertlv-suci.der', 'ts48-v7-saip2.3-nobertlv.der']) {
      const read = readProfilePackage(readFileSync(new URL(name, samples)));
      expect(read).toMatchObject({ version: { major: 2, minor: 3 }, iccid: '89000123456789012341', imsi: '001010123456789' });
      expect(read.elements.length).toBeGreaterThan(25);
    }
    expect(readTlv(elements[0]!).tag).toBe(0xa0);
  });
});
