export {
  getResponse, ISD_R_AID, MAX_BLOCK_BYTES, readCommand, readResponse, statusText, statusWords, storeData, writeResponse, type CommandApdu, type ResponseApdu,
} from './apdu.ts';
export {
  es10Functions, memoryResetOptions, type Es10Answer, type Es10AnswerInput, type Es10Call, type Es10Function, type Es10Name, type Es10Request,
} from './functions.ts';
export { defaultProfileInfoTags, ProfileInfo, profileInfoFields, profileStates, readTagList, type ProfileInfoInput, type ProfileStateName } from './profile-info.ts';
export {
  deleteResults, disableResults, enableResults, memoryResetResults, nicknameResults, removeNotificationResults, setAddressResults,
} from './results.ts';
