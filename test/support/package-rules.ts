/**
 * What a user takes in with the package: few direct dependencies, each pinned, and no install script but that of the
 * optional capture binding. Read from package.json and package-lock.json of a folder.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const MOST_RUNTIME_DEPENDENCIES = 8;
const MAY_RUN_INSTALL_SCRIPT = 'cap';
/** Development only: never installed with the published package, and their scripts are denied (allowScripts). */
const DEV_INSTALL_SCRIPTS: readonly string[] = ['@parcel/watcher', '@swc/core', 'esbuild', 'fsevents', 'unrs-resolver'];
const SCRIPTS_RUN_BY_INSTALL = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare'];

type Versions = Record<string, string>;

interface Manifest {
  scripts?: Versions;
  dependencies?: Versions;
  optionalDependencies?: Versions;
  peerDependencies?: Versions;
  devDependencies?: Versions;
}

interface LockedPackage {
  resolved?: string;
  dev?: boolean;
  hasInstallScript?: boolean;
  dependencies?: Versions;
  optionalDependencies?: Versions;
}

export interface PackageFacts {
  manifest: Manifest;
  /** By the path of the installed package: 'node_modules/cap'. The empty path is this package itself. */
  locked: Readonly<Record<string, LockedPackage>>;
}

export function readPackage(root: string): PackageFacts {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  return { manifest, locked: lock.packages };
}

const nameOf = (installedAt: string): string => installedAt.split('node_modules/').at(-1) ?? installedAt;
const runtimeOf = (manifest: Manifest): Versions => ({
  ...manifest.dependencies,
  ...manifest.optionalDependencies,
  ...manifest.peerDependencies,
});

/** Where `name` is found from a package installed at `from`: in its own node_modules, else in one further out. */
function resolve(locked: PackageFacts['locked'], from: string, name: string): string | null {
  for (let base = from; ;) {
    const candidate = base === '' ? `node_modules/${name}` : `${base}/node_modules/${name}`;
    if (candidate in locked) return candidate;
    if (base === '') return null;
    base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')));
  }
}

/** Every installed package that is reached from these direct dependencies. */
function reachable(locked: PackageFacts['locked'], names: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (from: string, name: string): void => {
    const installedAt = resolve(locked, from, name);
    if (installedAt === null || found.has(installedAt)) return;
    found.add(installedAt);
    const entry = locked[installedAt];
    for (const next of Object.keys({ ...entry?.dependencies, ...entry?.optionalDependencies }))
      visit(installedAt, next);
  };
  for (const name of names) visit('', name);
  return found;
}

/** Each rule gives the list of what breaks it. */
export const PACKAGE_RULES = {
  'few direct dependencies': ({ manifest }: PackageFacts) => {
    const names = Object.keys(runtimeOf(manifest));
    return names.length > MOST_RUNTIME_DEPENDENCIES ? names : [];
  },

  'every version is exact': ({ manifest }: PackageFacts) =>
    Object.entries({ ...runtimeOf(manifest), ...manifest.devDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${name}@${version}`),

  'installing it runs no script of its own': ({ manifest }: PackageFacts) =>
    SCRIPTS_RUN_BY_INSTALL.filter((name) => manifest.scripts?.[name] !== undefined),

  'at run time only the capture binding has an install script': ({ manifest, locked }: PackageFacts) => {
    const names = Object.keys(runtimeOf(manifest));
    const ofCapOnly = reachable(locked, [MAY_RUN_INSTALL_SCRIPT]);
    for (const used of reachable(
      locked,
      names.filter((name) => name !== MAY_RUN_INSTALL_SCRIPT),
    )) {
      ofCapOnly.delete(used);
    }
    return Object.entries(locked)
      .filter(([at, entry]) => at !== '' && entry.dev !== true && entry.hasInstallScript === true && !ofCapOnly.has(at))
      .map(([at]) => at);
  },

  'an install script for development is one that is known': ({ locked }: PackageFacts) =>
    Object.entries(locked)
      .filter(([at, entry]) => entry.dev === true && entry.hasInstallScript === true && !isKnownForDevelopment(at))
      .map(([at]) => at),

  'the lock file names no registry': ({ locked }: PackageFacts) =>
    Object.entries(locked)
      .filter(([, entry]) => entry.resolved !== undefined)
      .map(([at, entry]) => `${at} ${entry.resolved ?? ''}`),
} satisfies Record<string, (facts: PackageFacts) => string[]>;

const isKnownForDevelopment = (installedAt: string): boolean => DEV_INSTALL_SCRIPTS.includes(nameOf(installedAt));

export type PackageRuleName = keyof typeof PACKAGE_RULES;
export const PACKAGE_RULE_NAMES = Object.keys(PACKAGE_RULES) as PackageRuleName[];
