import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { profileState, profileSteps } from '@yuanyou/contract';
import { checkDigit, columns, iccidFault, isImsi, mayFollow, numbersOf, rangeFault, secretsFrom } from './model.ts';

const digits = (min: number, max: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: min, maxLength: max });

describe('ICCID', () => {
  it('agrees with the worked example of the Luhn formula', () => {
    expect(checkDigit('7992739871')).toBe('3');
  });

  it('sees every wrong digit', () => {
    fc.assert(fc.property(digits(16, 16), fc.nat(18), fc.integer({ min: 1, max: 9 }), (body, place, by) => {
      const iccid = `89${body}` + checkDigit(`89${body}`);
      const changed = [...iccid].map((digit, i) => (i === place ? String((Number(digit) + by) % 10) : digit)).join('');
      return iccidFault(iccid) === undefined && iccidFault(changed) !== undefined;
    }));
  });

  it.each(['', '8999', '99' + '0'.repeat(17), '89' + '0'.repeat(16) + 'F', '89' + '0'.repeat(19), '８９' + '0'.repeat(17)])('refuses %j', (text) => {
    expect(iccidFault(text)).toBe('bad-iccid');
  });
});

describe('IMSI', () => {
  it.each(['001010000000001', '440100000000001', '99999000000001'])('takes %s', (imsi) => { expect(isImsi(imsi)).toBe(true); });
  it.each(['', '0010100000001', '101010000000001', '0010100000000012', '00101000000000a'])('refuses %j', (imsi) => { expect(isImsi(imsi)).toBe(false); });
});

describe('generated stock', () => {
  const range = { iccidPrefix: '8999901', plmn: '00101', firstSerial: 1, msisdnPrefix: '99970' };

  it('has well-formed numbers that differ', () => {
    fc.assert(fc.property(fc.nat(9_999_998), (serial) => {
      const one = numbersOf(range, serial);
      const next = numbersOf(range, serial + 1);
      expect(iccidFault(one.iccid)).toBeUndefined();
      expect(one.iccid).toHaveLength(19);
      expect(isImsi(one.imsi)).toBe(true);
      expect(columns.msisdn.fault(one.msisdn ?? '')).toBeUndefined();
      expect(new Set([one.iccid, next.iccid, one.imsi, next.imsi]).size).toBe(4);
    }));
  });

  it('fills to the last number that fits, and no further', () => {
    expect(rangeFault({ ...range, firstSerial: 9_999_999 }, 1)).toBeUndefined();
    expect(rangeFault({ ...range, firstSerial: 9_999_999 }, 2)).toBe('the serial numbers do not fit');
  });

  it.each([
    [{ ...range, iccidPrefix: '88999' }, 1], [{ ...range, plmn: '0010' }, 1], [{ ...range, firstSerial: -1 }, 1], [{ ...range, firstSerial: 1.5 }, 1],
    [range, 0], [range, 1_000_001], [{ ...range, msisdnPrefix: 'x' }, 1],
  ])('refuses %j, %d', (bad, count) => { expect(rangeFault(bad, count)).toBeTypeOf('string'); });

  it('has secrets that its own import would take', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 48, maxLength: 48 }), (random) => {
      const secrets = secretsFrom(random);
      for (const name of ['ki', 'opc', 'pin1', 'puk1', 'adm1'] as const) expect(columns[name].fault(secrets[name])).toBeUndefined();
    }));
  });
});

describe('steps of a profile', () => {
  it('lead from available to every state, and from retired nowhere', () => {
    const reached = new Set<string>(['available']);
    for (let i = 0; i < profileState.options.length; i += 1) {
      for (const from of profileState.options) if (reached.has(from)) for (const to of profileSteps[from]) reached.add(to);
    }
    expect(reached.size).toBe(profileState.options.length);
    expect(profileSteps.retired).toEqual([]);
  });

  it('never lead back to the stock once a phone has the profile', () => {
    for (const from of ['downloaded', 'installed', 'deleted'] as const) expect(mayFollow(from, 'available')).toBe(false);
  });

  it('allow a repeat', () => {
    for (const state of profileState.options) expect(mayFollow(state, state)).toBe(true);
  });
});
