/** The profile elements of the TCA interoperable profile package 2.3, by tag. */
export const profileElements = {
  0xa0: 'header', 0xa1: 'genericFileManagement', 0xa2: 'pinCodes', 0xa3: 'pukCodes', 0xa4: 'akaParameter', 0xa5: 'cdmaParameter',
  0xa6: 'securityDomain', 0xa7: 'rfm', 0xa8: 'application', 0xa9: 'nonStandard', 0xaa: 'end',
  0xb0: 'mf', 0xb1: 'cd', 0xb2: 'telecom', 0xb3: 'usim', 0xb4: 'optUsim', 0xb5: 'isim', 0xb6: 'optIsim', 0xb7: 'phonebook',
  0xb8: 'gsmAccess', 0xb9: 'csim', 0xba: 'optCsim', 0xbb: 'eap', 0xbc: 'df5gs', 0xbd: 'dfSaip',
} as const;

/** The name of a profile element. */
export type ProfileElementName = (typeof profileElements)[keyof typeof profileElements];

/** Object identifiers of the file templates that our packages build on. */
export const templates = {
  mf: '2.23.143.1.2.1',
  cd: '2.23.143.1.2.2',
  usim: '2.23.143.1.2.4',
} as const;

/** Names of eUICC-Mandatory-services by tag, in the header. */
export const mandatoryServices = {
  contactless: 0x80, usim: 0x81, isim: 0x82, csim: 0x83, milenage: 0x84, tuak128: 0x85, cave: 0x86, gbaUsim: 0x87, gbaIsim: 0x88, mbms: 0x89,
  eap: 0x8a, javacard: 0x8b, multos: 0x8c, multipleUsim: 0x8d, multipleIsim: 0x8e, multipleCsim: 0x8f, tuak256: 0x90, usimTestAlgorithm: 0x91,
  berTlv: 0x92, dfLink: 0x93, catTp: 0x94, getIdentity: 0x95, profileAx25519: 0x96, profileBp256: 0x97, suciCalculatorApi: 0x98,
} as const;
