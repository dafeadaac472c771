import type { Plugin } from 'esbuild';

export function inlineReaders(name: string, source: string): string;
export const readersInPlace: Plugin;
