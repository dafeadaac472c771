/**
 * `rstscope who PORT --json` beside `lsof -i:PORT -P -n` on a made host: 500 processes of 100 descriptors, and 20,000
 * sockets on loopback. Times are of whole processes, Node's start included. Root, lsof and perl are needed; all that is
 * started ends with this program.
 *
 *   npm run bench:who [-- --pairs N] [-- --busy]
 *   --busy   ask for a port with 5,000 of the connections instead of one with five
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import process, { execPath, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pair } from './pair.mjs';

const RSTSCOPE = join(dirname(fileURLToPath(import.meta.url)), '..', 'bin', 'rstscope.js');

const PROCESSES = 500;
const DESCRIPTORS = 100;
const CONNECTIONS = 10_000;
const HOLDERS = 2;

/**
 * The host. Each child ends when its parent's pipe does, however that ended.
 * It says the quiet port and a busy one when all are there.
 */
const HOST = String.raw`
use strict; use warnings; use Socket; use POSIX ();
my ($processes, $descriptors, $connections, $holders) = @ARGV;
$0 = 'made-host';
POSIX::close($_) for 3 .. 1023;
pipe(my $life, my $held) or die;
my @keep;
sub listener {
  socket(my $s, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
  bind($s, sockaddr_in(0, INADDR_LOOPBACK)) or die "bind: $!";
  listen($s, 128) or die "listen: $!";
  return ($s, (sockaddr_in(getsockname($s)))[0]);
}
sub connected {
  my ($listener, $port) = @_;
  socket(my $client, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
  connect($client, sockaddr_in($port, INADDR_LOOPBACK)) or die "connect: $!";
  accept(my $server, $listener) or die "accept: $!";
  return ($client, $server);
}
sub child {
  my ($work) = @_;
  pipe(my $answer, my $say) or die;
  my $pid = fork() // die "fork: $!";
  if ($pid) {
    close $say;
    my $said = <$answer> // die "a child failed";
    close $answer;
    chomp $said;
    return $said;
  }
  close $held; close $answer;
  my $said = $work->();
  syswrite($say, "$said\n");
  close $say;
  sysread($life, my $nothing, 1);
  POSIX::_exit(0);
}
my $quiet = child(sub { my ($l, $p) = listener(); push @keep, $l, map { connected($l, $p) } 1 .. 5; $p });
my $busy = 0;
for (1 .. $holders) {
  $busy = child(sub { my ($l, $p) = listener(); push @keep, $l; push @keep, connected($l, $p) for 1 .. $connections / $holders; $p });
}
for (1 .. $processes) {
  child(sub { for (5 .. $descriptors) { open(my $f, '<', '/dev/null') or die; push @keep, $f } 'ready' });
}
$| = 1;
print "$quiet $busy\n";
<STDIN>;
`;

async function main() {
  const { values } = parseArgs({
    options: { pairs: { type: 'string', default: '9' }, busy: { type: 'boolean', default: false } },
  });
  const args = [PROCESSES, DESCRIPTORS, CONNECTIONS, HOLDERS].map(String);
  const host = spawn('perl', ['-e', HOST, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const said = await Promise.race([
      once(host.stdout, 'data'),
      once(host, 'exit').then(() => Promise.reject(new Error('the host could not be made'))),
    ]);
    const [quiet, busy] = String(said[0]).trim().split(' ');
    const port = values.busy ? busy : quiet;
    const load = loadavg()[0].toFixed(1);
    const who = { argv: [execPath, RSTSCOPE, 'who', port, '--json'] };
    const lsof = { argv: ['lsof', `-i:${port}`, '-P', '-n'] };
    const result = await pair(who, lsof, { pairs: Number(values.pairs) });
    /** @param {{min: number, median: number, max: number}} s */
    const show = (s) => [s.min, s.median, s.max].map((value) => value.toFixed(3).padStart(9)).join('');
    stdout.write(`${PROCESSES} processes x ${DESCRIPTORS} descriptors, ${2 * CONNECTIONS} sockets, `);
    stdout.write(`${availableParallelism()} cores, load ${load}, Node ${process.version}\n`);
    stdout.write(`${values.pairs} pairs           min   median      max\n`);
    stdout.write(`who, seconds ${show(result.a)}   peak ${(result.peakA / 1e6).toFixed(0)} MB\n`);
    stdout.write(`lsof, seconds${show(result.b)}   peak ${(result.peakB / 1e6).toFixed(0)} MB\n`);
    stdout.write(`who / lsof   ${show(result.ratio)}\n`);
  } finally {
    host.stdin.end();
    if (host.exitCode === null) await once(host, 'exit');
  }
}

main().catch((error) => {
  stderr.write(`who: ${error.message}\n`);
  process.exitCode = 2;
});
