/** The notebook that "New integration" opens. */
import { TranslationBundle } from '@jupyterlab/translation';

import { LOAD } from './acting';

/** Index of the cell to write in. */
export const WRITE_IN = 2;

export function template(trans: TranslationBundle, kernel: string): { [key: string]: unknown } {
  const hint = trans.__(
    'Say below, in plain words, what you need, and press Shift+Enter. The sentence there is an example. Nothing is written anywhere before you approve it.'
  );
  const example = trans.__('Sync leads from Salesforce to PostgreSQL: name, email, how they got to us');
  const code = (source: string) => ({
    cell_type: 'code',
    source,
    metadata: {},
    outputs: [],
    execution_count: null
  });
  return {
    nbformat: 4,
    nbformat_minor: 4,
    metadata: kernel ? { kernelspec: { name: kernel, display_name: kernel, language: 'python' } } : {},
    cells: [
      { cell_type: 'markdown', source: `# ${trans.__('New integration')}\n\n${hint}`, metadata: {} },
      code(LOAD),
      code(`%%integrate\n${example}`)
    ]
  };
}
