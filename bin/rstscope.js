#!/usr/bin/env node
// Syntax that an old Node.js still reads, so that it can be told in one sentence that it is too old.
var version = process.versions.node;

function refuse(sentence, exitCode) {
  process.stderr.write('rstscope: ' + sentence + '\n');
  process.exitCode = exitCode;
}

if (parseInt(version, 10) < 20) {
  refuse('needs Node.js 20 or newer, this is ' + version, 2);
} else {
  import('../dist/cli/entry.js').catch(function (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND' && /^Cannot find module '[^']*entry\.js'/.test(error.message)) {
      refuse('not built yet, run `npm run build` first', 2);
    } else {
      refuse((error && error.stack) || String(error), 70);
    }
  });
}
