// After a build: puts install.json beside it, and the hash of the sources it was made from.
// tests/ui/test_front_end.py computes the same hash, so a forgotten build does not pass.
import { createHash } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const out = '../integrator_magics/_labextension';
const sources = ['package.json', 'tsconfig.json', 'install.json', ...readdirSync('src').map(name => `src/${name}`)];
const hash = createHash('sha256');
for (const path of sources.sort()) {
  hash.update(`${path}\0`).update(readFileSync(path)).update('\0');
}
copyFileSync('install.json', `${out}/install.json`);
writeFileSync(`${out}/SOURCES.sha256`, `${hash.digest('hex')}\n`);
