import { Buffer } from 'node:buffer';
import { encode, integer, oid } from '../asn1/index.ts';
import { concatBytes, fromHex } from '../bytes.ts';
import { RspError } from '../errors.ts';
import { encodeIccid } from '../identity.ts';
import { encodeTlv } from '../tlv/index.ts';
import { mandatoryServices, templates } from './elements.ts';
import { encodeImsi, encodePin, file, records } from './files.ts';

/** What makes a profile one operator's and one subscription's. The keys and codes are secret. */
export interface Personalisation {
  /** 18 to 20 digits. */
  readonly iccid: string;
  /** 6 to 15 digits. */
  readonly imsi: string;
  /** Digits of the MNC inside the IMSI: 2 or 3. */
  readonly mncLength: 2 | 3;
  /** Milenage K, 16 bytes. */
  readonly ki: Uint8Array;
  /** Milenage OPc, 16 bytes. */
  readonly opc: Uint8Array;
  /** 4 to 8 digits. */
  readonly pin1: string;
  /** 8 digits. */
  readonly puk1: string;
  /** A second PIN and its PUK; a profile without them leaves to ADM1 what they would guard. */
  readonly second?: { readonly pin2: string; readonly puk2: string };
  /** 8 bytes. */
  readonly adm1: Uint8Array;
  /** Shown by the phone, up to 16 characters of ASCII (EF.SPN). */
  readonly serviceProviderName: string;
}

const USIM_AID = 'A0000000871002FF49FF0589';

// Key references (ETSI TS 102 221): application PIN 1, ADM 1, and the ADF's own second PIN.
const PIN1 = 0x01;
const ADM1 = 0x0a;
const PIN2 = 0x81;

const always = '9000';
const pin1 = 'A406830101950108';
const pin2 = 'A406830181950108';
const adm = 'A40683010A950108';

/** One record of EF.ARR: who may read, who may update, and ADM for the rest (activate, deactivate, resize). */
const rule = (read: string, update: string) => fromHex(`800101${read}800102${update}800158${adm}`);

const rules = {
  readAlways: 1, readPinUpdatePin: 2, readPinUpdateAdm: 3, readAlwaysUpdatePin: 4, readPinUpdatePin2: 5,
} as const;
const ruleRecords = records(
  0x30, rule(always, adm), rule(pin1, pin1), rule(pin1, adm), rule(always, pin1), rule(pin1, pin2),
);
const inMf = (which: keyof typeof rules) => `2F060${rules[which]}`;
const inUsim = (which: keyof typeof rules) => `6F060${rules[which]}`;

const elementIds = { mf: 1, puk: 2, pin: 3, cd: 4, usim: 5, pin2: 6, aka: 7, securityDomain: 8, end: 9 } as const;

/** A profile element's header: mandated, and its number in the package. */
const head = (id: number) => encodeTlv(0xa0, encodeTlv(0x80), encode(integer(0x81), id));
const templateId = (id: string) => encode(oid(0x81), id);

/**
 * An unprotected profile package (UPP) for one subscription: one USIM with Milenage in the structure of the TCA interoperable format 2.3.
 * @returns the profile elements one after another, DER
 * @throws RspError `saip/value`, `identity/iccid`
 */
export function buildProfilePackage(person: Personalisation): Uint8Array {
  if (person.ki.length !== 16 || person.opc.length !== 16) throw new RspError('saip/value', 'Ki or OPc');
  if (person.adm1.length !== 8) throw new RspError('saip/value', 'ADM1');
  return concatBytes(
    profileHeader(person), masterFile(person), pukCodes(person), pinCodes(person), cdDirectory, usim(person), secondPin(person), aka(person),
    securityDomain, end,
  );
}

function profileHeader({ iccid }: Personalisation): Uint8Array {
  // The header holds the digits in reading order, unlike EF.ICCID.
  const digits = Buffer.from(iccid.padEnd(20, 'F'), 'hex');
  return encodeTlv(
    0xa0,
    encode(integer(0x80), 2), encode(integer(0x81), 3),
    encodeTlv(0x82, Buffer.from('Yuanyou travel USIM')),
    encodeTlv(0x83, digits),
    encodeTlv(0xa5, encodeTlv(mandatoryServices.usim), encodeTlv(mandatoryServices.milenage)),
    encodeTlv(0xa6, encode(oid(), templates.mf), encode(oid(), templates.cd), encode(oid(), templates.usim)),
  );
}

const masterFileStatic = {
  mf: encodeTlv(0xa2, file({ access: inMf('readAlways'), pinStatus: '010A' })),
  pl: encodeTlv(0xa3, file({ access: inMf('readAlwaysUpdatePin'), size: 4 }, fromHex('656EFFFF'))),
  dir: encodeTlv(0xa5, file(
    { fileDescriptor: '42210026', access: inMf('readAlways'), size: 0x26 },
    records(0x26, fromHex(`61144F0C${USIM_AID}5004${Buffer.from('USIM').toString('hex')}`)),
  )),
  arr: encodeTlv(0xa6, file({ fileDescriptor: '42210030', access: inMf('readAlways'), size: ruleRecords.length }, ruleRecords)),
};

function masterFile({ iccid }: Personalisation): Uint8Array {
  const { mf, pl, dir, arr } = masterFileStatic;
  return encodeTlv(
    0xb0, head(elementIds.mf), templateId(templates.mf), mf, pl,
    encodeTlv(0xa4, file({ access: inMf('readAlways') }, encodeIccid(iccid))), dir, arr,
  );
}

function pukCodes({ puk1, second }: Personalisation): Uint8Array {
  const one = (reference: number, puk: string) => encodeTlv(0x30, encode(integer(0x80), reference), encodeTlv(0x81, encodePin(puk)));
  return encodeTlv(0xa3, head(elementIds.puk), encodeTlv(0xa1, one(PIN1, puk1), ...(second ? [one(PIN2, second.puk2)] : [])));
}

// PIN attributes: enabled, may be changed, may be disabled. Tries are left to the default of 3; ADM has 10.
function pinCodes({ pin1: code, adm1 }: Personalisation): Uint8Array {
  return encodeTlv(0xa2, head(elementIds.pin), encodeTlv(0xa1, encodeTlv(
    0xa0,
    // Delivered disabled, so that a traveller is not asked for a code nobody told them.
    encodeTlv(0x30, encode(integer(0x80), PIN1), encodeTlv(0x81, encodePin(code)), encode(integer(0x82), PIN1), encode(integer(0x83), 6)),
    encodeTlv(0x30, encode(integer(0x80), ADM1), encodeTlv(0x81, adm1), encode(integer(0x83), 3), encode(integer(0x84), 0xaa)),
  )));
}

function secondPin({ second }: Personalisation): Uint8Array {
  if (!second) return new Uint8Array();
  return encodeTlv(0xa2, head(elementIds.pin2), encodeTlv(0xa1, encodeTlv(
    0xa0, encodeTlv(0x30, encode(integer(0x80), PIN2), encodeTlv(0x81, encodePin(second.pin2)), encode(integer(0x82), PIN2), encode(integer(0x83), 3)),
  )));
}

const cdDirectory = encodeTlv(0xb1, head(elementIds.cd), templateId(templates.cd), encodeTlv(0xa2, file({ access: inMf('readAlways'), pinStatus: '010A' })));

/** Services of EF.UST (3GPP TS 31.102): SMS, SMS parameters, service provider name, the bit that is always set, EPS mobility parameters. */
const services = [10, 12, 19, 33, 85];

function serviceTable(): Uint8Array {
  const table = new Uint8Array(Math.ceil(Math.max(...services) / 8));
  for (const service of services) table[(service - 1) >> 3]! |= 1 << ((service - 1) & 7);
  return table;
}

// No network yet: PLMN unset, area code FFFE (3GPP TS 31.102).
const noArea = 'FFFFFFFFFE';
const emergencyNumbers = records(4, fromHex('11F2FF00'), fromHex('19F1FF00'));

const usimStatic = {
  arr: encodeTlv(0xa4, file({ fileDescriptor: '42210030', access: inUsim('readAlways'), size: ruleRecords.length }, ruleRecords)),
  keys: encodeTlv(0xa5, file({ access: inUsim('readPinUpdatePin') })),
  keysPs: encodeTlv(0xa6, file({ access: inUsim('readPinUpdatePin') })),
  hpplmn: encodeTlv(0xa7, file({ access: inUsim('readPinUpdateAdm') }, fromHex('05'))),
  ust: encodeTlv(0xa8, file({ access: inUsim('readPinUpdateAdm'), size: serviceTable().length }, serviceTable())),
  sms: encodeTlv(0xaa, file({ fileDescriptor: '422100B0', access: inUsim('readPinUpdatePin'), size: 10 * 0xb0 })),
  smsp: encodeTlv(0xab, file({ fileDescriptor: '4221002A', access: inUsim('readPinUpdatePin'), size: 2 * 0x2a })),
  smss: encodeTlv(0xac, file({ access: inUsim('readPinUpdatePin') })),
  startHfn: encodeTlv(0xaf, file({ access: inUsim('readPinUpdatePin') }, fromHex('F00000F00000'))),
  threshold: encodeTlv(0xb0, file({ access: inUsim('readPinUpdateAdm') }, fromHex('FFFFFF'))),
  psloci: encodeTlv(0xb1, file({ access: inUsim('readPinUpdatePin') }, fromHex(`FFFFFFFFFFFFFF${noArea}FF01`))),
  fplmn: encodeTlv(0xb3, file({ access: inUsim('readPinUpdatePin') })),
  loci: encodeTlv(0xb4, file({ access: inUsim('readPinUpdatePin') }, fromHex(`FFFFFFFF${noArea}FF01`))),
  ecc: encodeTlv(0xb6, file({ fileDescriptor: '42210004', access: inUsim('readAlways'), size: emergencyNumbers.length }, emergencyNumbers)),
  netpar: encodeTlv(0xb7, file({ access: inUsim('readPinUpdatePin'), size: 0x32 })),
};

function usim(person: Personalisation): Uint8Array {
  const s = usimStatic;
  const { imsi, mncLength, second } = person;
  // Access class 0 to 9 follows the last digit, so that cells can bar a tenth of the phones at a time.
  const accessClass = 1 << Number(imsi.at(-1));
  return encodeTlv(
    0xb3, head(elementIds.usim), templateId(templates.usim),
    encodeTlv(0xa2, file({ fileId: '7FD0', dfName: USIM_AID, access: inMf('readAlways'), pinStatus: second ? '01810A' : '010A' })),
    encodeTlv(0xa3, file({ access: inUsim('readPinUpdateAdm') }, encodeImsi(imsi))),
    s.arr, s.keys, s.keysPs, s.hpplmn, s.ust, s.sms, s.smsp, s.smss,
    encodeTlv(0xad, file({ access: inUsim('readAlways') }, providerName(person.serviceProviderName))),
    encodeTlv(0xae, file({ access: inUsim(second ? 'readPinUpdatePin2' : 'readPinUpdateAdm') }, fromHex('00'))), s.startHfn, s.threshold, s.psloci,
    encodeTlv(0xb2, file({ access: inUsim('readPinUpdateAdm') }, Uint8Array.of(accessClass >> 8, accessClass & 0xff))),
    s.fplmn, s.loci,
    encodeTlv(0xb5, file({ access: inUsim('readAlways') }, Uint8Array.of(0, 0, 0, mncLength))),
    s.ecc, s.netpar,
  );
}

/** EF.SPN: a display condition, then 16 bytes of name. */
function providerName(name: string): Uint8Array {
  if (!/^[\x20-\x7e]{0,16}$/.test(name)) throw new RspError('saip/value', 'service provider name');
  return records(17, Buffer.concat([Uint8Array.of(0x01), Buffer.from(name, 'ascii')]));
}

function aka({ ki, opc }: Personalisation): Uint8Array {
  const milenage = 1;
  return encodeTlv(0xa4, head(elementIds.aka), encodeTlv(0xa1, encodeTlv(
    0xa1, encode(integer(0x80), milenage), encodeTlv(0x81, Uint8Array.of(0x01)), encodeTlv(0x82, ki), encodeTlv(0x83, opc),
  )));
}

// The operator's security domain, without keys: constant ones would open every profile to whoever knows them.
const securityDomain = encodeTlv(
  0xa6, head(elementIds.securityDomain),
  encodeTlv(
    0xa1, encodeTlv(0x4f, fromHex('A0000001515350')), encodeTlv(0x4f, fromHex('A000000151535041')), encodeTlv(0x4f, fromHex('A000000151000000')),
    encodeTlv(0x82, fromHex('82DC00')), encodeTlv(0x83, fromHex('0F')), encodeTlv(0xc9, fromHex('810280008201F08301F08701F0')),
  ),
);

const end = encodeTlv(0xaa, head(elementIds.end));
