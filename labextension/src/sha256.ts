/**
 * SHA-256 of a text in UTF-8, as lower-case hex. Own code because `crypto.subtle` is missing on plain-http hosts and is
 * asynchronous: between the comparison of a cell and its replacement nobody may type. FIPS 180-4.
 */
export function sha256(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const length = ((bytes.length + 8) >> 6) * 64 + 64;
  const padded = new Uint8Array(length);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(length - 8, Math.floor(bytes.length / 0x20000000));
  view.setUint32(length - 4, bytes.length << 3);

  const state = START.slice();
  const w = new Uint32Array(64);
  for (let offset = 0; offset < length; offset += 64) {
    for (let i = 0; i < 16; i++) {
      w[i] = view.getUint32(offset + 4 * i);
    }
    for (let i = 16; i < 64; i++) {
      const s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      const s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i] + w[i]) | 0;
      const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => {
      state[i] += value;
    });
  }
  return Array.from(state, word => word.toString(16).padStart(8, '0')).join('');
}

function turn(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits));
}

/** The first 64 primes, whose roots give the constants. */
const PRIMES = (() => {
  const found: number[] = [];
  for (let n = 2; found.length < 64; n++) {
    if (found.every(p => n % p)) {
      found.push(n);
    }
  }
  return found;
})();

/** The first 32 bits of the fraction of a root. */
function fraction(root: number): number {
  return Math.floor((root % 1) * 0x100000000);
}

const START = Uint32Array.from(PRIMES.slice(0, 8), p => fraction(Math.sqrt(p)));
const ROUND = Uint32Array.from(PRIMES, p => fraction(Math.cbrt(p)));
