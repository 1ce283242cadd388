import { open } from 'node:fs/promises'

const elfMachines: Record<number, { name: string; arch: string }> = {
  3: { name: '32-bit x86', arch: 'ia32' },
  40: { name: '32-bit ARM', arch: 'arm' },
  62: { name: 'x86-64', arch: 'x64' },
  183: { name: 'ARM64', arch: 'arm64' },
  243: { name: 'RISC-V', arch: 'riscv64' },
}

const headBytes = 4_096

/**
 * Why a file cannot be a program of this machine, judged by its first bytes and its length, or
 * null. `because` continues the sentence "it …". Asking the kernel alone is not enough: what it
 * refuses, the C library hands to the shell.
 */
export async function formatProblem(file: string, size: number): Promise<string | null> {
  const head = await readHead(file)
  if (head.length === 0) return 'is empty'
  const start = head.toString('latin1', 0, 512).trimStart().toLowerCase()
  if (start.startsWith('<')) return 'is a web page, not a program'
  if (head[0] === 0x1f && head[1] === 0x8b) return 'is a compressed archive: unpack it first'
  if (head[0] === 0x50 && head[1] === 0x4b) return 'is a ZIP archive: unpack it first'
  if (head.toString('latin1', 0, 2) === '#!') return null
  if (head.toString('latin1', 0, 2) === 'MZ') return 'is a Windows program'
  if (head.readUInt32BE(0) === 0x7f454c46) return elfProblem(head, size)
  if (isMachO(head)) return process.platform === 'darwin' ? null : 'is a macOS program'
  return `is not a program for ${process.platform}`
}

/** What a processor is called in sentences, by its name in Node. */
export function processorName(arch: string): string {
  return Object.values(elfMachines).find((machine) => machine.arch === arch)?.name ?? arch
}

/** What processor a Linux program is for; null where a file is none. */
export async function elfOf(file: string): Promise<{ name: string; arch: string } | null> {
  const head = await readHead(file)
  if (head.length < 20 || head.readUInt32BE(0) !== 0x7f454c46) return null
  return elfMachines[head.readUInt16LE(18)] ?? { name: 'another processor', arch: 'unknown' }
}

async function readHead(file: string): Promise<Buffer> {
  const handle = await open(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    // Never shorter than one number to read, so that tiny files need no case of their own.
    return bytesRead === 0 ? Buffer.alloc(0) : buffer.subarray(0, Math.max(bytesRead, 4))
  } finally {
    await handle.close()
  }
}

function isMachO(head: Buffer): boolean {
  return [0xcffaedfe, 0xcefaedfe, 0xcafebabe].includes(head.readUInt32BE(0))
}

/** Fields of the ELF header and program headers as in elf(5), 64-bit little-endian layout. */
function elfProblem(head: Buffer, size: number): string | null {
  if (process.platform !== 'linux') return 'is a Linux program'
  if (size < 64) return 'is damaged: it ends within its header'
  const machine = elfMachines[head.readUInt16LE(18)]
  if (machine?.arch !== process.arch) {
    return `is built for ${machine?.name ?? 'another processor'}, and this machine is ${process.arch}`
  }
  if (head[4] !== 2) return null
  const end = Math.max(endOfSegments(head), endOfSections(head))
  return end > size ? `is damaged: it has ${size} bytes of at least ${end}` : null
}

function endOfSegments(head: Buffer): number {
  const offset = Number(head.readBigUInt64LE(32))
  const entryBytes = head.readUInt16LE(54)
  const count = head.readUInt16LE(56)
  let end = offset + entryBytes * count
  for (let index = 0; index < count; index++) {
    const at = offset + index * entryBytes
    if (at + 40 > head.length) break
    end = Math.max(end, Number(head.readBigUInt64LE(at + 8) + head.readBigUInt64LE(at + 32)))
  }
  return end
}

function endOfSections(head: Buffer): number {
  return Number(head.readBigUInt64LE(40)) + head.readUInt16LE(58) * head.readUInt16LE(60)
}
