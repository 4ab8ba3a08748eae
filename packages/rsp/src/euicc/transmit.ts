import { Buffer } from 'node:buffer';
import { concatBytes, equalBytes } from '../bytes.ts';
import { RspError } from '../errors.ts';
import { ISD_R_AID, readCommand, statusWords, writeResponse } from '../es10/index.ts';
import type { CommandApdu } from '../es10/index.ts';
import { perform } from './perform.ts';
import type { EuiccContext, EuiccState } from './state.ts';

/** Most bytes of one STORE DATA chain; SGP.22 needs some 10 KB for a request with certificates. */
export const MAX_CHAIN_BYTES = 32_768;

/** The eUICC after a command, and its response APDU. */
export interface Transmission {
  readonly state: EuiccState;
  readonly answer: Uint8Array;
}

/**
 * Sends one command APDU to the eUICC (ISO/IEC 7816-4, short lengths): SELECT of the ISD-R, MANAGE CHANNEL, TERMINAL CAPABILITY, STORE DATA
 * with ES10 objects, GET RESPONSE. Pure; never throws for what the APDU holds.
 */
export function transmit(state: EuiccState, apdu: Uint8Array, context: EuiccContext): Transmission {
  let command: CommandApdu;
  try {
    command = readCommand(apdu);
  } catch (error) {
    if (error instanceof RspError) return { state, answer: writeResponse(statusWords.wrongLength) };
    throw error;
  }
  const carryOut = instructions[command.ins];
  return carryOut ? carryOut(state, command, context) : { state, answer: writeResponse(statusWords.instructionUnsupported) };
}

type Instruction = (state: EuiccState, command: CommandApdu, context: EuiccContext) => Transmission;

const instructions: Readonly<Record<number, Instruction>> = {
  0xa4: select, 0x70: manageChannel, 0xaa: (state) => ({ state, answer: writeResponse(statusWords.ok) }), 0xe2: storeBlock, 0xc0: readOn,
};

function select(state: EuiccState, command: CommandApdu): Transmission {
  const known = command.p1 === 0x04 && equalBytes(command.data, ISD_R_AID);
  return { state: withoutChain(state), answer: writeResponse(known ? statusWords.ok : statusWords.applicationNotFound) };
}

/** There is one supplementary channel, number 1; opening it again is no harm. */
function manageChannel(state: EuiccState, command: CommandApdu): Transmission {
  const opens = command.p1 === 0x00;
  return { state: withoutChain(state), answer: opens ? writeResponse(statusWords.ok, Buffer.of(1)) : writeResponse(statusWords.ok) };
}

/** STORE DATA: blocks count from 0; P1 11 says that more follow, 91 that this is the last. */
function storeBlock(before: EuiccState, command: CommandApdu, context: EuiccContext): Transmission {
  const { unread: _dropped, ...state } = before;
  const refuse = (status: number): Transmission => ({ state: withoutChain(state), answer: writeResponse(status) });
  if (command.cla !== 0x80) return refuse(statusWords.classUnsupported);
  const isLast = command.p1 === 0x91;
  if (!isLast && command.p1 !== 0x11) return refuse(statusWords.wrongP1P2);
  const chain = command.p2 === 0 ? { blocks: [], bytes: 0 } : state.chain;
  if (!chain || (command.p2 !== 0 && chain.blocks.length !== command.p2)) return refuse(statusWords.wrongP1P2);
  const blocks = [...chain.blocks, command.data];
  const bytes = chain.bytes + command.data.length;
  if (bytes > MAX_CHAIN_BYTES) return refuse(statusWords.wrongLength);
  if (!isLast) return { state: { ...state, chain: { blocks, bytes } }, answer: writeResponse(statusWords.ok) };
  const result = perform(withoutChain(state), concatBytes(...blocks), context);
  return typeof result === 'number' ? refuse(result) : respond(result.state, result.answer);
}

/** GET RESPONSE: the next piece of an answer. */
function readOn(before: EuiccState, command: CommandApdu): Transmission {
  const { unread, ...state } = before;
  if (!unread) return { state, answer: writeResponse(statusWords.conditionsNotSatisfied) };
  const piece = unread.subarray(0, Math.min(command.le ?? 256, 256));
  const rest = unread.subarray(piece.length);
  return rest.length === 0
    ? { state, answer: writeResponse(statusWords.ok, piece) }
    : { state: { ...state, unread: rest }, answer: writeResponse(moreStatus(rest), piece) };
}

function respond(state: EuiccState, answer: Uint8Array): Transmission {
  if (answer.length <= state.answerBytes) return { state, answer: writeResponse(statusWords.ok, answer) };
  return { state: { ...state, unread: answer }, answer: writeResponse(moreStatus(answer)) };
}

/** 61xx: xx more bytes are there, 00 for 256 or more. */
function moreStatus(rest: Uint8Array): number {
  return 0x6100 | (rest.length > 255 ? 0 : rest.length);
}

function withoutChain({ chain: _dropped, ...state }: EuiccState): EuiccState {
  return state;
}
