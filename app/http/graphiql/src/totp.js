// The six digits that an authenticator app makes of a secret (RFC 6238).

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

// Returns null on a page that is not secure: there a browser does not sign.
export async function digitsOf(secret, now = Date.now()) {
  if (!globalThis.crypto?.subtle) {
    return null;
  }
  const bits = [...secret].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const bytes = Uint8Array.from(bits.match(/.{8}/g), (byte) => parseInt(byte, 2));
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(Math.floor(now / 30_000)));
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-1' }, false, ['sign']);
  const digest = new DataView(await crypto.subtle.sign('HMAC', key, counter));
  const number = digest.getUint32(digest.getUint8(19) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}
