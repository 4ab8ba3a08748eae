import type { Intent } from './books.ts';

/** The page where the payer enters the card; the merchant never sees the number. */
export function payPage(intent: Intent): string {
  const amount = `${(intent.amountMinor / 100).toFixed(2)} ${intent.currency.toUpperCase()}`;
  const form = intent.status === 'requires_payment_method'
    ? `<form method="post"><label>Card number <input name="cardNumber" inputmode="numeric" autocomplete="cc-number" value="4242 4242 4242 4242"></label>
<button>Pay ${amount}</button></form>`
    : `<p>${intent.status === 'succeeded' ? 'Paid.' : 'This payment is closed.'}</p>`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Gateway simulator</title><h1>Pay ${amount}</h1><p>A simulator: no money moves. Use a test card number.</p>${form}</html>`;
}
