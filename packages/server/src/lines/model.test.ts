import { deliverySteps, deliveryState, lineActions, serviceState } from '@yuanyou/contract';
import type { LineAction } from '@yuanyou/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deliveryChange, isOnDevice, serviceChange } from './model.ts';
import type { Line } from './model.ts';

const line = (change: Partial<Line>): Line => ({
  lineId: 'l', accountId: 'a', planId: 'p', operatorId: 'o', profileId: 'f', delivery: 'released', service: 'active', iccid: '8981099000000000017',
  deviceId: null, createdAt: new Date(0), activatedAt: null, terminatedAt: null, ...change,
});
const actions = Object.keys(lineActions) as LineAction[];

describe('the service of a line', () => {
  it('moves as the table says; what stands there already changes nothing', () => {
    expect(serviceChange(line({}), 'suspend')).toEqual({ axis: 'service', from: 'active', to: 'suspended' });
    expect(serviceChange(line({ service: 'suspended' }), 'suspend')).toBe('already');
    expect(serviceChange(line({ service: 'pending' }), 'suspend')).toBe('refused');
  });

  it('ends for good', () => {
    for (const action of actions) expect(serviceChange(line({ service: 'terminated' }), action)).toBe(action === 'terminate' ? 'already' : 'refused');
    for (const service of serviceState.options) expect(serviceChange(line({ service }), 'terminate')).not.toBe('refused');
  });
});

describe('reports about a profile', () => {
  it('in whatever order never lead anywhere that the table does not, and a retired profile stays retired', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...deliveryState.options), { maxLength: 20 }), (reports) => {
      let now = line({ delivery: 'allocated' });
      for (const to of reports) {
        const change = deliveryChange(now, to);
        if (change !== 'already') expect(deliverySteps[now.delivery]).toContain(to);
        if (now.delivery === 'retired') expect(change).toBe('already');
        now = change === 'already' ? now : { ...now, delivery: to };
      }
    }));
  });

  it('tell whether a phone holds it', () => {
    const holding = deliveryState.options.filter((delivery) => isOnDevice({ delivery }));
    expect(holding).toEqual(['downloaded', 'installed', 'enabled', 'disabled']);
  });
});
