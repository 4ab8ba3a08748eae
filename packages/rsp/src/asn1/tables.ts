/** AuthenticateErrorCode of ES10b.AuthenticateServer. */
export const authenticateErrors = {
  invalidCertificate: 1, invalidSignature: 2, unsupportedCurve: 3, noSessionContext: 4, invalidOid: 5,
  euiccChallengeMismatch: 6, ciPKUnknown: 7, undefinedError: 127,
} as const;

/** DownloadErrorCode of ES10b.PrepareDownload. */
export const downloadErrors = {
  invalidCertificate: 1, invalidSignature: 2, unsupportedCurve: 3, noSessionContext: 4, invalidTransactionId: 5, undefinedError: 127,
} as const;

/** CancelSessionReason. */
export const cancelSessionReasons = {
  endUserRejection: 0, postponed: 1, timeout: 2, pprNotAllowed: 3, metadataMismatch: 4, loadBppExecutionError: 5, undefinedReason: 127,
} as const;

/** The error alternative of ES10b.CancelSession. */
export const cancelSessionErrors = { invalidTransactionId: 5, undefinedError: 127 } as const;

/** BppCommandId: the part of a bound profile package that an installation failed at. */
export const bppCommands = {
  initialiseSecureChannel: 0, configureISDP: 1, storeMetadata: 2, storeMetadata2: 3, replaceSessionKeys: 4, loadProfileElements: 5,
} as const;

/** ErrorReason of a profile installation result. */
export const installErrors = {
  incorrectInputValues: 1, invalidSignature: 2, invalidTransactionId: 3, unsupportedCrtValues: 4, unsupportedRemoteOperationType: 5,
  unsupportedProfileClass: 6, scp03tStructureError: 7, scp03tSecurityError: 8, installFailedDueToIccidAlreadyExistsOnEuicc: 9,
  installFailedDueToInsufficientMemoryForProfile: 10, installFailedDueToInterruption: 11, installFailedDueToPEProcessingError: 12,
  installFailedDueToIccidMismatch: 13, testProfileInstallFailedDueToInvalidNaaKey: 14, pprNotAllowed: 15,
  installFailedDueToUnknownError: 127,
} as const;

/** ProfileClass. */
export const profileClasses = { test: 0, provisioning: 1, operational: 2 } as const;

/** IconType. */
export const iconTypes = { jpg: 0, png: 1 } as const;

/** The name of a code in one of these tables; undefined when the table has none. */
export function nameOf<T extends Readonly<Record<string, number>>>(table: T, code: number): (keyof T & string) | undefined {
  return Object.keys(table).find((name) => table[name] === code);
}
