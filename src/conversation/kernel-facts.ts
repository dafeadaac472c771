/**
 * What the system that a reset was captured on knows of it, as the rules take it. Declared here, filled by whoever asks
 * the system; null is "not known", never "no".
 */

/** What the stack of a reset said that a program sent. */
export type KernelPath =
  'linger' | 'listener-closed' | 'disconnect' | 'killed' | 'sock-destroy' | 'keepalive' | 'close';

/** The kernel's own word on a reset that its TCP sent (tracepoint tcp:tcp_send_reset). */
export interface KernelSent {
  /** SK_RST_REASON_ without its prefix; null: this kernel gives none. */
  readonly reason: string | null;
  readonly path: KernelPath | null;
  /** A socket sent it by itself; false: it answers a segment. Null: the kernel does not say. */
  readonly active: boolean | null;
  /** There was no socket for what it answers. */
  readonly socketless: boolean;
  /** A listener answered. */
  readonly listening: boolean;
}

/** What the host's tables say of a port when the reset came. */
export interface ListenerFacts {
  /** Somebody listened at the reset's source address and port; null: not known. */
  readonly atSource: boolean | null;
  /** A sentence on who listened there before, or listens there. */
  readonly evidence: string | null;
}

export interface KernelFacts {
  /** 'silent': the trace ran, lost nothing, would have told, and told nothing: not by TCP. Null: not known. */
  readonly sent: KernelSent | 'silent' | null;
  /**
   * A live socket of this host took it (of several equal resets: one of them). False: the trace would have told, and told
   * nothing, so no full socket took it. It may still have had an effect: on a handshake that a listener waits for and in
   * TIME-WAIT the kernel takes a reset without a word; and one that is in the window but not exactly next is answered by
   * a challenge ACK, not taken. What no socket saw is among them too: filtered out, or nobody there. Null: not known.
   */
  readonly received: boolean | null;
  readonly listener: ListenerFacts;
  /** Who opened the connection, as the kernel saw somebody connect or accept; null: not known. */
  readonly opener: 'source' | 'destination' | null;
}

export const NO_KERNEL_FACTS: KernelFacts = {
  sent: null,
  received: null,
  listener: { atSource: null, evidence: null },
  opener: null,
};
