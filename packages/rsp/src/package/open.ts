import { decode, ReplaceSessionKeysRequest } from '../asn1/index.ts';
import { startBsp, unprotectSegment, type BspState, type SessionKeys } from '../bsp/index.ts';
import { concatBytes } from '../bytes.ts';
import { RspError } from '../errors.ts';
import { tagName } from '../tlv/index.ts';

/** The parts of a bound profile package after `BF23`, in their order. */
export type Section = 'configureIsdp' | 'storeMetadata' | 'replaceSessionKeys' | 'profileElements';

interface SectionRow {
  readonly section: Section;
  readonly segmentTag: number;
  /** The tags that may come before; `undefined` is the start. */
  readonly after: readonly (number | undefined)[];
  readonly maxBytes: number;
}

const sections: Readonly<Record<number, SectionRow>> = {
  0xa0: { section: 'configureIsdp', segmentTag: 0x87, after: [undefined], maxBytes: 2_040 },
  0xa1: { section: 'storeMetadata', segmentTag: 0x88, after: [0xa0], maxBytes: 8_160 },
  0xa2: { section: 'replaceSessionKeys', segmentTag: 0x87, after: [0xa1], maxBytes: 1_020 },
  0xa3: { section: 'profileElements', segmentTag: 0x86, after: [0xa1, 0xa2], maxBytes: 2_097_152 },
};

/** How far the opening of a bound profile package has come. Plain values, so that an eUICC may keep it between commands; secret. */
export interface Opening {
  readonly bsp: BspState;
  /** Tag of the section under way or last ended. */
  readonly sectionTag?: number;
  /** Bytes of segments that the section still lacks; 0 between sections. */
  readonly remaining: number;
  /** Plaintexts of the section under way. */
  readonly plaintexts: readonly Uint8Array[];
}

/** One section, whole: `BF24`, `BF25`, `BF26`, or the profile package. */
export interface OpenedSection {
  readonly section: Section;
  readonly content: Uint8Array;
}

/** Begins to open a package whose `BF23` was verified. */
export function beginOpening(sessionKeys: SessionKeys): Opening {
  return { bsp: startBsp(sessionKeys), remaining: 0, plaintexts: [] };
}

/**
 * A section's head has arrived.
 * @param tag `0xA0` to `0xA3`
 * @param length bytes of all its segments, from the head
 * @throws RspError `package/order`, `package/structure`
 */
export function enterSection(opening: Opening, tag: number, length: number): Opening {
  const row = sections[tag];
  if (!row) throw new RspError('package/structure', tagName(tag));
  if (opening.remaining !== 0 || !row.after.includes(opening.sectionTag)) throw new RspError('package/order', tagName(tag));
  if (length < 1 || length > row.maxBytes) throw new RspError('package/structure', `length of ${tagName(tag)}`);
  return { bsp: opening.bsp, sectionTag: tag, remaining: length, plaintexts: [] };
}

/**
 * A segment has arrived, head and all: verified, opened, and kept until its section is whole. After `replaceSessionKeys` the new keys
 * are in force.
 * @returns the next state, and `ended` with the section's content when this was its last segment
 * @throws RspError `package/order` (no such segment belongs here), `package/structure`, and the codes of `unprotectSegment`
 */
export function openSegment(opening: Opening, segment: Uint8Array): { readonly opening: Opening; readonly ended?: OpenedSection } {
  const row = opening.sectionTag === undefined ? undefined : sections[opening.sectionTag];
  if (!row || opening.remaining === 0 || segment[0] !== row.segmentTag) throw new RspError('package/order', 'segment');
  if (segment.length > opening.remaining) throw new RspError('package/structure', 'segment beyond its section');
  const { plaintext, state } = unprotectSegment(opening.bsp, segment);
  const remaining = opening.remaining - segment.length;
  const plaintexts = [...opening.plaintexts, plaintext];
  if (remaining > 0) return { opening: { ...opening, bsp: state, remaining, plaintexts } };
  const content = concatBytes(...plaintexts);
  const bsp = row.section === 'replaceSessionKeys' ? startBsp(decode(ReplaceSessionKeysRequest, content)) : state;
  return { opening: { ...opening, bsp, remaining, plaintexts: [] }, ended: { section: row.section, content } };
}

/** True once the profile elements have arrived whole. */
export function isOpened(opening: Opening): boolean {
  return opening.sectionTag === 0xa3 && opening.remaining === 0;
}
