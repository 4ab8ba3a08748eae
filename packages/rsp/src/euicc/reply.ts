import { encode } from '../asn1/index.ts';
import { es10Functions } from '../es10/index.ts';
import type { Es10AnswerInput, Es10Call, Es10Name } from '../es10/index.ts';
import type { EuiccContext, EuiccState } from './state.ts';

/** The eUICC after a command, and the object that it answers with; no bytes when the answer is the status word alone. */
export interface Reply {
  readonly state: EuiccState;
  readonly answer: Uint8Array;
}

/** Carries out one ES10 function. */
export type Perform<N extends Es10Name> = (state: EuiccState, call: Es10Call<N>, context: EuiccContext) => Reply;

/** A function's answer, encoded. */
export function reply<N extends Es10Name>(state: EuiccState, name: N, answer: Es10AnswerInput<N>): Reply {
  return { state, answer: encode(es10Functions[name].answer as never, answer as never) };
}

/** The state without its RSP session: one-time keys and session keys are gone. */
export function withoutSession({ session: _ended, ...state }: EuiccState): EuiccState {
  return state;
}
