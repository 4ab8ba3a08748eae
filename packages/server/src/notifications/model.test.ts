import { describe, expect, it } from 'vitest';
import { codeFrom, defineMessage, maskedEmail, nextMove, readCode, rendered, shownCode, type Standing } from './model.ts';

const greeting = defineMessage<{ plan: string }>({
  kind: 'test.greeting',
  render: {
    en: ({ plan }) => ({ subject: `Your ${plan}`, text: `It is ready: ${plan}.\n\n` }),
    'zh-Hans': ({ plan }) => ({ subject: `您的${plan}`, text: `${plan}已就绪。` }),
    'zh-Hant': ({ plan }) => ({ subject: `您的${plan}`, text: `${plan}已就緒。` }),
  },
});

describe('the words', () => {
  it('end with the code and where to check it, in each language', () => {
    for (const language of ['en', 'zh-Hans', 'zh-Hant'] as const) {
      const { text } = rendered(greeting, language, { plan: 'Japan' }, 'AAAA-BBBB-CCCC', 'https://yuanyou.example/verify-message');
      expect(text).toContain('AAAA-BBBB-CCCC');
      expect(text).toContain('https://yuanyou.example/verify-message');
    }
  });

  it('cannot smuggle a header into the subject', () => {
    expect(rendered(greeting, 'en', { plan: 'x\r\nBcc: all@example.org' }, 'c', 'u').subject).toBe('Your x Bcc: all@example.org');
  });
});

describe('a code', () => {
  it('is read as people type it', () => {
    const code = codeFrom(new Uint8Array(12).fill(1));
    expect(code).toBe('111111111111');
    expect(readCode(` ${shownCode(code).toLowerCase().replace('1', 'l').replace('1', 'I')} `)).toBe(code);
    expect(readCode('O000-0000-0000')).toBe('000000000000');
  });

  it.each(['', '0000', 'UUUU-UUUU-UUUU', '0000-0000-00000'])('is not %j', (typed) => { expect(readCode(typed)).toBeUndefined(); });
});

describe('a masked address', () => {
  it.each([['mei@example.org', 'm***@e***.org'], ['游@例え.jp', '游***@例***.jp'], ['a@localhost', 'a***@***']])('%s is shown as %s', (email, shown) => {
    expect(maskedEmail(email)).toBe(shown);
  });
});

describe('the next move', () => {
  const now = new Date('2026-11-22T08:00:00Z');
  const standing = (more: Partial<Standing>): Standing => ({ status: 'queued', suppressed: false, unknownOutcomes: 0, nextAttemptAt: null, sendingUntil: null, ...more });

  it.each([
    ['a waiting message', standing({}), { kind: 'send', unknownOutcomes: 0 }],
    ['one whose next attempt is due', standing({ nextAttemptAt: now }), { kind: 'send', unknownOutcomes: 0 }],
    ['one whose next attempt is later', standing({ nextAttemptAt: new Date(now.getTime() + 1) }), { kind: 'not-due' }],
    ['a sent one', standing({ status: 'sent' }), { kind: 'nothing-to-do' }],
    ['one of a suppressed subject', standing({ suppressed: true }), { kind: 'suppress' }],
    ['one that another worker is sending', standing({ status: 'sending', sendingUntil: new Date(now.getTime() + 1) }), { kind: 'busy' }],
    ['one whose worker died once', standing({ status: 'sending', sendingUntil: now }), { kind: 'send', unknownOutcomes: 1 }],
    ['one whose worker died a fourth time', standing({ status: 'sending', sendingUntil: now, unknownOutcomes: 3 }), { kind: 'give-up', unknownOutcomes: 4 }],
  ])('of %s', (_, given, move) => { expect(nextMove(given, now)).toEqual(move); });
});
