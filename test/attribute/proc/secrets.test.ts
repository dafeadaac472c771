/** What is masked in command lines, what is kept, and that no known shape comes through. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { commandLine, COMMAND_BYTES } from '../../../src/attribute/proc/command-line.js';
import { isSecretKey } from '../../../src/attribute/proc/secret-shapes.js';
import { maskCommand } from '../../../src/attribute/proc/secrets.js';
import { bestOf } from '../../support/stopwatch.js';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl';

describe('a masked command line', () => {
  test.each<[string[], string]>([
    [['app', '--password=x y', '-v'], 'app --password=*** -v'],
    [['app', '--password', 'x y', '-v'], 'app --password *** -v'],
    [['app', '-password', 'x'], 'app -password ***'],
    [['app', '--db.api-key', 'x'], 'app --db.api-key ***'],
    [['app', '--password', '--token', 'x'], 'app --password *** ***'],
    [['app', '--apiKey=x', '--authToken=y'], 'app --apiKey=*** --authToken=***'],
    [['mysql', '-uroot', '-psecret', 'db'], 'mysql -uroot -p*** db'],
    [['/usr/bin/mysqldump', '-p', 'db'], '/usr/bin/mysqldump -p db'],
    [['sudo', '-u', 'app', 'timeout', '5', 'mysql', '-psecret'], 'sudo -u app timeout 5 mysql -p***'],
    [['ssh', '-p22', 'host', 'mysql -psecret db'], 'ssh -p22 host mysql -p*** db'],
    [['sshpass', '-p', 'x', 'ssh', 'h'], 'sshpass -p *** ssh h'],
    [['redis-cli', '-a', 'x', 'ping'], 'redis-cli -a *** ping'],
    [['docker', 'login', '-u', 'me', '-p', 'x'], 'docker login -u me -p ***'],
    [['docker', 'run', '-p', '80:80', 'nginx'], 'docker run -p 80:80 nginx'],
    [['curl', '-u', 'me:x', 'http://h/'], 'curl -u me:*** http://h/'],
    [['curl', '-sSu', 'me:x', 'http://h/'], 'curl -sSu me:*** http://h/'],
    [['curl', '-ume:x', 'http://h/'], 'curl -ume:*** http://h/'],
    [['curl', '-H', 'Authorization: Bearer x', 'u'], 'curl -H Authorization: Bearer *** u'],
    [['curl', '-H', 'X-Api-Key: x y'], 'curl -H X-Api-Key: ***'],
    [['curl', '-HAuthorization: Basic eDp5'], 'curl -HAuthorization: Basic ***'],
    [['curl', 'https://me:pa/ss@h:80/x'], 'curl https://me:***@h:80/x'],
    [['curl', 'http://h/?a=1&token=x&b=2'], 'curl http://h/?a=1&token=***&b=2'],
    [['curl', '-d', '{"user":"me","password":"x\\"y","n":1}'], 'curl -d {"user":"me","password":"***","n":1}'],
    [['git', 'clone', 'https://0123456789abcdef0123@github.com/o/r'], 'git clone https://***@github.com/o/r'],
    [['git', 'clone', 'ssh://git@github.com/o/r'], 'git clone ssh://git@github.com/o/r'],
    [['psql', "host=db password='x y' user=me"], 'psql host=db password=*** user=me'],
    [['psql', 'postgres://me:x@db/app?sslmode=on'], 'psql postgres://me:***@db/app?sslmode=on'],
    [['app', 'Server=db;Password=a b;Database=x'], 'app Server=db;Password=***;Database=x'],
    [['env', 'PGPASSWORD=x', 'psql'], 'env PGPASSWORD=*** psql'],
    [['sh', '-c', 'PGPASSWORD=x psql -h db'], 'sh -c PGPASSWORD=*** psql -h db'],
    [['bash', '-lc', "mysql -p'x y' db && curl -u me:x h"], 'bash -lc mysql -p*** db && curl -u me:*** h'],
    [['sh', '-c', 'curl -H "Authorization: Bearer x" h'], 'sh -c curl -H "Authorization: Bearer ***" h'],
    [['sh', '-c', "sh -c 'mysql -px db'"], "sh -c sh -c 'mysql -p*** db'"],
    [['watch', "echo don't; mysql -psecret"], "watch echo don't; mysql -p***"],
    [['docker', 'run', '-e', 'TOKEN=x', '--env=SECRET=y'], 'docker run -e TOKEN=*** --env=SECRET=***'],
    [['aws', 'AKIAIOSFODNN7EXAMPLE'], 'aws ***'],
    [['app', `a${JWT}b`], 'app a***'],
    [['app', 'ghp_0123456789abcdefghijABCDEFGHIJ012345'], 'app ***'],
    [['app', '-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----'], 'app -----BEGIN ***-----END RSA PRIVATE KEY-----'],
    [['app', '-----BEGIN PRIVATE KEY-----\nMII'], 'app -----BEGIN ***'],
    [['openssl', 'enc', '-pass', 'pass:x'], 'openssl enc -pass ***'],
    [['redis-server', '--requirepass', 'x'], 'redis-server --requirepass ***'],
  ])('%j', (words, expected) => {
    expect(maskCommand(words)).toBe(expected);
  }); // prettier-ignore

  test.each([
    'node server.js --port 80 --host=0.0.0.0',
    'java -cp a.jar:b.jar -Dx.y=z Main',
    'app --password-file=/run/secret.txt --token-path /x',
    'docker run redis:7@sha256:0123',
    'npm install @scope/pkg --registry https://registry.npmjs.org/',
    'find / -name compass -author x',
    'app PWD=/home/me',
    'ssh -p 22 me@host',
  ])('nothing to mask: %s', (line) => {
    expect(maskCommand(line.split(' '))).toBe(line);
  });

  test('keys', () => {
    const secret = [
      'password',
      'DB_PASS',
      'dbPassword',
      'MYSQL_PWD',
      'api_key',
      'AWS_SECRET_ACCESS_KEY',
      'authToken',
      'sig',
    ];
    const harmless = [
      'compass',
      'author',
      'key',
      'PWD',
      'passwordFile',
      'password-stdin',
      'user',
      'bypass-cache',
      'signal',
    ];
    expect(secret.filter((key) => !isSecretKey(key))).toEqual([]);
    expect(harmless.filter(isSecretKey)).toEqual([]);
  });
});

/** At both ends of a secret, and nowhere else: a part that came through would bear it. */
const MARK = 'Zq7Jx';
const SECRET_ALPHABET = 'A,B,C,D,E,a,b,c,d,e,0,1,2,3,4,5,+,%,!,=,?,#,~,^';
const plainSecret = fc
  .array(fc.constantFrom(...SECRET_ALPHABET.split(',')), { minLength: 12, maxLength: 40 })
  .map((characters) => `${MARK}${characters.join('')}${MARK}`);
const wildSecret = fc
  .string({ minLength: 8, maxLength: 60, unit: 'grapheme' })
  .map((text) => `${MARK}${text.replaceAll('\0', '')}${MARK}`);
const key = fc
  .tuple(
    fc.constantFrom('', 'db_', 'DB-', 'my.', 'x'),
    fc.constantFrom('password', 'passwd', 'token', 'secret', 'api_key', 'API-KEY', 'apiKey', 'access_token'),
  ) // prettier-ignore
  .map((parts) => parts.join(''));
/** Words of innocent looks that may confuse what follows. */
const noise = fc.array(
  fc.oneof(fc.constantFrom('-c', 'sh', '-p', "don't", '"', '=', ':', '&', 'a b', '-x', 'mysql', 'login', '://', '@', '\\', 'eyJ', '--', ''), fc.string()), // prettier-ignore
  { maxLength: 5 },
);

/** Each way to give a secret that may hold anything at all. */
const wildForms: ((k: string, s: string) => string[])[] = [
  (k, s) => [`--${k}=${s}`],
  (k, s) => [`--${k}`, s],
  (k, s) => ['-v', `-D${k}=${s}`],
  (_, s) => ['mysql', '-u', 'root', `-p${s}`],
  (_, s) => ['sshpass', '-p', s, 'ssh'],
  (_, s) => ['curl', '-u', `user:${s}`],
  (_, s) => ['-H', `Authorization: Bearer ${s}`],
  (k, s) => ['-H', `X-${k}: ${s}`],
  (_, s) => [`-----BEGIN OPENSSH PRIVATE KEY-----\n${s}`],
];
/** Those that end at a separator, so that the secret holds none. */
const plainForms: ((k: string, s: string) => string[])[] = [
  (k, s) => ['psql', `host=db ${k}=${s} user=me`],
  (k, s) => ['curl', `http://h/?a=b&${k}=${s.replace(/[#?=+%]/g, 'x')}&c=d`],
  (k, s) => ['curl', '-d', JSON.stringify({ a: 1, [k]: s, b: 'c' })],
  (_, s) => [`https://user:${s}@host/path`],
  (_, s) => ['amqp', `amqp://user:${s}@h1,amqp://user:${s}@h2`],
  (_, s) => ['sh', '-c', `PGPASSWORD=${s} psql -h db`],
  (k, s) => ['sh', '-c', `cd /x; app --${k} '${s}' | mysql -u root -p${s}`],
  (k, s) => ['app', `Server=h;${k}=${s};Database=d`],
];

function indexed<T>(forms: readonly T[]): fc.Arbitrary<T> {
  return fc.nat({ max: forms.length - 1 }).map((at) => forms[at]!);
}

describe('no known shape comes through', () => {
  test('secrets that hold anything', () => {
    fc.assert(
      fc.property(noise, indexed(wildForms), key, wildSecret, noise, (before, form, k, secret, after) => {
        // After `-c` of a shell a word is a script, and its blanks separate.
        const words = [...before.filter((word) => word !== 'sh'), ...form(k, secret), ...after];
        expect(maskCommand(words)).not.toContain(MARK);
      }),
      { numRuns: 2000 },
    );
  });

  test('secrets between separators', () => {
    fc.assert(
      fc.property(noise, indexed(plainForms), key, plainSecret, noise, (before, form, k, secret, after) => {
        expect(maskCommand([...before, ...form(k, secret), ...after])).not.toContain(MARK);
      }),
      { numRuns: 2000 },
    );
  });

  const token = fc.oneof(
    fc.stringMatching(/^AKIA[A-Z0-9]{16}$/),
    fc.stringMatching(/^ghp_[A-Za-z0-9]{36}$/),
    fc.stringMatching(/^github_pat_[A-Za-z0-9_]{40}$/),
    fc.stringMatching(/^eyJ[A-Za-z0-9_-]{20}\.eyJ[A-Za-z0-9_-]{20}\.[A-Za-z0-9_-]{20}$/),
  );

  test('tokens that show by themselves, anywhere', () => {
    fc.assert(
      fc.property(noise, fc.string(), token, fc.string(), noise, (before, left, secret, right, after) => {
        const masked = maskCommand([...before, `${left}${secret}${right}`, ...after]);
        expect(masked).not.toContain(secret);
        expect(masked).not.toContain(secret.slice(10));
      }),
      { numRuns: 1000 },
    );
  });

  test('wherever the reading stops', () => {
    const secrets = ['https://user:Zq0123456789@host', 'ghp_Zq0123456789abcdefghijklmnopqrstuv', 'AKIAZQ0123456789ABCD', JWT, '--password=Zq01234567', 'Authorization: Bearer Zq0123456789']; // prettier-ignore
    for (const secret of secrets) {
      for (let kept = 0; kept <= secret.length; kept++) {
        const filler = `app\0${'x'.repeat(COMMAND_BYTES - 5 - kept)}\0`;
        const bytes = Buffer.from(`${filler}${secret}\0tail`).subarray(0, COMMAND_BYTES);
        expect(commandLine(bytes)).not.toMatch(/Zq|ZQ|user:.*@|eyJ/);
        // The filler is longer than a line may be: again, where the end of what was read is in sight.
        const words = ['app', secret.slice(0, kept)];
        expect(maskCommand(words, true)).not.toMatch(/Zq|ZQ|eyJ/);
      }
    }
  });
});

describe('the bytes of /proc/PID/cmdline', () => {
  test('words by blanks, padding left out, bad UTF-8 replaced, controls as they are', () => {
    expect(commandLine(Buffer.from('nginx: worker process   \0\0\0'))).toBe('nginx: worker process');
    expect(commandLine(Buffer.from('a\0\0b\n\u001b[1m\0'))).toBe('a  b\n\u001b[1m');
    expect(commandLine(Buffer.from([0x61, 0xff, 0x62, 0]))).toBe('a\ufffdb');
    expect(commandLine(Buffer.from('\0\0'))).toBeNull();
    expect(commandLine(new Uint8Array())).toBeNull();
  });

  test('at most 4096 characters', () => {
    expect(commandLine(Buffer.from('a\0'.repeat(COMMAND_BYTES / 2)))).toHaveLength(4096);
    expect(maskCommand(new Array<string>(3000).fill('token=x'))).toHaveLength(4096);
    expect(commandLine(Buffer.alloc(COMMAND_BYTES, 'x'))).toBe('…');
  });

  test('arbitrary bytes throw nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const line = commandLine(bytes);
        expect((line ?? '').length).toBeLessThanOrEqual(4096);
      }),
      { numRuns: 500 },
    );
  });

  test('a hostile line takes no longer than its length lets expect', () => {
    const pieces = ['eyJ', 'token:', 'token= ', '"', "'", '\\"', 'bearer ', '-----BEGIN PRIVATE KEY-----', '-----BEGIN ', 'a:b@', '://', '@ ', '=', ':', 'sk-', ' ', ';password=', '"password":"', 'mysql ', "' ", '\\', 'ghp_', '--token\0', 'sh\0-c\0', 'x', "'a", '" "', 'token:\t\t\t\t']; // prettier-ignore
    commandLine(Buffer.from('warm up --token=x'));
    for (const piece of pieces) {
      const bytes = Buffer.from(piece.repeat(COMMAND_BYTES)).subarray(0, COMMAND_BYTES);
      const took = bestOf(150, () => {
        commandLine(bytes);
        commandLine(Buffer.concat([Buffer.from('sh\0-c\0'), bytes]).subarray(0, COMMAND_BYTES - 1));
      });
      expect([piece, took < 150]).toEqual([piece, true]);
    }
  });
});
