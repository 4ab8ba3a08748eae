import { accountsRoutes as routes } from '@yuanyou/contract';
import { ServiceError } from '../../platform/errors.ts';
import { endpoint } from '../../platform/http/index.ts';
import type { Endpoint } from '../../platform/http/index.ts';
import type { AccountRow } from '../model.ts';
import { openProfile, requireRow, shown } from '../profile.ts';
import { requestPasswordReset, resetPassword } from '../reset.ts';
import type { Sealing } from '../sealing.ts';
import { begun, deviceOfCall } from '../sessions.ts';
import * as oneTime from './one-time-codes.ts';
import * as passkeys from './passkeys.ts';
import type { Passkey, PasskeyDeps } from './passkeys.ts';
import { requestPasskeySignIn, signInWithPasskey, signInWithSecondFactor } from './sign-in.ts';
import { protectionOf, startStepUp, stepUp } from './step-up.ts';

export function factorEndpoints(deps: PasskeyDeps, sealing: Sealing): Endpoint[] {
  return [...signInEndpoints(deps, sealing), ...oneTimeEndpoints(deps, sealing), ...passkeyEndpoints(deps, sealing)];
}

function signInEndpoints(deps: PasskeyDeps, sealing: Sealing): Endpoint[] {
  return [
    endpoint(routes.signInWithSecondFactor, async (call) => {
      const { account, session } = await signInWithSecondFactor(deps, sealing, { signInCode: call.body.signInCode, proof: call.body.proof, device: deviceOfCall(call) });
      return { status: 201, body: { account: shown(await openProfile(sealing, account)), session: begun(call, session, call.body.transport) } };
    }),
    endpoint(routes.requestPasskeySignIn, async ({ remoteAddress }) => ({ status: 201, body: await requestPasskeySignIn(deps, sealing, remoteAddress) })),
    endpoint(routes.signInWithPasskey, async (call) => {
      const { account, session } = await signInWithPasskey(deps, sealing, { ...call.body, device: deviceOfCall(call) });
      return { status: 201, body: { account: shown(await openProfile(sealing, account)), session: begun(call, session, call.body.transport) } };
    }),
    endpoint(routes.requestPasswordReset, async ({ body, remoteAddress }) => {
      await requestPasswordReset(deps, sealing, { email: body.email, address: remoteAddress });
      return { status: 202 };
    }),
    endpoint(routes.resetPassword, async ({ body, remoteAddress }) => {
      await resetPassword(deps, sealing, { ...body, address: remoteAddress });
      return { status: 204 };
    }),
  ];
}

/** Factors are for those who sign in: a guest claims the account first. */
async function claimed(deps: PasskeyDeps, accountId: string): Promise<AccountRow> {
  const row = await requireRow(deps.db, accountId);
  if (row.guestIndex !== null) throw new ServiceError('accounts/guest');
  return row;
}

function oneTimeEndpoints(deps: PasskeyDeps, sealing: Sealing): Endpoint[] {
  return [
    endpoint(routes.getFactors, async ({ principal: { accountId } }) => {
      const { factors, oneTimeCodesSince, recoveryCodesLeft } = await protectionOf(deps.db, await requireRow(deps.db, accountId));
      const known = await passkeys.listPasskeys(sealing, deps.db, accountId);
      return { status: 200, body: { factors, oneTimeCodesSince: oneTimeCodesSince?.toISOString() ?? null, recoveryCodesLeft, passkeys: known.map(shownPasskey) } };
    }),
    endpoint(routes.startStepUp, async ({ principal: { accountId } }) => {
      const { factors, passkey } = await startStepUp(deps, sealing, await requireRow(deps.db, accountId));
      return { status: 201, body: { factors, passkey } };
    }),
    endpoint(routes.startOneTimeCodes, async ({ principal: { accountId }, body }) => {
      const account = await claimed(deps, accountId);
      await stepUp(deps, sealing, accountId, body.proof);
      return { status: 201, body: await oneTime.startOneTimeCodes(deps, sealing, account) };
    }),
    endpoint(routes.confirmOneTimeCodes, async ({ principal: { accountId }, body }) => (
      { status: 200, body: { recoveryCodes: await oneTime.confirmOneTimeCodes(deps, sealing, await requireRow(deps.db, accountId), body.code) } })),
    endpoint(routes.stopOneTimeCodes, async ({ principal: { accountId }, body }) => {
      await stepUp(deps, sealing, accountId, body.proof);
      await oneTime.stopOneTimeCodes(deps, sealing, await requireRow(deps.db, accountId));
      return { status: 204 };
    }),
    endpoint(routes.renewRecoveryCodes, async ({ principal: { accountId }, body }) => {
      await stepUp(deps, sealing, accountId, body.proof);
      return { status: 200, body: { recoveryCodes: await oneTime.renewRecoveryCodes(deps, sealing, await requireRow(deps.db, accountId)) } };
    }),
  ];
}

function passkeyEndpoints(deps: PasskeyDeps, sealing: Sealing): Endpoint[] {
  return [
    endpoint(routes.startPasskey, async ({ principal: { accountId }, body }) => {
      const account = await claimed(deps, accountId);
      await stepUp(deps, sealing, accountId, body.proof);
      return { status: 201, body: await passkeys.startPasskey(deps, sealing, account) };
    }),
    endpoint(routes.addPasskey, async ({ principal: { accountId }, body }) => (
      { status: 201, body: shownPasskey(await passkeys.addPasskey(deps, sealing, await requireRow(deps.db, accountId), body)) })),
    endpoint(routes.renamePasskey, async ({ principal: { accountId }, params, body }) => (
      { status: 200, body: shownPasskey(await passkeys.renamePasskey(deps, sealing, accountId, params.passkeyId, body.name)) })),
    endpoint(routes.removePasskey, async ({ principal: { accountId }, params, body }) => {
      await stepUp(deps, sealing, accountId, body.proof);
      await passkeys.removePasskey(deps, sealing, await requireRow(deps.db, accountId), params.passkeyId);
      return { status: 204 };
    }),
  ];
}

function shownPasskey({ id, name, backedUp, createdAt, lastUsedAt }: Passkey) {
  return { id, name, backedUp, createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt?.toISOString() ?? null };
}
