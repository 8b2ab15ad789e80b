/* part.js - loads a student's file, compiled into a library, beside the kit: WebAssembly's conventions for dynamic
 * linking (tool-conventions/DynamicLinking.md): what it needs of memory and of the table, where its names are found. */
import { Reader, sections } from './binary.js'

/* What a library needs: {memory, align, table}, in bytes and entries. */
export function needs(bytes) {
  const section = sections(bytes).find(one => one.name === 'dylink.0'), need = { memory: 0, align: 0, table: 0 }
  const reader = new Reader(section.body, 1 + 'dylink.0'.length)
  while (reader.at < reader.end) {
    const kind = reader.byte(), part = new Reader(reader.take(reader.uint()))
    if (kind === 1) Object.assign(need, { memory: part.uint(), align: 1 << part.uint(), table: part.uint() })
  }
  return need
}

/* Puts a function of the kit's, or of the library's, into the table, once. */
function entry(table, known, name, fn) {
  if (!known.has(name)) {
    known.set(name, table.length)
    table.grow(1)
    table.set(known.get(name), fn)
  }
  return known.get(name)
}

/* The library `module`, beside the kit's exports. Returns its exports, or {missing: the name that is nowhere}. A call
 * that stops a thread is the kit's own, which tells of it (blocking.c). */
export function load(module, need, kit) {
  const table = kit.__indirect_function_table, entries = new Map(), later = []
  const memory = need.memory ? kit.aligned_alloc(Math.max(16, need.align), (need.memory + 15 & ~15) + 16) : 0
  const first = table.length
  if (need.table) table.grow(need.table)
  new Uint8Array(kit.memory.buffer, memory, need.memory).fill(0)
  const constant = value => new WebAssembly.Global({ value: 'i32', mutable: false }, value)
  const slot = value => new WebAssembly.Global({ value: 'i32', mutable: true }, value)
  const find = name => kit[`caught_${name}`] ?? kit[name]
  const imports = { env: {}, 'GOT.mem': {}, 'GOT.func': {} }
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (from === 'env' && name === '__memory_base') imports.env[name] = constant(memory)
    else if (from === 'env' && name === '__table_base') imports.env[name] = constant(first)
    else if (from === 'env' && name === 'memory') imports.env[name] = kit.memory
    else if (from === 'env' && name === '__indirect_function_table') imports.env[name] = table
    else if (from === 'env' && kind === 'function') {
      imports.env[name] = find(name)
      if (!imports.env[name]) return { missing: name }
    } else if (from === 'env') imports.env[name] = kit[name]
    else {
      imports[from][name] = slot(0)
      later.push([from, name])
    }
  }
  const { exports } = new WebAssembly.Instance(module, imports)
  for (const [from, name] of later) {
    const own = exports[name], theirs = find(name)
    if (!own && !theirs) return { missing: name }
    imports[from][name].value = from === 'GOT.func' ? entry(table, entries, name, own ?? theirs)
      : own ? memory + own.value : theirs.value
  }
  exports.__wasm_apply_data_relocs?.()
  exports.__wasm_call_ctors?.()
  return { exports, symbol: name => exports[name] instanceof Function ? entry(table, entries, name, exports[name]) : 0 }
}
