import {
  AuthenticateServerRequest, AuthenticateServerResponse, boolean, CancelSessionRequest, CancelSessionResponse, choice, Eid, empty, EuiccInfo1, EuiccInfo2,
  explicit, Iccid, integer, NotificationMetadata, notificationEvent, octets, optional, PendingNotification, PrepareDownloadRequest,
  PrepareDownloadResponse, ProfileInstallationResult, raw, sequence, sequenceOf, bits, utf8,
} from '../asn1/index.ts';
import type { Input, Output, Type } from '../asn1/index.ts';
import { ProfileInfo, ProfilePolicyAuthorisationRule } from './profile-info.ts';

/** One function of ES10a, ES10b or ES10c: what goes into the eUICC and what comes out of it. */
export interface Es10Function<QI, QO extends QI, AI, AO extends AI> {
  /** Tag of the request, and but for LoadBoundProfilePackage of the answer too. */
  readonly tag: number;
  readonly request: Type<QI, QO>;
  readonly answer: Type<AI, AO>;
}

function declare<QI, QO extends QI, AI, AO extends AI>(tag: number, request: Type<QI, QO>, answer: Type<AI, AO>): Es10Function<QI, QO, AI, AO> {
  return { tag, request, answer };
}

const aid = octets(0x4f, { min: 5, max: 16 });
const resultCode = integer(0x80, { max: 255 });
const profileIdentifier = choice({ aid, iccid: Iccid });

/** The answer of a function that gives a code alone. */
function codeAnswer(tag: number) {
  return sequence(tag, { result: resultCode });
}

/** A list, or a code that says why there is none. */
function listAnswer<I, O extends I>(tag: number, item: Type<I, O>) {
  return explicit(tag, choice({ ok: sequenceOf(0xa0, item), error: integer(0x81, { max: 255 }) }));
}

/** The profile that EnableProfile and DisableProfile name, and whether the phone shall read the card anew. */
function switchRequest(tag: number) {
  return sequence(tag, { profile: explicit(0xa0, profileIdentifier), refresh: boolean(0x81) });
}

/** Which notifications are meant: all, those of one operation, or one alone. */
const notificationSearch = choice({ sequenceNumber: integer(0x80), operations: notificationEvent(0x81) });

/** The data that EuiccMemoryReset may clear, by bit. */
export const memoryResetOptions = ['deleteOperationalProfiles', 'deleteFieldLoadedTestProfiles', 'resetDefaultSmdpAddress'] as const;

/** ES10a, ES10b and ES10c of SGP.22, as far as this package speaks them; the eUICC and the LPA both follow from this table. */
export const es10Functions = {
  /** ES10c.GetEID */
  getEid: declare(0xbf3e, sequence(0xbf3e, { tagList: octets(0x5c, { length: 1 }) }), sequence(0xbf3e, { eid: Eid })),
  /** ES10a.GetEuiccConfiguredAddresses */
  getConfiguredAddresses: declare(
    0xbf3c, empty(0xbf3c), sequence(0xbf3c, { defaultSmdpAddress: optional(utf8(0x80, { max: 255 })), rootSmdsAddress: utf8(0x81, { max: 255 }) }),
  ),
  /** ES10a.SetDefaultDpAddress */
  setDefaultSmdpAddress: declare(0xbf3f, sequence(0xbf3f, { address: utf8(0x80, { max: 255 }) }), codeAnswer(0xbf3f)),
  /** ES10b.GetEUICCInfo, first form */
  getEuiccInfo1: declare(0xbf20, empty(0xbf20), EuiccInfo1),
  /** ES10b.GetEUICCInfo, second form */
  getEuiccInfo2: declare(0xbf22, empty(0xbf22), EuiccInfo2),
  /** ES10b.GetRAT */
  getRulesAuthorisationTable: declare(0xbf43, empty(0xbf43), sequence(0xbf43, { rules: sequenceOf(0xa0, ProfilePolicyAuthorisationRule, { max: 64 }) })),
  /** ES10b.GetEUICCChallenge */
  getEuiccChallenge: declare(0xbf2e, empty(0xbf2e), sequence(0xbf2e, { euiccChallenge: octets(0x80, { length: 16 }) })),
  /** ES10b.AuthenticateServer */
  authenticateServer: declare(0xbf38, AuthenticateServerRequest, AuthenticateServerResponse),
  /** ES10b.PrepareDownload */
  prepareDownload: declare(0xbf21, PrepareDownloadRequest, PrepareDownloadResponse),
  /** ES10b.LoadBoundProfilePackage, of which each object is sent by itself; only the last one has an answer. */
  loadBoundProfilePackage: declare(0xbf36, raw(0xbf36), ProfileInstallationResult),
  /** ES10b.ListNotification */
  listNotifications: declare(0xbf28, sequence(0xbf28, { operations: optional(notificationEvent(0x81)) }), listAnswer(0xbf28, NotificationMetadata)),
  /** ES10b.RetrieveNotificationsList */
  retrieveNotifications: declare(
    0xbf2b, sequence(0xbf2b, { search: optional(explicit(0xa0, notificationSearch)) }), listAnswer(0xbf2b, PendingNotification),
  ),
  /** ES10b.RemoveNotificationFromList */
  removeNotification: declare(0xbf30, sequence(0xbf30, { sequenceNumber: integer(0x80) }), codeAnswer(0xbf30)),
  /** ES10b.CancelSession */
  cancelSession: declare(0xbf41, CancelSessionRequest, CancelSessionResponse),
  /** ES10c.GetProfilesInfo */
  getProfilesInfo: declare(
    0xbf2d,
    sequence(0xbf2d, {
      search: optional(explicit(0xa0, choice({ aid, iccid: Iccid, profileClass: integer(0x95, { max: 2 }) }))),
      tagList: optional(octets(0x5c, { max: 64 })),
    }),
    listAnswer(0xbf2d, ProfileInfo),
  ),
  /** ES10c.EnableProfile */
  enableProfile: declare(0xbf31, switchRequest(0xbf31), codeAnswer(0xbf31)),
  /** ES10c.DisableProfile */
  disableProfile: declare(0xbf32, switchRequest(0xbf32), codeAnswer(0xbf32)),
  /** ES10c.DeleteProfile */
  deleteProfile: declare(0xbf33, explicit(0xbf33, profileIdentifier), codeAnswer(0xbf33)),
  /** ES10c.eUICCMemoryReset */
  memoryReset: declare(0xbf34, sequence(0xbf34, { options: bits(0x82, memoryResetOptions) }), codeAnswer(0xbf34)),
  /** ES10c.SetNickname */
  setNickname: declare(0xbf29, sequence(0xbf29, { iccid: Iccid, nickname: utf8(0x90, { max: 64 }) }), codeAnswer(0xbf29)),
} as const;

/** Name of a function in {@link es10Functions}. */
export type Es10Name = keyof typeof es10Functions;
/** What a function is called with. */
export type Es10Request<N extends Es10Name> = Input<(typeof es10Functions)[N]['request']>;
/** The call as the eUICC reads it. */
export type Es10Call<N extends Es10Name> = Output<(typeof es10Functions)[N]['request']>;
/** What the eUICC writes. */
export type Es10AnswerInput<N extends Es10Name> = Input<(typeof es10Functions)[N]['answer']>;
/** What a function gives. */
export type Es10Answer<N extends Es10Name> = Output<(typeof es10Functions)[N]['answer']>;
