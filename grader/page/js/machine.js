/* machine.js - runs a program once, as the grader's launcher does natively: its files, its limits, how it ended. */
import { WASI, File, OpenFile, PreopenDirectory, Fd } from '@bjorn3/browser_wasi_shim'
import { flows } from './flows.js'
import { load } from './part.js'

const OUTPUT = 1 << 20              /* bytes of stdout and stderr together; as process.py has it */
const TRACE = 16 << 20              /* bytes of the trace: its limit for a file                  */
const FULL = 960 << 20              /* bytes of memory: it may have 1 GiB (kit.mjs)              */
const TURNS = 200e6                 /* turns of loops: about what 1 s of processor time is        */
const SIGNALS = { 6: 'SIGABRT', 8: 'SIGFPE', 11: 'SIGSEGV' }
const CPU = 24

/* The program was stopped: at a limit, by a signal, or because it wanted to exit. */
class Stop extends Error {
  constructor(how) { super('stopped'), Object.assign(this, { how }) }
}

/* Where a program's output goes. */
class Sink extends Fd {
  constructor(limit) { super(), Object.assign(this, { pieces: [], limit }) }

  fd_filestat_get() { return { ret: 8, filestat: null } }

  fd_fdstat_get() { return { ret: 8, fdstat: null } }

  fd_prestat_get() { return { ret: 8, prestat: null } }

  fd_write(data) {
    const room = this.limit.left
    this.pieces.push(data.slice(0, Math.max(0, room)))
    this.limit.left -= data.length
    if (this.limit.left < 0) throw new Stop({ limit: this.limit.name })
    return { ret: 0, nwritten: data.length }
  }

  text() {
    const whole = new Uint8Array(this.pieces.reduce((n, piece) => n + piece.length, 0))
    this.pieces.reduce((at, piece) => (whole.set(piece, at), at + piece.length), 0)
    return new TextDecoder().decode(whole)
  }
}

/* What an engine's error means: a signal, and the place in the student's file that it came from, if it says so. */
function faultOf(error, part) {
  const said = String(error.message)
  const number = error instanceof RangeError || /stack/i.test(said) ? 0
    : /divi|remainder|integer overflow/i.test(said) ? 8 : /unreachable/i.test(said) ? 6 : 11
  const frame = /wasm:\/\/wasm\/(?:([\w.]+)-)?[0-9a-f]+:wasm-function\[\d+\]:0x([0-9a-f]+)/.exec(error.stack ?? '')
  return { number, place: frame && !frame[1]?.startsWith('kit') ? part?.place(parseInt(frame[2], 16)) : 0 }
}

/* One run of kit (a module) with a part ({module, need, place}; null: none). words: the command line behind the
 * program's name; files: {name: bytes}; way: "jspi" or "asyncify". Resolves to {exit, signal, limit, stdout, stderr,
 * trace}. */
export async function run({ kit, part = null, words, files = {}, way, env = [], turns = TURNS }) {
  const output = { name: 'output', left: OUTPUT }, record = { name: 'file', left: TRACE }
  const out = new Sink(output), err = new Sink(output), trace = new Sink(record), flow = flows(way)
  const folder = new PreopenDirectory('.', new Map(Object.entries(files).map(([name, data]) => [name, new File(data)])))
  const wasi = new WASI(['program', ...words], env, [new OpenFile(new File([])), out, err, folder, trace],
    { debug: false })
  let loaded = { missing: 'warmup' }, exports
  const host = {
    fault: (at, size) => {
      loaded = part ? load(part.module, part.need, exports) : loaded
      if (!loaded.missing) return 0
      const text = new TextEncoder().encode(`part.so: undefined symbol: ${loaded.missing}`).subarray(0, size - 1)
      new Uint8Array(exports.memory.buffer, at, size).set(text)
      exports.memory.buffer && (new Uint8Array(exports.memory.buffer)[at + text.length] = 0)
      return 1
    },
    symbol: at => {
      const memory = new Uint8Array(exports.memory.buffer)
      return loaded.symbol(new TextDecoder().decode(memory.slice(at, memory.indexOf(0, at))))
    },
    signal: number => { throw new Stop(number === CPU ? { limit: 'cpu' } : { signal: SIGNALS[number] ?? 'SIGSEGV' }) },
  }
  const imports = { ...wasi.wasiImport, proc_exit: code => { throw new Stop({ exit: code }) } }
  const instance = new WebAssembly.Instance(kit, { wasi_snapshot_preview1: imports, flow: flow.imports, host })
  exports = instance.exports
  wasi.inst = instance
  const set = (name, value) => new DataView(exports.memory.buffer).setUint32(exports[name].value, value, true)
  if (exports.co__fuel) set('co__fuel', turns)
  const end = async (begin, last) => {
    try {
      await begin()
      return { exit: 0 }
    } catch (error) {
      if (error instanceof Stop) return error.how
      if (!(error instanceof WebAssembly.RuntimeError || error instanceof RangeError) || !exports.co__fault) throw error
      const { number, place } = faultOf(error, part)
      if (globalThis.looplabDebug) console.error(error)
      if (last) return { signal: SIGNALS[number] ?? 'SIGSEGV' }
      if (place) set('co__pc', place)
      return end(() => exports.co__fault(number), true)
    }
  }
  const how = await end(() => flow.begin(exports))
  const full = exports.memory.buffer.byteLength > FULL && how.exit !== 0
  return { exit: null, signal: null, limit: null, ...full ? { limit: 'memory' } : how,
    stdout: out.text(), stderr: err.text(), trace: trace.text() }
}

/* Where the kit keeps what instrument.js writes to: {pc, fuel, low}. */
export function addresses(kit) {
  const imports = {}
  for (const { module, name } of WebAssembly.Module.imports(kit)) (imports[module] ??= {})[name] = () => 0
  const { exports } = new WebAssembly.Instance(kit, imports)
  return { pc: exports.co__pc.value, fuel: exports.co__fuel.value, low: exports.co__stack_low.value }
}
