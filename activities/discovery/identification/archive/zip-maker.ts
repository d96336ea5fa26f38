import { crc32, deflateRawSync } from 'node:zlib';

/** A member to be, and lies about it. For tests and samples. */
export interface MadeMember {
  readonly name: string | Buffer;
  readonly content: Buffer | string;
  readonly crc?: number;
  readonly bytes?: number;
  readonly flags?: number;
  readonly method?: number;
  readonly unixMode?: number;
  /** Sizes and checksum stand behind the content. */
  readonly hasDescriptor?: boolean;
  /** Local header of an earlier member, instead of one of its own. */
  readonly sharesOffset?: boolean;
}

export interface MadeZip {
  readonly comment?: Buffer;
  readonly declared?: number;
  readonly isZip64?: boolean;
}

/** A zip, byte by byte. */
export function makeZip(
  members: readonly MadeMember[],
  { comment = Buffer.alloc(0), declared, isZip64 = false }: MadeZip = {},
): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let [offset, lastOffset] = [0, 0];
  const add = (part: Buffer): void => {
    parts.push(part);
    offset += part.length;
  };
  for (const member of members) {
    const { method = 8, flags = 0, unixMode, hasDescriptor = false, sharesOffset = false } = member;
    const name = Buffer.from(member.name);
    const content = Buffer.from(member.content);
    const packed = method === 8 ? deflateRawSync(content) : content;
    const [crc, bytes] = [member.crc ?? crc32(content), member.bytes ?? content.length];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags | (hasDescriptor ? 8 : 0) | (typeof member.name === 'string' ? 0x800 : 0), 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.from(common);
    if (hasDescriptor) local.fill(0, 10, 22);
    if (!sharesOffset) {
      lastOffset = offset;
      add(Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), local, name, packed]));
      if (hasDescriptor) add(Buffer.concat([Buffer.from('PK\x07\x08', 'latin1'), common.subarray(10, 22)]));
    }
    const entry = Buffer.alloc(46);
    entry.write('PK\x01\x02', 0, 'latin1');
    entry.writeUInt16LE(unixMode === undefined ? 20 : 0x0314, 4);
    common.copy(entry, 6, 0, 24);
    entry.writeUInt32LE(((unixMode ?? 0) << 16) >>> 0, 38);
    entry.writeUInt32LE(lastOffset, 42);
    directory.push(entry, name);
  }
  const start = offset;
  add(Buffer.concat(directory));
  const bytes = offset - start;
  const count = declared ?? members.length;
  if (isZip64) {
    const record = Buffer.alloc(56 + 20);
    record.write('PK\x06\x06', 0, 'latin1');
    record.writeBigUInt64LE(44n, 4);
    for (const at of [24, 32]) record.writeBigUInt64LE(BigInt(count), at);
    record.writeBigUInt64LE(BigInt(bytes), 40);
    record.writeBigUInt64LE(BigInt(start), 48);
    record.write('PK\x06\x07', 56, 'latin1');
    record.writeBigUInt64LE(BigInt(offset), 64);
    record.writeUInt32LE(1, 72);
    add(record);
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  for (const at of [8, 10]) end.writeUInt16LE(isZip64 ? 0xffff : count, at);
  end.writeUInt32LE(isZip64 ? 0xffffffff : bytes, 12);
  end.writeUInt32LE(isZip64 ? 0xffffffff : start, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, end, comment]);
}
