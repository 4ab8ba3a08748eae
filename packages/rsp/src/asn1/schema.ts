import { RspError } from '../errors.ts';
import { encodeTlv, readTlv, tagName, type Tlv, type TlvLimits } from '../tlv/index.ts';

/**
 * A message type: how its values are written and read. `I` is what is encoded, `O` what decoding gives.
 * Every constructor takes the tag first, so that IMPLICIT tagging is the plain case.
 */
export interface Type<I, O extends I = I> {
  /** The tags that a value may begin with: several for a choice. */
  readonly tags: readonly number[];
  /** Reads an object whose tag is one of `tags`. */
  decode(tlv: Tlv): O;
  encode(value: I): Uint8Array;
}

/** A field that may be absent. */
export interface Optional<I, O extends I = I> {
  readonly optional: Type<I, O>;
}

// Inference needs a bound that every Type satisfies, whatever its variance.
// oxlint-disable-next-line no-explicit-any
type AnyType = Type<any, any>;
type Field = AnyType | { readonly optional: AnyType };
type Fields = Readonly<Record<string, Field>>;

type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends { readonly optional: AnyType } ? K : never }[keyof F];
type InOf<F> = F extends { readonly optional: Type<infer I, infer _O> } ? I : F extends Type<infer I, infer _O> ? I : never;
type OutOf<F> = F extends { readonly optional: Type<infer _I, infer O> } ? O : F extends Type<infer _I, infer O> ? O : never;
type Flat<T> = { [K in keyof T]: T[K] };

/** What a sequence is encoded from. */
export type SequenceIn<F extends Fields> = Flat<
  { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: InOf<F[K]> } & { readonly [K in OptionalKeys<F>]?: InOf<F[K]> | undefined }
>;
/** What a sequence decodes to: its fields and the bytes they came in. */
export type SequenceOut<F extends Fields> = Flat<
  { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: OutOf<F[K]> }
  & { readonly [K in OptionalKeys<F>]?: OutOf<F[K]> | undefined }
  & { readonly raw: Uint8Array }
>;

type ChoiceIn<C extends Readonly<Record<string, AnyType>>> = { [K in keyof C]: { readonly kind: K; readonly value: InOf<C[K]> } }[keyof C];
type ChoiceOut<C extends Readonly<Record<string, AnyType>>> = { [K in keyof C]: { readonly kind: K; readonly value: OutOf<C[K]> } }[keyof C];

/** What `type` is encoded from. */
export type Input<T> = InOf<T>;
/** What `type` decodes to. */
export type Output<T> = OutOf<T>;

/** Marks a sequence's field as one that may be absent. */
export function optional<I, O extends I>(type: Type<I, O>): Optional<I, O> {
  return { optional: type };
}

/**
 * A SEQUENCE with named fields in their order. The decoded object keeps `raw`, the whole object as received, for signatures.
 * Unknown objects after the last field are passed over (the module says EXTENSIBILITY IMPLIED) unless `closed`.
 */
export function sequence<const F extends Fields>(tag: number, fields: F, options: { readonly closed?: true } = {}): Type<SequenceIn<F>, SequenceOut<F>> {
  const plan = Object.entries(fields).map(([name, field]) => ({
    name, type: typeOf(field), required: !('optional' in field),
  }));
  return {
    tags: [tag],
    decode(tlv) {
      const children = tlv.children();
      const out: Record<string, unknown> = {};
      let at = 0;
      for (const { name, type, required } of plan) {
        const child = children[at];
        if (child !== undefined && type.tags.includes(child.tag)) {
          out[name] = type.decode(child);
          at += 1;
        } else if (required) {
          throw new RspError('asn1/missing', `${name} in ${tagName(tag)}`);
        }
      }
      if (at < children.length) refuseKnown(children.slice(at), plan, options.closed === true, tag);
      out.raw = tlv.raw;
      return out as SequenceOut<F>;
    },
    encode(value) {
      const parts: Uint8Array[] = [];
      for (const { name, type, required } of plan) {
        const part = (value as Readonly<Record<string, unknown>>)[name];
        if (part !== undefined) parts.push(type.encode(part));
        else if (required) throw new RspError('asn1/missing', `${name} in ${tagName(tag)}`);
      }
      return encodeTlv(tag, ...parts);
    },
  };
}

/** A SEQUENCE OF one type. */
export function sequenceOf<I, O extends I>(
  tag: number, item: Type<I, O>, limits: { readonly min?: number; readonly max?: number } = {},
): Type<readonly I[], readonly O[]> {
  return {
    tags: [tag],
    decode(tlv) {
      const children = tlv.children();
      if (children.length < (limits.min ?? 0) || children.length > (limits.max ?? 1024)) throw new RspError('asn1/value', `count in ${tagName(tag)}`);
      return children.map((child) => decodeTlv(item, child));
    },
    encode: (items) => encodeTlv(tag, ...items.map((one) => item.encode(one))),
  };
}

/** A CHOICE: the tag says which. */
export function choice<const C extends Readonly<Record<string, AnyType>>>(alternatives: C): Type<ChoiceIn<C>, ChoiceOut<C>> {
  const byTag = new Map<number, { readonly kind: string; readonly type: AnyType }>();
  for (const [kind, type] of Object.entries(alternatives)) {
    for (const tag of type.tags) byTag.set(tag, { kind, type });
  }
  return {
    tags: [...byTag.keys()],
    decode(tlv) {
      const found = byTag.get(tlv.tag);
      if (!found) throw new RspError('asn1/tag', tagName(tlv.tag));
      return { kind: found.kind, value: found.type.decode(tlv) as unknown } as ChoiceOut<C>;
    },
    encode: (value) => alternatives[value.kind]!.encode(value.value),
  };
}

/** EXPLICIT tagging: one object inside another; also the shape of a tagged CHOICE. */
export function explicit<I, O extends I>(tag: number, inner: Type<I, O>): Type<I, O> {
  return {
    tags: [tag],
    decode(tlv) {
      const [only, ...rest] = tlv.children();
      if (only === undefined) throw new RspError('asn1/missing', `in ${tagName(tag)}`);
      if (rest.length) throw new RspError('asn1/unexpected', `in ${tagName(tag)}`);
      return decodeTlv(inner, only);
    },
    encode: (value) => encodeTlv(tag, inner.encode(value)),
  };
}

/**
 * Reads one whole message.
 * @throws RspError `asn1/*`, `tlv/*`
 */
export function decode<I, O extends I>(type: Type<I, O>, bytes: Uint8Array, limits?: TlvLimits): O {
  return decodeTlv(type, readTlv(bytes, limits));
}

/**
 * Reads one message from an object already read.
 * @throws RspError `asn1/*`, `tlv/*`
 */
export function decodeTlv<I, O extends I>(type: Type<I, O>, tlv: Tlv): O {
  if (!type.tags.includes(tlv.tag)) throw new RspError('asn1/tag', `${tagName(tlv.tag)} where ${type.tags.map(tagName).join(' or ')} belongs`);
  return type.decode(tlv);
}

/**
 * Writes one whole message, DER.
 * @throws RspError `asn1/value`, `asn1/missing` when the value does not fit the type
 */
export function encode<I, O extends I>(type: Type<I, O>, value: I): Uint8Array {
  return type.encode(value);
}

function typeOf(field: Field): AnyType {
  return 'optional' in field ? field.optional : field;
}

/** Objects left over: unknown ones are an extension, a known one is out of place or doubled. */
function refuseKnown(left: readonly Tlv[], plan: readonly { readonly type: AnyType }[], closed: boolean, tag: number): void {
  for (const tlv of left) {
    if (closed || plan.some(({ type }) => type.tags.includes(tlv.tag))) throw new RspError('asn1/unexpected', `${tagName(tlv.tag)} in ${tagName(tag)}`);
  }
}
