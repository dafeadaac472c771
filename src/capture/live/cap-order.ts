/** What the capturing child of the `cap` binding is told, and what it says: both as JSON. */

/** Its one argument. */
export interface CapOrder {
  readonly device: string;
  /** What the interface is called in the stream; null where it stands for several. */
  readonly name: string | null;
  readonly filter: string;
  readonly snaplen: number;
  /** Of the kernel's ring. */
  readonly bufferBytes: number;
}

/** A line on its standard error. */
export type CapWord =
  | { readonly word: 'ready'; readonly linkType: number }
  /** The binding is not there or can't be loaded. */
  | { readonly word: 'unavailable'; readonly message: string }
  /** Packets came faster than the binding can be sure to see: some may be missing, and nobody counts them. */
  | { readonly word: 'flooded' }
  /** libpcap says no, in its own words. */
  | { readonly word: 'refused'; readonly message: string };

/** More packets a millisecond than this are a flood; no reader keeps pace with it. */
export const FLOOD_PACKETS_A_MS = 120;
