import { createCipheriv, createHash, diffieHellman, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { agree, curves, ephemeralKey, importPoint, importPrivateKey, signerOf, verifyRaw, type CurveName } from '../packages/rsp/src/index.ts';

const rounds = 300;
const packageBytes = 4_096;

/**
 * CPU in ms of the cryptographic operations of one download on the server's side, in a loop with nothing around them: a TLS 1.3 handshake
 * (X25519, one ECDSA signature), three signatures of the SM-DP+, the eUICC's key and certificate and its three signatures verified, one key
 * agreement, and the profile encrypted and MACed. CERT.EUM is left out: its signature is verified once.
 */
export function cryptoLoopMs(curveName: string): number {
  const curve = Object.values(curves).find(({ name }) => name === curveName)?.name ?? 'P-256';
  const scene = setUp(curve);
  for (let warm = 0; warm < rounds / 3; warm += 1) oneDownload(scene);
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) oneDownload(scene);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / rounds;
}

interface Scene {
  readonly curve: CurveName;
  readonly message: Buffer;
  readonly tlsKey: KeyObject;
  readonly smdpSign: (message: Uint8Array) => Uint8Array;
  readonly eumKey: KeyObject;
  readonly euiccPoint: Uint8Array;
  readonly certificateSignature: Uint8Array;
  readonly euiccSignature: Uint8Array;
  readonly euiccOtpk: Uint8Array;
}

function setUp(curve: CurveName): Scene {
  const message = randomBytes(400);
  const [smdp, eum, euicc, oneTime] = [0, 1, 2, 3].map(() => ephemeralKey(curve, randomBytes(48)));
  const signWith = (key: typeof smdp) => signerOf(importPrivateKey(curve, key!.privateKey));
  return {
    curve, message,
    tlsKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    smdpSign: signWith(smdp),
    eumKey: importPoint(curve, eum!.publicKey),
    euiccPoint: euicc!.publicKey,
    certificateSignature: signWith(eum)(message),
    euiccSignature: signWith(euicc)(message),
    euiccOtpk: oneTime!.publicKey,
  };
}

function oneDownload(scene: Scene): void {
  handshake(scene);
  for (let signature = 0; signature < 3; signature += 1) scene.smdpSign(scene.message);
  const euiccKey = importPoint(scene.curve, scene.euiccPoint);
  if (!verifyRaw(scene.eumKey, scene.message, scene.certificateSignature)) throw new Error('certificate');
  for (let signature = 0; signature < 3; signature += 1) {
    if (!verifyRaw(euiccKey, scene.message, scene.euiccSignature)) throw new Error('signature');
  }
  const secret = agree(ephemeralKey(scene.curve, randomBytes(48)), scene.euiccOtpk);
  const key = createHash('sha256').update(secret).digest().subarray(0, 16);
  // Once to encrypt, once for the MAC, which is a CBC encryption too.
  for (let pass = 0; pass < 2; pass += 1) createCipheriv('aes-128-cbc', key, Buffer.alloc(16)).update(Buffer.alloc(packageBytes));
}

function handshake({ tlsKey, message }: Scene): void {
  const [server, client] = [generateKeyPairSync('x25519'), generateKeyPairSync('x25519')];
  diffieHellman({ privateKey: server.privateKey, publicKey: client.publicKey });
  sign('sha256', message, tlsKey);
}
