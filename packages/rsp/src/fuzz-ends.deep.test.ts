// As fuzz.deep.test.ts, for certificates and the eUICC's own reading; a file of its own, so that both run side by side.
import './euicc/transmit.test.ts';
import './pki/chain.test.ts';
import './pki/keys.test.ts';
