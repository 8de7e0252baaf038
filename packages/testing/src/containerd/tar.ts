/** One entry of an archive. Without `link` and `folder` it is a file, without `content` an empty one. */
export interface TarEntry {
  /** Relative, at most 100 bytes. */
  readonly path: string;
  readonly content?: string | Buffer;
  /** Target of a symbolic link. */
  readonly link?: string;
  readonly folder?: boolean;
  /** Permission bits; 0755 unless given, for a file 0644. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

const BLOCK = 512;

/** An archive in the ustar format. Equal entries give equal bytes: all times are zero. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? '');
    parts.push(header(entry, content.length), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(entry: TarEntry, size: number): Buffer {
  const path = entry.folder ? `${entry.path}/` : entry.path;
  if (Buffer.byteLength(path) > 100 || Buffer.byteLength(entry.link ?? '') > 100) throw new Error(`the path ${path} is too long for a plain archive (100 bytes)`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void => void block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  block.write(path, 0);
  octal(entry.mode ?? (isFile(entry) ? 0o644 : 0o755), 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.fill(' ', 148, 156);
  block.write(typeFlag(entry), 156, 'latin1');
  block.write(entry.link ?? '', 157);
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function isFile(entry: TarEntry): boolean {
  return entry.link === undefined && !entry.folder;
}

function typeFlag(entry: TarEntry): string {
  if (entry.link !== undefined) return '2';
  return entry.folder ? '5' : '0';
}
