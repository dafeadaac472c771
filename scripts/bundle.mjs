// Makes dist/ from src/: one file per entry point and what they share in chunks. A hundred small modules take Node a
// tenth of a second to load, a handful does not; types are checked by tsc before.
import { build } from 'esbuild';
import { renameSync, rmSync } from 'node:fs';
import { readersInPlace } from './inline-readers.mjs';

const target = 'dist/cli';
const fresh = `dist/.cli-${process.pid}`;
await build({
  // The code of a thread and of a child lies beside the program's: base/spawn.ts looks for it there.
  entryPoints: [
    'src/cli/entry.ts',
    'src/scan/scan-worker.ts',
    'src/capture/live/cap-child.ts',
    'src/capture/live/pump-thread.ts',
    'src/attribute/trace/trace-thread.ts',
    'src/attribute/sockets/socket-thread.ts',
    'src/attribute/sockets/descriptor-thread.ts',
  ],
  entryNames: '[name]',
  outdir: fresh,
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  // Named constants become numbers: as exports of modules they would be loads in the hot loops.
  minifySyntax: true,
  plugins: [readersInPlace],
  legalComments: 'none',
  sourcemap: true,
  logLevel: 'warning',
});
// Put in place at once: whoever runs the program meanwhile finds the old one or the new one.
rmSync(target, { recursive: true, force: true });
renameSync(fresh, target);
