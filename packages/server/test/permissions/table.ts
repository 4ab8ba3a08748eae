import type { Role } from '@yuanyou/contract';

/** Things that one traveller owns. */
export interface Objects {
  readonly sessionId: string;
  readonly passkeyId: string;
  readonly contactId: string;
  readonly lineId: string;
  readonly orderId: string;
  readonly paymentId: string;
}

/** Who may call a route. `leaving`: a traveller, also one whose account is being closed. A list names roles of agents; `agent` is any of them. */
export type Who = 'anyone' | 'traveller' | 'leaving' | 'agent' | readonly Role[];

export interface Row {
  readonly who: Who;
  /** True where an API key with the scope `agents:read` alone is enough. */
  readonly program?: true;
  /** The traveller's own thing that the path names; somebody else's is not there. */
  readonly of?: keyof Objects;
  /** A body that reaches the thing. */
  readonly body?: unknown;
  /** Ends the caller's session. */
  readonly ends?: true;
}

export const password = 'a password of the matrix';

const anyone: Row = { who: 'anyone' };
const traveller: Row = { who: 'traveller' };
const leaving: Row = { who: 'leaving' };
const agent: Row = { who: 'agent', program: true };
const all: Row = { who: ['viewer', 'support', 'finance', 'operations', 'admin'] };
const admin: Row = { who: ['admin'] };
const operations: Row = { who: ['operations', 'admin'] };
const deciders: Row = { who: ['support', 'operations', 'admin'] };
const watchers: Row = { who: ['viewer', 'support', 'operations', 'admin'] };
const own = (of: keyof Objects, who: 'traveller' | 'leaving', body?: unknown): Row => ({ who, of, ...(body === undefined ? {} : { body }) });
const proof = { proof: { password } };

/** Every route of the API: a new one needs a row before it can go out. */
export const table: Readonly<Record<string, Row>> = {
  // Operation
  getHealth: anyone, getReadiness: anyone,
  listFailedMessages: watchers, listDeadLetters: watchers, listStuckSagas: watchers, getSaga: watchers,
  requeueDeadLetter: operations, retrySaga: operations, skipSagaStep: operations,

  // Agents
  signInAgent: anyone, acceptInvitation: anyone, requestAgentPasskeySignIn: anyone, signInAgentWithPasskey: anyone,
  getAgent: agent, signOutAgent: { ...agent, ends: true },
  listAgentPasskeys: agent, startAgentPasskey: agent, addAgentPasskey: agent, removeAgentPasskey: agent,
  listAgents: { ...all, program: true }, listApiKeys: { ...all, program: true },
  inviteAgent: admin, changeAgent: admin, removePasskeysOfAgent: admin, changeApprovalRule: admin,
  createApiKey: operations, revokeApiKey: operations,
  listApprovals: all, getApproval: all, decideApproval: all, listApprovalRules: all,

  // Account
  signUp: anyone, signIn: anyone, signInWithSecondFactor: anyone, requestPasskeySignIn: anyone, signInWithPasskey: anyone,
  requestPasswordReset: anyone, resetPassword: anyone, openGuest: anyone, requestClaim: anyone, claimAccount: anyone, listDocuments: anyone,
  listSessions: leaving, signOut: { ...leaving, ends: true }, revokeSession: own('sessionId', 'leaving'),
  renameSession: own('sessionId', 'traveller', { name: 'Phone' }),
  getAccount: leaving, changeAccount: traveller, changePassword: traveller, changeEmail: traveller, requestEmailVerification: traveller, confirmEmail: traveller,
  getFactors: leaving, startStepUp: leaving,
  startOneTimeCodes: traveller, confirmOneTimeCodes: traveller, stopOneTimeCodes: traveller, renewRecoveryCodes: traveller,
  startPasskey: traveller, addPasskey: traveller, renamePasskey: own('passkeyId', 'traveller', { name: 'Key' }), removePasskey: own('passkeyId', 'traveller', proof),
  getConsents: leaving, recordConsents: traveller, publishDocument: operations,
  listContacts: leaving, addContact: traveller, getContact: own('contactId', 'leaving'),
  replaceContact: own('contactId', 'traveller', { name: 'Hotel' }), removeContact: own('contactId', 'leaving'),

  // Catalogue, partners, stock
  listPlans: anyone, searchPlans: anyone, getPlan: anyone, listCountries: anyone, getCountry: anyone, listRegions: anyone, listDeviceModels: anyone, checkDevice: anyone,
  listCataloguePlans: all, exportCatalogueCsv: all, exportCatalogueJson: all, changePlan: operations, importCatalogue: operations,
  listOperators: { who: ['viewer', 'finance', 'operations', 'admin'] },
  listStock: watchers, countStock: watchers, importStock: operations,

  // Lines, usage, orders, money
  listLines: leaving, getLine: own('lineId', 'leaving'), getActivation: own('lineId', 'traveller'), listLineChanges: own('lineId', 'leaving'), listDevices: leaving,
  listAllowances: own('lineId', 'leaving'), listUsage: own('lineId', 'leaving'), listUsageBatches: watchers, retryUsageBatch: operations,
  placeOrder: traveller, listOrders: leaving, getOrder: own('orderId', 'leaving'), cancelOrder: own('orderId', 'leaving'),
  getBalances: leaving, listBalanceEntries: leaving,
  startTopUp: traveller, listPayments: leaving, getPayment: own('paymentId', 'leaving'), cancelTopUp: own('paymentId', 'leaving'), redeemVoucher: traveller,
  receiveGatewayEvent: anyone, createVoucherBatch: { who: ['finance', 'admin'] },

  // Leaving. Those who have no session show the case's number and code.
  getPreflight: leaving, applyForClosure: leaving, getClosureStatus: anyone, withdrawClosure: anyone, skipCoolingOff: anyone, getCertificate: anyone, downloadExport: anyone,
  listClosureCases: { who: ['viewer', 'support', 'finance', 'operations', 'admin'] },
  decideClosureCase: deciders, retryClosureStep: deciders, skipClosureStep: deciders,

  // Proof
  verifyMessage: anyone, getCheckpoint: anyone, getTile: anyone, getTrust: anyone,
};
