/**
 * Secrets that show by themselves or by the key before them, wherever they stand in a text: tokens of known shapes,
 * user information of URLs, private keys, "password=…", "Authorization: …".
 *
 * Finds where they lie; who masks them is secrets.ts. Every search looks at each character a bounded number of times: a
 * command line is a stranger's.
 */

/** From here to there (excluded) is a secret. */
export type Span = readonly [start: number, end: number];

const MAX_KEY = 64;
const MAX_BLANKS = 4;

/**
 * Each begins with letters of its own and can only fail within its least length: a pattern that could read on and then
 * fail would take a time that grows with the square of the text.
 */
const TOKENS = new RegExp(
  [
    'A[KS]IA[A-Z0-9]{12,}',
    'eyJ[\\w-]{8,}(?:\\.[\\w-]*){0,4}',
    'gh[pousr]_\\w{16,}',
    'github_pat_\\w{16,}',
    'glpat-[\\w-]{16,}',
    'xox[abeoprs]-[\\w-]{8,}',
    'AIza[\\w-]{30,}',
    '[rs]k_(?:live|test)_\\w{8,}',
    'sk-[\\w-]{20,}',
    'npm_[A-Za-z0-9]{30,}',
    'hvs\\.[\\w-]{16,}',
    'dckr_pat_[\\w-]{16,}',
  ].join('|'),
  'g',
);

const BEARER = /bearer[ \t]{1,4}([^\s"']{1,8192})/gi;

export function tokens(text: string, spans: Span[]): void {
  for (const match of text.matchAll(TOKENS)) spans.push([match.index, match.index + match[0].length]);
  for (const match of text.matchAll(BEARER)) {
    const end = match.index + match[0].length;
    spans.push([end - (match[1] ?? '').length, end]);
  }
}

const KEY_BEGINS = '-----BEGIN ';
const KEY_ENDS = '-----END ';

/** To the end of the text where its end is missing. */
export function privateKeys(text: string, spans: Span[]): void {
  for (let at = text.indexOf(KEY_BEGINS); at >= 0;) {
    const start = at + KEY_BEGINS.length;
    const isPrivate = text.slice(start, start + MAX_KEY).includes('PRIVATE KEY');
    const end = isPrivate ? text.indexOf(KEY_ENDS, start) : start;
    if (isPrivate) spans.push([start, end < 0 ? text.length : end]);
    at = end < 0 ? -1 : text.indexOf(KEY_BEGINS, end);
  }
}

/**
 * The password in "scheme://user:password@host", and in "user:password@host" at the text's begin. Up to the last "@" of
 * the run: programs take passwords with "/" and "@" in them that should have been escaped.
 */
export function userInformation(text: string, spans: Span[]): void {
  const run = /\S+/g;
  for (let match = run.exec(text); match !== null; match = run.exec(text)) {
    const [word] = match;
    const last = word.lastIndexOf('@');
    if (last < 0) continue;
    const scheme = word.indexOf('://');
    const start = scheme >= 0 && scheme < last ? scheme + 3 : 0;
    // An image by its digest is "name:tag@sha256:…".
    if (start === 0 && (match.index !== 0 || word.startsWith('sha256:', last + 1))) continue;
    const colon = word.indexOf(':', start);
    if (colon >= 0 && colon < last) spans.push([match.index + colon + 1, match.index + last]);
    // A token alone, "https://TOKEN@host": longer than users' names are.
    else if (
      /https?:\/\/$/.test(word.slice(Math.max(0, start - 8), start)) &&
      /^[^/]{20,}$/.test(word.slice(start, last))
    ) {
      spans.push([match.index + start, match.index + last]);
    }
  }
}

const SECRET_KEY =
  /passw|passphrase|passcode|secret|token|credential|apikey|accesskey|accountkey|privatekey|authkey|signature|cookie|requirepass|masterauth|authorization|pwd$/;
/** Too short to be looked for inside of words: "compass" and "author" hold no secret. */
const SECRET_PART = /(?:^|[-_.])(?:pass|pw|auth|bearer|sig|psk)$/;
/** Names where the secret is, or that it comes from elsewhere. */
const HARMLESS = /(?:file|filename|path|dir|stdin|prompt)$/;

/** Whether "key=value" has a secret for its value: "--db-password", "PGPASSWORD", "X-Api-Key", "authToken". */
export function isSecretKey(key: string): boolean {
  if (key === 'PWD' || key === 'OLDPWD') return false;
  // camelCase comes to the same as camel-case.
  const parts = key.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
  const joined = parts.replace(/[-_.]/g, '');
  return (SECRET_KEY.test(joined) || SECRET_PART.test(parts)) && !HARMLESS.test(joined);
}

const KEY_CHARACTER = /[\w.-]/;
const BLANK = /\s/;
/** How the value of an Authorization header begins; not secret. */
const SCHEME = /(?:basic|bearer|digest|token|negotiate|apikey|aws4-hmac-sha256)\s+/iy;

/** The values of keys that say so: "password=x", "?token=x&", ";Password=x;", `"secret": "x"`, "X-Api-Key: x". */
export function pairs(text: string, spans: Span[]): void {
  const delimiter = /[=:]/g;
  for (let match = delimiter.exec(text); match !== null; match = delimiter.exec(text)) {
    const key = keyBefore(text, match.index);
    if (key === null || !isSecretKey(text.slice(key[0], key[1]))) continue;
    const span = valueAfter(text, key[0], match.index + 1);
    if (span[1] <= span[0]) continue;
    spans.push(span);
    delimiter.lastIndex = Math.max(span[1], delimiter.lastIndex);
  }
}

/** The key that ends before a delimiter, without the quotes and blanks between. */
function keyBefore(text: string, at: number): Span | null {
  let end = at;
  while (end > 0 && at - end < MAX_BLANKS && /[\s"'\\]/.test(text.charAt(end - 1))) end--;
  let start = end;
  while (start > 0 && end - start < MAX_KEY && KEY_CHARACTER.test(text.charAt(start - 1))) start--;
  return start < end ? [start, end] : null;
}

/**
 * A value ends where the next pair begins: at the separator that stands before its own key, or at the quote; where
 * neither does, the rest is the value.
 */
function valueAfter(text: string, key: number, from: number): Span {
  const before = text.charAt(key - 1);
  let start = from;
  while (start < text.length && start - from < MAX_BLANKS && BLANK.test(text.charAt(start))) start++;
  SCHEME.lastIndex = start;
  const scheme = SCHEME.exec(text);
  if (scheme !== null) start += scheme[0].length;
  const opening = /^\\?["']/.exec(text.slice(start, start + 2))?.[0];
  if (opening === undefined) return [start, separatorAfter(text, start, before)];
  const closed = closing(text, start + opening.length, opening);
  // `{"password": "x", …`: nothing of the value comes behind its quote.
  if (before === '"' || before === "'") return [start + opening.length, closed];
  return [start, separatorAfter(text, closed, before)];
}

/** Where the quote closes; the end of the text where it doesn't. */
function closing(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at++) {
    if (text.startsWith(quote, at)) return at;
    if (quote.length === 1 && text.charAt(at) === '\\') at++;
  }
  return text.length;
}

function separatorAfter(text: string, from: number, before: string): number {
  const separator = separatorLike(before);
  if (separator === null) return text.length;
  separator.lastIndex = from;
  return separator.exec(text)?.index ?? text.length;
}

function separatorLike(before: string): RegExp | null {
  if (before === '?' || before === '&') return /[&#\s]/g;
  if (/^[;,"']$/.test(before)) return new RegExp(before, 'g');
  return BLANK.test(before) ? /\s/g : null;
}
