/** What a search asks for, before anybody looks up its places. */
export interface Wish {
  readonly dataBytes: number | null;
  readonly validityDays: number | null;
  /** The rest, in pieces that spaces and punctuation part. */
  readonly pieces: readonly string[];
}

/** A stretch of a search that may name a place: pieces `from` to `to` (excluded) of `Spans.units`. */
export interface Span {
  readonly term: string;
  readonly from: number;
  readonly to: number;
}

const longestTerm = 40;
const numerals: Readonly<Record<string, number>> = { 一: 1, 二: 2, 两: 2, 兩: 2, 三: 3, 四: 4, 五: 5, 六: 6, 七: 7, 八: 8, 九: 9, 十: 10, 半: 0.5 };
const amount = String.raw`(\d{1,6}(?:\.\d{1,3})?|[一二两兩三四五六七八九十半])\s*`;
const after = String.raw`(?![\p{Script=Latin}])`;

/** Units of data by their factor, of time by their days; the first that fits is taken. */
const dataUnits: readonly (readonly [RegExp, number])[] = [
  [new RegExp(`${amount}(?:个|個)?(?:gb|gib|gigabytes?|gigs?|g|吉)${after}`, 'u'), 1_000_000_000],
  [new RegExp(`${amount}(?:mb|mib|megabytes?|megs?|m|兆)${after}`, 'u'), 1_000_000],
];
const timeUnits: readonly (readonly [RegExp, number])[] = [
  [new RegExp(`${amount}(?:-\\s*)?(?:days?|d|天|日間|日间|日(?!本|韩|韓))${after}`, 'u'), 1],
  [new RegExp(`${amount}(?:个|個)?(?:weeks?|wks?|w|周|週|星期|礼拜|禮拜)${after}`, 'u'), 7],
  [new RegExp(`${amount}(?:个|個)?(?:months?|月)${after}`, 'u'), 30],
];

/** Words of the trade that name no place. */
const tradeWords = new Set(
  'esim,sim,plan,plans,data,card,travel,roaming,internet,mobile,prepaid,package,cheap,the,for,in,to,of,and,a,with,trip,tour,local'.split(','));
const tradeHan = /流量|套餐|方案|电话卡|電話卡|上网卡|上網卡|网卡|網卡|手机卡|手機卡|旅游|旅遊|旅行|漫游|漫遊|上网|上網|数据|數據|无限|無限|便宜|卡|的|去|和|游|遊/gu;

/** Folded text: compatibility forms, case and marks gone, so that "Ｎｉｈｏｎ", "México" and "mexico" compare as people expect. */
export function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFD').replace(/\p{M}/gu, '').normalize('NFC');
}

/** A name as it is stored for searching: folded, letters and digits only. */
export function termOf(name: string): string {
  return folded(name).replace(/[^\p{L}\p{N}]/gu, '').slice(0, longestTerm);
}

/** The terms under which something with these names is found. */
export function termsOf(names: readonly string[]): string[] {
  return [...new Set(names.map(termOf))].filter((term) => term !== '');
}

function taken(text: string, units: readonly (readonly [RegExp, number])[]): { readonly rest: string; readonly value: number | null } {
  for (const [pattern, factor] of units) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const value = Math.round((numerals[match[1]!] ?? Number(match[1])) * factor);
    return { rest: `${text.slice(0, match.index)} ${text.slice(match.index + match[0].length)}`, value: value > 0 ? value : null };
  }
  return { rest: text, value: null };
}

/** Takes amount, period and words of the trade out of a search; what is left may name places. */
export function wishOf(query: string): Wish {
  const data = taken(folded(query), dataUnits);
  const time = taken(data.rest, timeUnits);
  const pieces = time.rest.replaceAll(tradeHan, ' ').split(/[^\p{L}\p{N}]+/u).filter((piece) => piece !== '' && !tradeWords.has(piece)).slice(0, 12);
  return { dataBytes: data.value, validityDays: time.value, pieces };
}

const isHan = (text: string): boolean => /\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}/u.test(text);

/** Writing without spaces is taken letter by letter, other writing word by word. */
export function unitsOf(pieces: readonly string[]): string[] {
  return pieces.flatMap((piece) => (isHan(piece) ? [...piece] : [piece])).slice(0, 40);
}

/** Every stretch of up to eight units that may be a place. */
export function spansOf(units: readonly string[]): Span[] {
  return units.flatMap((_, from) => Array.from({ length: Math.min(8, units.length - from) }, (_unused, more) => {
    const to = from + more + 1;
    return { term: units.slice(from, to).join(''), from, to };
  })).filter(({ term }) => term.length <= longestTerm);
}

/** A term that the catalogue knows, with the places it stands for. */
export type KnownTerms = ReadonlyMap<string, readonly string[]>;

/**
 * The places of a search: from the left the longest name each time, then beginnings of names ("thai", "马来").
 * Each group holds what one name may mean; a plan should reach one place of every group.
 */
export function placesOf(units: readonly string[], known: KnownTerms, beginnings: KnownTerms): { readonly groups: string[][]; readonly unknown: string[] } {
  const groups: string[][] = [];
  const unknown: string[] = [];
  let at = 0;
  while (at < units.length) {
    const found = longestAt(units, at, known) ?? longestAt(units, at, beginnings);
    if (found === undefined) {
      unknown.push(units[at]!);
      at += 1;
      continue;
    }
    groups.push([...found.places]);
    at = found.to;
  }
  return { groups: groups.slice(0, 3), unknown };
}

function longestAt(units: readonly string[], from: number, known: KnownTerms): { readonly places: readonly string[]; readonly to: number } | undefined {
  for (let to = Math.min(units.length, from + 8); to > from; to -= 1) {
    const places = known.get(units.slice(from, to).join(''));
    if (places !== undefined) return { places, to };
  }
  return undefined;
}

/** The beginnings worth looking up: three letters of an alphabet, or two characters. */
export function beginningsOf(spans: readonly Span[]): string[] {
  return [...new Set(spans.map(({ term }) => term).filter((term) => term.length >= (isHan(term) ? 2 : 3)))];
}
