import pg from 'pg';

const int8 = 20;
const date = 1082;
const timestampWithoutZone = 1114;
const int8Array = 1016;

// The typings name no array types.
const textArrayType = 1009 as never;

type Parser = (text: string) => unknown;
const textArray = pg.types.getTypeParser(textArrayType) as (text: string) => (string | null)[];

/** int8 is exact as bigint; a calendar date and a time without zone stay text, since a Date would put them into this machine's zone. */
const own = new Map<number, Parser>([
  [int8, BigInt],
  [date, (text) => text],
  [timestampWithoutZone, (text) => text],
  [int8Array, (text) => textArray(text).map((element) => (element === null ? null : BigInt(element)))],
]);

export const typeParsers = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): Parser {
    return own.get(oid) ?? (pg.types.getTypeParser(oid, format ?? 'text') as Parser);
  },
} as pg.CustomTypesConfig;
