/**
 * Command lines with the secrets in them masked: the word that says what it is stays, its value becomes "***".
 *
 * Known shapes only: what a program takes for a secret without saying so is not known here. In doubt more is masked
 * rather than less. Shapes that show by themselves are in secret-shapes.ts; here are options and whose they are.
 */

import { isSecretKey, pairs, privateKeys, tokens, userInformation, type Span } from './secret-shapes.js';

const MASK = '***';
/** Of the masked line, in characters. */
const MAX_COMMAND = 4096;
/** Lines within lines that are looked into. */
const MAX_DEPTH = 3;
const ELLIPSIS = '…';

interface Habit {
  readonly programs: RegExp;
  /** The next word is a secret: "-p x". */
  readonly next?: readonly string[];
  /** The rest of the word is: "-px". */
  readonly rest?: readonly string[];
  /** The next word, or the rest, is a user and a secret: "-u user:x". */
  readonly user?: readonly string[];
}

/** What short options mean differs by program: "-p" is a port more often than a password. */
const HABITS: readonly Habit[] = [
  { programs: /^(?:mysql|maria|mytop|xtrabackup|innobackupex)/, rest: ['-p'] },
  { programs: /^(?:mydumper|myloader|mongo|sshpass|smbmap|rdesktop)/, next: ['-p'], rest: ['-p'] },
  { programs: /^(?:redis-cli|keydb-cli|valkey-cli)$/, next: ['-a'] },
  { programs: /^ldap[a-z]+$/, next: ['-w'], rest: ['-w'] },
  { programs: /^(?:sqlcmd|bcp|isql|osql|tsql|ipmitool|zip|unzip|zipcloak)$/, next: ['-P'], rest: ['-P'] },
  { programs: /^(?:7z[a-z]?|rar|unrar)$/, rest: ['-p'] },
  { programs: /^snmp[a-z]+$/, next: ['-c', '-A', '-X'], rest: ['-c', '-A', '-X'] },
  { programs: /^openssl$/, next: ['-k', '-K'] },
  { programs: /^xfreerdp3?$/, rest: ['/p:'] },
  { programs: /^curl$/, user: ['-u', '--user', '-U', '--proxy-user'] },
  { programs: /^(?:smbclient|rpcclient|net|wmic)$/, user: ['-U', '--user'] },
  // Of docker, podman, az, oc …: elsewhere than after "login" their -p is another.
  { programs: /^login$/, next: ['-p'], rest: ['-p'] },
];
const SHELLS = /^(?:sh|bash|dash|ash|zsh|ksh|mksh|su|runuser)$/;

/** What has been met on the way through the words. */
interface State {
  habits: readonly Habit[];
  shell: boolean;
  /** What the last word says of this one. */
  pending: 'secret' | 'user' | 'script' | null;
}

/** The words as one line, masked and bounded. `cut`: the last word went on, so that its shape can't be told. */
export function maskCommand(words: readonly string[], cut = false): string {
  const state: State = { habits: [], shell: false, pending: null };
  const masked = words.map((word, at) => maskWord(cut && at === words.length - 1 ? withoutLastRun(word) : word, state));
  const line = masked.join(' ') + (cut ? ELLIPSIS : '');
  return line.length > MAX_COMMAND ? line.slice(0, MAX_COMMAND - 1) + ELLIPSIS : line;
}

function withoutLastRun(word: string): string {
  let end = word.length;
  while (end > 0 && !BLANK.test(word.charAt(end - 1))) end--;
  return word.slice(0, end);
}

function maskWord(word: string, state: State): string {
  const spans: Span[] = [];
  tokens(word, spans);
  privateKeys(word, spans);
  scan({ text: word, offset: 0, depth: 0 }, state, spans);
  return render(word, spans);
}

/** A word, or a word inside of a word that is a command line of its own: `sh -c "mysql -psecret"`, `ssh host "…"`. */
interface Piece {
  readonly text: string;
  readonly offset: number;
  readonly depth: number;
}

const BLANK = /\s/;

function scan(piece: Piece, state: State, spans: Span[]): void {
  const { text, offset, depth } = piece;
  const isLine = BLANK.test(text) && depth < MAX_DEPTH && state.pending !== 'secret' && state.pending !== 'user';
  const found: Span[] = [];
  userInformation(text, found);
  // In a shell's script a value ends where its word does; elsewhere it may have blanks in it.
  const isScript = isLine && state.pending === 'script';
  if (!isScript) pairs(text, found);
  if (!isLine || (!isScript && text.startsWith('-'))) option(text, state, found);
  for (const [start, end] of found) spans.push([start + offset, end + offset]);
  if (!isLine) return;
  state.pending = null;
  const inner: State = { ...state };
  for (const [start, end] of shellWords(text)) {
    scan({ text: text.slice(start, end), offset: offset + start, depth: depth + 1 }, inner, spans);
  }
}

/** What a word is by the one before it, and what it says of the next. */
function option(word: string, state: State, spans: Span[]): void {
  const { pending } = state;
  if (pending === 'secret') spans.push([0, word.length]);
  if (pending === 'user') spans.push(afterUser(word, 0));
  state.pending = null;
  if (word.startsWith('-') || word.startsWith('/p:')) flag(word, state, spans);
  // Also where it was taken for a secret: "-p" may have been something else.
  if (!word.startsWith('-')) program(word, state);
}

function program(word: string, state: State): void {
  const name = word.slice(word.lastIndexOf('/') + 1);
  state.shell ||= SHELLS.test(name);
  const habit = HABITS.find((each) => each.programs.test(name));
  if (habit === undefined || state.habits.includes(habit)) return;
  state.habits = [...state.habits, habit];
}

function flag(word: string, state: State, spans: Span[]): void {
  if (/^--?[\w.-]{1,128}$/.test(word) && isSecretKey(word.replace(/^--?/, ''))) state.pending = 'secret';
  else if (state.shell && /^-[a-z]{0,8}c$/.test(word)) state.pending = 'script';
  for (const { next = [], rest = [], user = [] } of state.habits) {
    if (next.includes(word)) state.pending = 'secret';
    for (const name of rest) {
      if (!word.startsWith(name) || word.length === name.length) continue;
      spans.push([name.length, word.length]);
      // "-ptoken" is no option by the name of "ptoken".
      if (!word.startsWith('--')) state.pending = null;
    }
    for (const name of user) {
      const bundled = name.length === 2 && /^-[A-Za-z#]{1,16}$/.test(word) && word.endsWith(name.slice(1));
      if (word === name || bundled) state.pending = 'user';
      else if (word.startsWith(name)) spans.push(afterUser(word, name.length));
    }
  }
}

/** "user:secret", "user%secret"; without either the program asks for it. */
function afterUser(word: string, from: number): Span {
  const at = word.slice(from).search(/[:%]/);
  return at < 0 ? [0, 0] : [from + at + 1, word.length];
}

const SEPARATOR = /[\s;|&()<>]/;

/** The words of a line as a shell splits them, quotes round a whole word left out. */
function shellWords(line: string): Span[] {
  const words: Span[] = [];
  let quotes = `"'`;
  for (let at = 0; at < line.length; at++) {
    if (SEPARATOR.test(line.charAt(at))) continue;
    const start = at;
    let opened = -1;
    for (; at < line.length || opened >= 0; at++) {
      const character = line.charAt(at);
      if (at >= line.length) {
        // Never closed: "don't" is a text, not a script. At most once for each kind of quote.
        quotes = quotes.replace(line.charAt(opened), '');
        at = opened;
        opened = -1;
      } else if (character === '\\' && line.charAt(opened) !== "'") at++;
      else if (opened >= 0) opened = character === line.charAt(opened) ? -1 : opened;
      else if (quotes.includes(character)) opened = at;
      else if (SEPARATOR.test(character)) break;
    }
    words.push(unquoted(line, start, Math.min(at, line.length)));
  }
  return words;
}

function unquoted(line: string, start: number, end: number): Span {
  const first = line.charAt(start);
  if ((first !== '"' && first !== "'") || end - start < 2) return [start, end];
  return line.indexOf(first, start + 1) === end - 1 ? [start + 1, end - 1] : [start, end];
}

function render(text: string, spans: Span[]): string {
  let masked = '';
  let done = 0;
  // Where the last mask ends; another that begins inside it or at its end belongs to it.
  let end = -1;
  for (const span of spans.sort((a, b) => a[0] - b[0])) {
    if (span[1] <= span[0]) continue;
    if (span[0] > end) {
      masked += text.slice(done, span[0]) + MASK;
      end = span[1];
    } else end = Math.max(end, span[1]);
    done = end;
  }
  return masked + text.slice(done);
}
