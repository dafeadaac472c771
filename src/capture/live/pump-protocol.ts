/** What the thread that takes the capturing programs' streams and its starter say to each other. */

/** To the thread. Each program has a number. */
export type PumpOrder =
  | {
      readonly kind: 'start';
      readonly id: number;
      readonly file: string;
      readonly args: readonly string[];
      /** It has a queue of its own and need not be relieved of what finds no room here. */
      readonly patient: boolean;
    }
  /** The next bytes are wanted; they come when there are any. */
  | { readonly kind: 'take'; readonly id: number }
  | { readonly kind: 'end-input'; readonly id: number }
  | { readonly kind: 'kill'; readonly id: number; readonly signal: NodeJS.Signals };

/** From the thread. */
export type PumpWord =
  /** `pid`: null where it can't be started; then `gone` follows. */
  | { readonly kind: 'started'; readonly id: number; readonly pid: number | null }
  /** A line on its standard error. */
  | { readonly kind: 'line'; readonly id: number; readonly line: string }
  /** What was asked for; nothing at the end. */
  | { readonly kind: 'bytes'; readonly id: number; readonly bytes: Uint8Array }
  /** Packets that found no room so far. */
  | { readonly kind: 'dropped'; readonly id: number; readonly dropped: number }
  /** It has ended and all that it said has been told; bytes may still wait to be taken. */
  | { readonly kind: 'gone'; readonly id: number };
