/* instrument.js - gives a student's compiled program what a processor and Linux have, and WebAssembly has not:
 *
 *  - a return address: before each call its place is written to co__pc, which the kit reads (CALLER in loop.h);
 *  - an end of the computing time: each turn of a loop takes one from co__fuel, and at 0 the program is stopped;
 *  - a page at address 0 that nobody may touch, and the guard below a stack: loads, stores and the stack pointer are
 *    looked at.
 *
 * All in one pass over the code, without knowing what it does. Places are those of the module as it was compiled, which
 * is what its line table speaks of. Instructions: the WebAssembly core specification 2.0, chapter 5.4.
 */
import { Reader, Writer, sections } from './binary.js'

export const FAULT = { CPU: 24, NULL: 11, STACK: 0 }    /* what co__fault is told: a signal's number; 0: stack full */
const LOWEST = 1024                                     /* no variable lies below: wasm-ld begins there */
const [I32, I64, F32, F64] = [0x7f, 0x7e, 0x7d, 0x7c]
const CALLS = [0x10, 0x11]
const SCRATCH = [I32, I32, I64, F32, F64]             /* an address; then a value of each type */
const STORED = { 0x36: I32, 0x37: I64, 0x38: F32, 0x39: F64, 0x3a: I32, 0x3b: I32, 0x3c: I64, 0x3d: I64, 0x3e: I64 }

/* How the rest of an instruction is skipped whose first byte was read. */
function skip(reader, op) {
  if (op === 0x02 || op === 0x03 || op === 0x04) return reader.skipLeb()
  if (op === 0x0c || op === 0x0d || op >= 0x20 && op <= 0x26) return reader.skipLeb()
  if (op === 0x0e) { for (let n = reader.uint() + 1; n > 0; n--) reader.skipLeb(); return }
  if (op === 0x10 || op === 0x3f || op === 0x40 || op === 0x41 || op === 0x42 || op === 0xd0 || op === 0xd2)
    return reader.skipLeb()
  if (op === 0x11) { reader.skipLeb(); return reader.skipLeb() }
  if (op === 0x1c) { reader.take(reader.uint()); return }
  if (op >= 0x28 && op <= 0x3e) {
    if (reader.uint() & 64) reader.skipLeb()
    return reader.skipLeb()
  }
  if (op === 0x43) { reader.take(4); return }
  if (op === 0x44) { reader.take(8); return }
  if (op === 0xfc) {
    const more = reader.uint()
    const counts = { 8: 2, 9: 1, 10: 2, 11: 1, 12: 2, 13: 1, 14: 2, 15: 1, 16: 1, 17: 1 }
    for (let n = counts[more] ?? 0; n > 0; n--) reader.skipLeb()
    return
  }
  if (op === 0x00 || op === 0x01 || op === 0x05 || op === 0x0b || op === 0x0f || op === 0x1a || op === 0x1b
      || op >= 0x45 && op <= 0xc4 || op === 0xd1) return
  throw new Error(`an instruction that is not known here: 0x${op.toString(16)}`)
}

/* One function's code while it is written anew. at: where it begins in the old code section. known: what find()
 * says. */
class Body {
  constructor(code, at, parameters, known) {
    Object.assign(this, { reader: new Reader(code), at, known, out: new Writer(), points: [] })
    let count = parameters
    const groups = this.reader.uint(), begin = this.reader.at
    for (let i = 0; i < groups; i++) {
      count += this.reader.uint()
      this.reader.byte()
    }
    this.out.uint(groups + SCRATCH.length).copy(code.subarray(begin, this.reader.at))
    this.address = count
    this.value = {}
    SCRATCH.forEach((type, i) => { this.out.put(1, type); this.value[type] = count + i })
  }

  note(place) { this.out.i32(this.known.pc).i32(place).put(0x36, 2, 0) }

  /* With a condition on the stack: if it holds, the program is at fault. */
  refuseIf(fault, place) {
    this.out.put(0x04, 0x40)
    this.note(place)
    this.out.i32(fault).put(0x10).uint(this.known.fault)
    this.points.push([this.out.length, place])
    this.out.put(0x0b)
  }

  /* With an address on the stack, which stays. */
  look(place) {
    this.out.put(0x22).uint(this.address).put(0x20).uint(this.address).i32(LOWEST).put(0x49)
    this.refuseIf(FAULT.NULL, place)
  }

  turn(place) {
    const { fuel } = this.known
    this.out.i32(fuel).i32(fuel).put(0x28, 2, 0).i32(1).put(0x6b, 0x36, 2, 0).i32(fuel).put(0x28, 2, 0, 0x45)
    this.refuseIf(FAULT.CPU, place)
  }

  /* With the new stack pointer on the stack, which stays. */
  lookAtStack(place) {
    this.out.put(0x22).uint(this.address).put(0x20).uint(this.address).i32(this.known.low).put(0x28, 2, 0, 0x49)
    this.refuseIf(FAULT.STACK, place)
  }

  instruction() {
    const { reader, out, known } = this, begin = reader.at, op = reader.byte()
    skip(reader, op)
    const place = this.at + reader.at, whole = reader.bytes.subarray(begin, reader.at)
    if (CALLS.includes(op)) this.note(place)
    else if (op >= 0x28 && op <= 0x35) this.look(place)
    else if (STORED[op]) {
      out.put(0x21).uint(this.value[STORED[op]])
      this.look(place)
      out.put(0x20).uint(this.value[STORED[op]])
    } else if (op === 0x24 && new Reader(whole, 1).uint() === known.sp) this.lookAtStack(place)
    out.copy(whole)
    if (CALLS.includes(op) || op === 0x00 || op >= 0x6d && op <= 0x82) this.points.push([out.length, place])
    if (op === 0x03) this.turn(place)
  }

  all() {
    while (this.reader.at < this.reader.end) this.instruction()
    return this
  }
}

/* What the module's own sections tell: how many parameters each type has, the type of each of its functions, the
 * numbers of co__fault and of the stack pointer. */
function find(parts) {
  const known = { parameters: [], types: [], fault: -1, sp: -1 }
  const of = id => new Reader(parts.find(part => part.id === id)?.body ?? new Uint8Array([0]))
  let reader = of(1)
  for (let n = reader.uint(); n > 0; n--) {
    reader.byte()
    const count = reader.uint()
    reader.take(count)
    known.parameters.push(count)
    reader.take(reader.uint())
  }
  reader = of(2)
  let functions = 0, globals = 0
  for (let n = reader.uint(); n > 0; n--) {
    reader.text()
    const name = reader.text(), kind = reader.byte()
    if (kind === 0) {
      reader.uint()
      if (name === 'co__fault') known.fault = functions
      functions++
    } else if (kind === 3) {
      reader.take(2)
      if (name === '__stack_pointer') known.sp = globals
      globals++
    } else {
      if (kind === 1) reader.byte()
      const limits = reader.byte()
      reader.skipLeb()
      if (limits & 1) reader.skipLeb()
    }
  }
  reader = of(3)
  for (let n = reader.uint(); n > 0; n--) known.types.push(reader.uint())
  return known
}

/* The module with all that. addresses: of co__pc, co__fuel, co__stack_low in the kit's memory. Returns {bytes, place}:
 * place(n) is what the old code section called the n-th byte of the new module, as an engine's stack traces have it. */
export function instrument(bytes, addresses) {
  const parts = sections(bytes), known = { ...find(parts), ...addresses }
  if (known.fault < 0) throw new Error('the module does not import co__fault')
  const out = new Writer(), points = []
  out.copy(bytes.subarray(0, 8))
  for (const part of parts) {
    if (part.id === 0 && part.name.startsWith('.debug')) continue
    if (part.id !== 10) {
      out.put(part.id).uint(part.body.length).copy(part.body)
      continue
    }
    const reader = new Reader(part.body), code = new Writer(), mine = []
    const n = reader.uint()
    code.uint(n)
    for (let i = 0; i < n; i++) {
      const size = reader.uint(), at = reader.at
      const body = new Body(reader.take(size), at, known.parameters[known.types[i]], known).all()
      code.uint(body.out.length)
      for (const [to, from] of body.points) mine.push([code.length + to, from])
      code.copy(body.out.done())
    }
    out.put(10).uint(code.length)
    for (const [to, from] of mine) points.push([out.length + to, from])
    out.copy(code.done())
  }
  return { bytes: out.done(), place: at => points.find(([to]) => to > at)?.[1] ?? 0 }
}
