/* lines.js - a module's line table in the wrapping that the kit reads: a small ELF file (sim/trace/line_table.h). */
import { sections } from './binary.js'

const NAMES = ['.debug_line', '.debug_line_str', '.debug_str']

/* The ELF file of a module that was compiled with -g: one piece of code from address 0 on, and its tables. */
export function elfOf(module) {
  const parts = sections(module), code = parts.find(part => part.id === 10)?.body.length ?? 0
  const bodies = NAMES.map(name => {
    const found = parts.find(part => part.name === name)
    return found ? found.body.subarray(1 + name.length) : new Uint8Array(0)
  })
  const names = new TextEncoder().encode('\0' + [...NAMES, '.shstrtab'].join('\0') + '\0')
  const all = [...bodies, names], begin = 64 + 56
  const table = all.reduce((at, one) => at + one.length, begin) + 7 & ~7
  const file = new Uint8Array(table + 64 * (all.length + 1)), view = new DataView(file.buffer)
  const put = (at, size, value) => size === 8 ? view.setBigUint64(at, BigInt(value), true)
    : size === 4 ? view.setUint32(at, value, true) : view.setUint16(at, value, true)
  const fields = (at, list) => list.forEach(([size, value]) => { put(at, size, value); at += size })

  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  fields(16, [[2, 3], [2, 62], [4, 1], [8, 0], [8, 64], [8, table], [4, 0], [2, 64], [2, 56], [2, 1], [2, 64],
    [2, all.length + 1], [2, all.length]])
  fields(64, [[4, 1], [4, 5], [8, 0], [8, 0], [8, 0], [8, code], [8, code], [8, 1]])
  let at = begin, name = 1
  all.forEach((one, i) => {
    file.set(one, at)
    fields(table + 64 * (i + 1), [[4, name], [4, i < NAMES.length ? 1 : 3], [8, 0], [8, 0], [8, at], [8, one.length],
      [4, 0], [4, 0], [8, 1], [8, 0]])
    at += one.length
    name += (NAMES[i] ?? '.shstrtab').length + 1
  })
  return file
}
