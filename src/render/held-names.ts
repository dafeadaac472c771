/** Who is at both ends of many resets that share one line: one name each, and whether it stands for all of them. */

import type { Glimpse, Named } from '../report/types.js';
import { processName, programName } from './process-text.js';
import { glyphs, type Style } from './style.js';

interface EndNames {
  first: Named | null;
  /** Others bear the first one's name. */
  namesakes: boolean;
  /** Others have another name, or none that is known. */
  others: boolean;
}

export class HeldNames {
  private readonly senders: EndNames = { first: null, namesakes: false, others: false };
  private readonly receivers: EndNames = { first: null, namesakes: false, others: false };
  private count = 0;

  add({ sender, receiver }: Pick<Glimpse, 'sender' | 'receiver'>): void {
    this.take(this.senders, sender);
    this.take(this.receivers, receiver);
    this.count++;
  }

  private take(end: EndNames, process: Named | null): void {
    const { first } = end;
    if (process === null) end.others ||= first !== null;
    else if (first === null) {
      end.first = process;
      // Those before it were not named.
      end.others = this.count > 0;
    } else if (process.name !== first.name || process.exe !== first.exe) end.others = true;
    else if (process.pid !== first.pid) end.namesakes = true;
  }

  /** '' where nobody is known. */
  text(style: Style): string {
    const sender = endText(this.senders, style);
    const receiver = endText(this.receivers, style);
    if (sender === '' && receiver === '') return '';
    return [sender, glyphs(style).arrow, receiver].filter((text) => text !== '').join(' ');
  }
}

function endText({ first, namesakes, others }: EndNames, style: Style): string {
  if (first === null) return '';
  const name = namesakes ? programName(first, style) : processName(first, style);
  return others ? `${name} and others` : name;
}
