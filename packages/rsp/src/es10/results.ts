/** The codes of EnableProfile. */
export const enableResults = {
  ok: 0, iccidOrAidNotFound: 1, profileNotInDisabledState: 2, disallowedByPolicy: 3, wrongProfileReenabling: 4, catBusy: 5, undefinedError: 127,
} as const;
/** The codes of DisableProfile. */
export const disableResults = {
  ok: 0, iccidOrAidNotFound: 1, profileNotInEnabledState: 2, disallowedByPolicy: 3, catBusy: 5, undefinedError: 127,
} as const;
/** The codes of DeleteProfile. */
export const deleteResults = { ok: 0, iccidOrAidNotFound: 1, profileNotInDisabledState: 2, disallowedByPolicy: 3, undefinedError: 127 } as const;
/** The codes of eUICCMemoryReset. */
export const memoryResetResults = { ok: 0, nothingToDelete: 1, catBusy: 5, undefinedError: 127 } as const;
/** The codes of SetNickname. */
export const nicknameResults = { ok: 0, iccidNotFound: 1, undefinedError: 127 } as const;
/** The codes of RemoveNotificationFromList. */
export const removeNotificationResults = { ok: 0, nothingToDelete: 1, undefinedError: 127 } as const;
/** The codes of SetDefaultDpAddress. */
export const setAddressResults = { ok: 0, undefinedError: 127 } as const;
