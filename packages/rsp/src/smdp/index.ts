export { authenticateClient, readClientAnswer, type AuthenticateContext, type ClientAnswer } from './authenticate.ts';
export { acceptDownload, bindDownload, readDownloadAnswer, type AcceptedDownload, type BindContext, type DownloadAnswer } from './bind.ts';
export { cancelSession, readCancelAnswer, type CancelAnswer } from './cancel.ts';
export { chooseIssuers, initiateAuthentication, type InitiateContext } from './initiate.ts';
export { profileMetadata, type ProfileCard } from './metadata.ts';
export {
  orderAfter, readNotification, verifyNotification, type NotificationReading, type ProfileEvent, type ReinstallPolicy,
} from './notification.ts';
export { endsSession, malformedStatusCode, refusalOf, refuse, refusals, statusCodeOf, type Refusal } from './refusals.ts';
export type {
  DownloadOrder, OrderState, SessionClient, SessionOpening, SigningCertificate, SmdpChain, SmdpIdentity, SmdpSession,
} from './types.ts';
