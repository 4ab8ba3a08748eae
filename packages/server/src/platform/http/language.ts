import type { Language } from '@yuanyou/contract';

/** The best of our languages for an Accept-Language header (RFC 9110 12.5.4); English when none fits. */
export function languageOf(header: string | undefined): Language {
  let best: Language = 'en';
  let bestWeight = 0;
  for (const part of (header ?? '').slice(0, 500).split(',')) {
    const [tag = '', ...parameters] = part.trim().toLowerCase().split(';');
    const language = ours(tag.trim());
    const weight = weightOf(parameters);
    if (language !== undefined && weight > bestWeight) {
      best = language;
      bestWeight = weight;
    }
  }
  return best;
}

function ours(tag: string): Language | undefined {
  if (/^zh(-|$)/.test(tag)) return /-(hant|tw|hk|mo)\b/.test(tag) && !tag.includes('-hans') ? 'zh-Hant' : 'zh-Hans';
  return /^en(-|$)/.test(tag) ? 'en' : undefined;
}

function weightOf(parameters: readonly string[]): number {
  const given = parameters.map((one) => one.trim()).find((one) => one.startsWith('q='));
  if (given === undefined) return 1;
  const weight = Number(given.slice(2));
  return weight >= 0 && weight <= 1 ? weight : 0;
}
