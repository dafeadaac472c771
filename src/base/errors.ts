/**
 * The errors a user is told of: a stable code, one sentence with its figures, and the next command to type.
 *
 * Knows no streams and prints nothing. Anything thrown that is not a `UserError` is a fault of the program (exit 70).
 */

export type ErrorCode =
  | 'usage'
  | 'no-such-file'
  | 'no-such-frame'
  | 'unreadable'
  | 'not-a-capture'
  | 'compressed'
  | 'undecodable'
  | 'no-captures'
  | 'unsupported'
  | 'no-such-namespace'
  | 'write-failed'
  | 'no-such-interface'
  | 'interface-down'
  | 'no-permission'
  | 'bad-filter'
  | 'no-backend'
  | 'interrupted';

/** What could not be done; ends the command with exit code 2. */
export class UserError extends Error {
  readonly code: ErrorCode;
  /** The next command to type, or null where there is none. */
  readonly hint: string | null;

  constructor(code: ErrorCode, message: string, hint: string | null = null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'UserError';
    this.code = code;
    this.hint = hint;
  }
}

/** The system's own word for a failed call: "permission denied" for EACCES, else its code. */
export function systemReason(error: unknown): string {
  // By shape: an error of the system may come from another realm than ours.
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ENOENT':
      return 'no such file';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ENOSPC':
      return 'no space left on the device';
    case 'EISDIR':
      return 'it is a directory';
    case 'EMFILE':
    case 'ENFILE':
      return 'too many open files';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ELOOP':
      return 'too many symbolic links';
    case 'EIO':
      return 'input/output error';
    default:
      return code === '' ? String(error) : code;
  }
}
