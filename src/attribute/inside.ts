/** What a program that is started in another network namespace answers: for those that no process is in to ask by. */

import { inNamespace, type Namespace } from '../capture/live/namespaces.js';
import { askProgram, findProgram } from '../base/spawn.js';

const ASK_TIMEOUT_MS = 10_000;

/** Standard output of a program in the namespace; null: it is not there, may not go there, or failed. */
export async function askInside(namespace: Namespace, name: string, args: readonly string[]): Promise<string | null> {
  const file = findProgram(name);
  if (file === null) return null;
  try {
    const [program = '', ...words] = [...inNamespace(namespace), file, ...args];
    const { code, stdout } = await askProgram(program, words, ASK_TIMEOUT_MS);
    return code === 0 ? stdout : null;
  } catch {
    // There is no nsenter.
    return null;
  }
}

/** The files, as they are seen from in there, one behind the other. */
export function catInside(namespace: Namespace, files: readonly string[]): Promise<string | null> {
  return askInside(namespace, 'cat', files);
}
