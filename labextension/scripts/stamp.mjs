// After a build: puts install.json beside it, and the hash of the sources it was made from.
// tests/ui/test_front_end.py computes the same hash, so a forgotten build does not pass.
import { createHash } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const out = '../integrator_magics/_labextension';
const folders = ['schema', 'src', 'style'];
const inside = folders.flatMap(folder => readdirSync(folder).map(name => `${folder}/${name}`));
const sources = ['package.json', 'tsconfig.json', 'install.json', ...inside];
const hash = createHash('sha256');
for (const path of sources.sort()) {
  hash.update(`${path}\0`).update(readFileSync(path)).update('\0');
}
rmSync(`${out}/schemas/@integrator/notebook/package.json.orig`, { force: true }); // left by the builder
copyFileSync('install.json', `${out}/install.json`);
writeFileSync(`${out}/SOURCES.sha256`, `${hash.digest('hex')}\n`);
