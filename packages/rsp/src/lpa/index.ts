/**
 * The LPA: drives an eUICC over ES10 and an SM-DP+ over ES9+, as conversations that ask for what they need and do no I/O of their own.
 *
 * @packageDocumentation
 */
export { cancelSession, download, type DownloadFailure, type DownloadOptions, type DownloadOutcome } from './download.ts';
export { listNotifications, sendNotifications, type NotificationReport } from './notifications.ts';
export { packageChains } from './package-chains.ts';
export { deleteProfile, disableProfile, enableProfile, listProfiles, nameProfile, readEid, resetMemory } from './profiles.ts';
export { callEuicc, callSmdp, runSync, sendCall, sendObject, type CardOptions, type LpaAnswer, type LpaRequest, type LpaRun } from './run.ts';
