/** Offsets and flags of the TCP header (RFC 9293 3.1). Imports nothing: see record-layout.ts. */

export const TCP_SOURCE_PORT = 0;
export const TCP_DESTINATION_PORT = 2;
export const TCP_SEQ = 4;
export const TCP_ACK = 8;

export const TCP_WINDOW = 14;
export const TCP_MIN = 20;

export const FIN = 0x001;
export const SYN = 0x002;
export const RST = 0x004;
export const PSH = 0x008;
export const ACK = 0x010;
export const URG = 0x020;
export const ECE = 0x040;
export const CWR = 0x080;
export const AE = 0x100;
/** The flags that begin and end connections. */
export const CONTROL = SYN | FIN | RST;

/** Beside flags that are wanted: all segments are, those without any flag too. */
export const KEEP_ANY = 0x1000;
