import { Buffer } from 'node:buffer';
import { choice, decodeTlv, empty, encode, explicit, integer, octets, oid, optional, raw, sequence, sequenceOf, utf8, type Output } from '../asn1/index.ts';
import { RspError } from '../errors.ts';
import { decodeIccid } from '../identity.ts';
import { readTlvs, type Tlv } from '../tlv/index.ts';
import { profileElements, templates, type ProfileElementName } from './elements.ts';
import { decodeImsi } from './files.ts';

/** Largest profile package that is read, in bytes. */
export const MAX_PROFILE_BYTES = 1_048_576;

const Header = sequence(0xa0, {
  majorVersion: integer(0x80, { max: 255 }),
  minorVersion: integer(0x81, { max: 255 }),
  profileType: optional(utf8(0x82, { max: 100 })),
  iccid: octets(0x83, { length: 10 }),
  pol: optional(octets(0x84)),
  mandatoryServices: raw(0xa5),
  mandatoryTemplates: sequenceOf(0xa6, oid(), { max: 64 }),
  connectivity: optional(octets(0x87)),
  mandatoryAids: optional(raw(0xa8)),
});

const ElementHead = sequence(0xa0, { mandated: optional(empty(0x80)), identification: integer(0x81, { max: 32_767 }) });

/** File: descriptor and content in turns. */
const FileContent = (tag: number) => sequenceOf(tag, choice({
  doNotCreate: empty(0x80),
  descriptor: raw(0xa1),
  offset: integer(0x82, { max: 65_535 }),
  content: octets(0x83),
}), { max: 1024 });

const AkaParameter = sequence(0xa4, {
  head: ElementHead,
  algorithm: explicit(0xa1, choice({
    mapping: raw(0xa0),
    algorithm: sequence(0xa1, {
      id: integer(0x80, { max: 255 }),
      options: octets(0x81, { length: 1 }),
      key: octets(0x82, { min: 16, max: 32 }),
      opc: octets(0x83, { min: 16, max: 32 }),
    }),
  })),
});

/** One element of a package. */
export interface ProfileElement {
  readonly name: ProfileElementName;
  /** Number in the package; the header has none. */
  readonly identification?: number;
  readonly tlv: Tlv;
}

/** What a package says of itself. Keys stay in `elements`. */
export interface ProfilePackage {
  readonly version: { readonly major: number; readonly minor: number };
  readonly profileType?: string;
  /** From the header, 18 to 20 digits; the same as in EF.ICCID. */
  readonly iccid: string;
  /** From EF.IMSI of the first USIM; undefined where the package has none there. */
  readonly imsi?: string;
  readonly elements: readonly ProfileElement[];
}

/**
 * Walks an unprotected profile package element by element.
 * @throws RspError `saip/structure` (order, doubled numbers, unknown elements), `saip/value` (ICCIDs that differ, a bad IMSI), `tlv/*`, `asn1/*`
 */
export function readProfilePackage(bytes: Uint8Array): ProfilePackage {
  const elements = readTlvs(bytes, { maxBytes: MAX_PROFILE_BYTES, maxChildren: 1024 }).map(readElement);
  requireOrder(elements);
  const header = decodeTlv(Header, elements[0]!.tlv);
  if (header.majorVersion !== 2) throw new RspError('saip/structure', `version ${header.majorVersion}.${header.minorVersion}`);
  const iccid = headerIccid(header);
  if (decodeIccid(fileOf(elements, 'mf', 0xa4) ?? new Uint8Array()) !== iccid) throw new RspError('saip/value', 'EF.ICCID differs from the header');
  for (const element of elements) if (element.name === 'akaParameter') decodeTlv(AkaParameter, element.tlv);
  const imsi = fileOf(elements, 'usim', 0xa3);
  return {
    version: { major: header.majorVersion, minor: header.minorVersion },
    ...(header.profileType !== undefined && { profileType: header.profileType }),
    iccid,
    ...(imsi !== undefined && { imsi: decodeImsi(imsi) }),
    elements,
  };
}

function readElement(tlv: Tlv): ProfileElement {
  const name = (profileElements as Readonly<Record<number, ProfileElementName>>)[tlv.tag];
  if (!name) throw new RspError('saip/structure', `element ${tlv.tag.toString(16)}`);
  if (name === 'header') return { name, tlv };
  const [first] = tlv.children();
  if (!first || first.tag !== 0xa0) throw new RspError('saip/structure', `${name} without a head`);
  return { name, tlv, identification: decodeTlv(ElementHead, first).identification };
}

function requireOrder(elements: readonly ProfileElement[]): void {
  const names = elements.map(({ name }) => name);
  const once = (name: ProfileElementName) => names.filter((one) => one === name).length === 1;
  if (names[0] !== 'header' || !once('header')) throw new RspError('saip/structure', 'header');
  if (names[1] !== 'mf' || !once('mf')) throw new RspError('saip/structure', 'MF');
  if (names.at(-1) !== 'end' || !once('end')) throw new RspError('saip/structure', 'end');
  const ids = elements.flatMap(({ identification }) => identification ?? []);
  if (new Set(ids).size !== ids.length) throw new RspError('saip/structure', 'an identification twice');
  requireTemplates(elements);
}

function requireTemplates(elements: readonly ProfileElement[]): void {
  for (const { name, tlv } of elements) {
    if (!(name in templates)) continue;
    const wanted = encode(oid(0x81), templates[name as keyof typeof templates]);
    const template = tlv.children()[1];
    if (!template || Buffer.compare(template.raw, wanted) !== 0) throw new RspError('saip/structure', `template of ${name}`);
  }
}

function headerIccid(header: Output<typeof Header>): string {
  const text = Buffer.from(header.iccid).toString('hex').toUpperCase();
  if (!/^(?:\d{20}|\d{19}F|\d{18}FF)$/.test(text)) throw new RspError('saip/value', 'ICCID of the header');
  return text.replace(/F+$/, '');
}

/** Content of a file of the first element with this name; undefined when the file or its content is left out. */
function fileOf(elements: readonly ProfileElement[], name: ProfileElementName, tag: number): Uint8Array | undefined {
  const tlv = elements.find((element) => element.name === name)?.tlv.children().find((child) => child.tag === tag);
  if (!tlv) return undefined;
  const pieces = decodeTlv(FileContent(tag), tlv).flatMap((part) => {
    if (part.kind === 'content') return [part.value];
    return part.kind === 'offset' ? [new Uint8Array(part.value).fill(0xff)] : [];
  });
  return pieces.length ? Buffer.concat(pieces) : undefined;
}
