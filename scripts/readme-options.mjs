// Writes the README's table of options from the option table (src/cli/options.ts). `npm run readme`; a test compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const { outputFiles } = await build({ entryPoints: ['src/cli/options.ts'], bundle: true, format: 'esm', write: false });
const { optionsMarkdown } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
);
const readme = readFileSync('README.md', 'utf8');
const table = `\n\n${optionsMarkdown()}\n\n`;
writeFileSync('README.md', readme.replace(/(<!-- options:[^>]*-->)[\s\S]*?(<!-- \/options -->)/, `$1${table}$2`));
