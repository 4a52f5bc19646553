import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { scriptName } from '../src/protocol';
import { sha256 } from '../src/sha256';

test('only a source that starts with the magic and a plain name is a script', () => {
  assert.equal(scriptName('%%integration lead_sync\nprint(1)'), 'lead_sync');
  assert.equal(scriptName('%%integration a'), 'a');
  for (const source of ['', 'print(1)', ' %%integration a', '\n%%integration a', '%%integration Bad\n', '%%integration a b\n']) {
    assert.equal(scriptName(source), null, JSON.stringify(source));
  }
});

test('the hash is SHA-256 of the UTF-8 bytes, at every padding length', () => {
  const texts = ['', 'abc', 'ä€😀', ...Array.from({ length: 70 }, (_, n) => 'x'.repeat(n + 50))];
  for (const text of texts) {
    assert.equal(sha256(text), createHash('sha256').update(text, 'utf8').digest('hex'), JSON.stringify(text));
  }
});
