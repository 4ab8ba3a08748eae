// The fuzz tests stand beside what they test; the deep run, which sets FUZZ_CASES, takes them all in here once more.
import './activation-code.test.ts';
import './asn1/messages.test.ts';
import './es9plus/es9plus.test.ts';
import './saip/saip.test.ts';
import './tlv/tlv.test.ts';
