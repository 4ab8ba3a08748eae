import { cashAccount, houseAccount, partnerPayable, promoAccount } from './chart.ts';
import type { Entry, Transfer } from './model.ts';

/** What every recipe needs to know. `amountMinor` is above zero, in minor units of `currency`. */
interface Occasion {
  /** The idempotency key of the act. */
  readonly id: string;
  readonly at: Date;
  readonly currency: string;
  readonly amountMinor: bigint;
  readonly refs: Readonly<Record<string, string>>;
}

interface OfTraveller extends Occasion {
  readonly accountId: string;
}

function move(kind: string, occasion: Occasion, debit: string, credit: string): Transfer {
  return {
    id: occasion.id,
    kind,
    at: occasion.at,
    refs: occasion.refs,
    entries: [{ account: debit, debitMinor: occasion.amountMinor }, { account: credit, creditMinor: occasion.amountMinor }],
  };
}

/** A payment was captured: the gateway owes us, we owe the traveller. */
export function topUp(o: OfTraveller): Transfer {
  return move('top-up', o, houseAccount('gateway', o.currency), cashAccount(o.accountId, o.currency));
}

/** A voucher was redeemed: promotional credit, at our expense. */
export function voucher(o: OfTraveller): Transfer {
  return move('voucher', o, houseAccount('promotions', o.currency), promoAccount(o.accountId, o.currency));
}

/** A plan was bought from the balance: what was paid is owed as service until it is used or expires. */
export function purchase(o: Omit<OfTraveller, 'amountMinor'> & { readonly cashMinor: bigint; readonly promoMinor: bigint }): Transfer {
  const paid: Entry[] = [];
  if (o.cashMinor > 0n) paid.push({ account: cashAccount(o.accountId, o.currency), debitMinor: o.cashMinor });
  if (o.promoMinor > 0n) paid.push({ account: promoAccount(o.accountId, o.currency), debitMinor: o.promoMinor });
  const total: Entry = { account: houseAccount('deferred-revenue', o.currency), creditMinor: o.cashMinor + o.promoMinor };
  return { id: o.id, kind: 'purchase', at: o.at, refs: o.refs, entries: [...paid, total] };
}

/** A purchase was undone before the service began: what was paid goes back to where it came from. */
export function undoPurchase(o: Omit<OfTraveller, 'amountMinor'> & { readonly cashMinor: bigint; readonly promoMinor: bigint }): Transfer {
  const back: Entry[] = [{ account: houseAccount('deferred-revenue', o.currency), debitMinor: o.cashMinor + o.promoMinor }];
  if (o.cashMinor > 0n) back.push({ account: cashAccount(o.accountId, o.currency), creditMinor: o.cashMinor });
  if (o.promoMinor > 0n) back.push({ account: promoAccount(o.accountId, o.currency), creditMinor: o.promoMinor });
  return { id: o.id, kind: 'purchase-undone', at: o.at, refs: o.refs, entries: back };
}

/** Part of an allowance was used: that part of what was paid is earned. */
export function recogniseUsage(o: Occasion): Transfer {
  return move('usage', o, houseAccount('deferred-revenue', o.currency), houseAccount('revenue:plans', o.currency));
}

/** An allowance ended with value left that no rule returns: earned as breakage. */
export function expireAllowance(o: Occasion): Transfer {
  return move('breakage', o, houseAccount('deferred-revenue', o.currency), houseAccount('revenue:breakage', o.currency));
}

/** Use by our travellers costs us: owed to the partner when it is rated. */
export function partnerCost(o: Occasion & { readonly partnerId: string }): Transfer {
  return move('partner-cost', o, houseAccount('partner-cost', o.currency), partnerPayable(o.partnerId, o.currency));
}

/** Unused value of a plan goes back to the traveller's balance by the plan's published rule. */
export function returnUnused(o: OfTraveller): Transfer {
  return move('unused-returned', o, houseAccount('deferred-revenue', o.currency), cashAccount(o.accountId, o.currency));
}

/** Unused value that was paid with promotional credit goes back as promotional credit. */
export function returnUnusedPromo(o: OfTraveller): Transfer {
  return move('unused-promo-returned', o, houseAccount('deferred-revenue', o.currency), promoAccount(o.accountId, o.currency));
}

/** The traveller's money is set aside to be paid back to a payment. */
export function requestRefund(o: OfTraveller): Transfer {
  return move('refund-requested', o, cashAccount(o.accountId, o.currency), houseAccount('refunds-payable', o.currency));
}

/** The gateway paid a refund out. */
export function refundPaid(o: Occasion): Transfer {
  return move('refund-paid', o, houseAccount('refunds-payable', o.currency), houseAccount('gateway', o.currency));
}

/** A refund came back unpaid: the traveller's again. */
export function refundFailed(o: OfTraveller): Transfer {
  return move('refund-failed', o, houseAccount('refunds-payable', o.currency), cashAccount(o.accountId, o.currency));
}

/** The traveller gave up promotional credit by an explicit choice. */
export function giveUpPromo(o: OfTraveller): Transfer {
  return move('promo-given-up', o, promoAccount(o.accountId, o.currency), houseAccount('promotions', o.currency));
}

/** The traveller gave up money by an explicit choice. */
export function giveUpCash(o: OfTraveller): Transfer {
  return move('cash-given-up', o, cashAccount(o.accountId, o.currency), houseAccount('revenue:breakage', o.currency));
}

/** Takes a transfer back by one that mirrors it; both stay in the books. */
export function correction(of: Transfer, id: string, at: Date): Transfer {
  const entries = of.entries.map((entry): Entry => ('debitMinor' in entry
    ? { account: entry.account, creditMinor: entry.debitMinor } : { account: entry.account, debitMinor: entry.creditMinor }));
  return { id, kind: `${of.kind}-corrected`, at, refs: { ...of.refs, corrects: of.id }, entries };
}

/** Use that arrived after the cutoff of a closure: our loss, owed to the partner, never the traveller's. */
export function lateUsage(o: Occasion & { readonly partnerId: string }): Transfer {
  return move('late-usage', o, houseAccount('late-usage-loss', o.currency), partnerPayable(o.partnerId, o.currency));
}
