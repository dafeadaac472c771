/** The kernel's word on a reset, as sentences. */

import type { KernelPath, KernelSent } from '../kernel-facts.js';

export const PATH_WORDS: Readonly<Record<KernelPath, string>> = {
  linger: 'tcp_disconnect in close(): SO_LINGER with time 0',
  'listener-closed': 'inet_csk_listen_stop: its listener was closed before the connection was accepted',
  disconnect: '__inet_stream_connect: connect() with AF_UNSPEC',
  killed: 'get_signal: the process was killed',
  'sock-destroy': 'tcp_abort: the socket was destroyed from outside',
  keepalive: 'tcp_keepalive_timer: the peer did not answer',
  close: '__tcp_close',
};

/** The kernel's word as sentences. */
export function words({ reason, path, active, socketless, listening }: KernelSent): string[] {
  const said: string[] = [];
  if (reason !== null) said.push(`the kernel sent it for ${reason}`);
  else if (socketless) said.push('the kernel sent it: there was no socket');
  else if (listening) said.push('the kernel sent it: a listener could not take the segment');
  else if (active === true) said.push('the kernel sent it for a socket that was given up');
  else said.push('the kernel sent it');
  if (path !== null) said.push(`its stack says ${PATH_WORDS[path]}`);
  return said;
}
