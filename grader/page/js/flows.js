/* flows.js - the flows of control of a program in WebAssembly: keeps the stack of each aside while another one runs.
 *
 * Two ways with the same imports (sim/runtime/switch/switch_wasm.c). JSPI, where the browser has it: an import that
 * answers with a promise leaves its caller suspended until that is settled. Asyncify, everywhere: the program was
 * rewritten (Binaryen's pass of that name) so that it can put its own stack into memory and take it out again.
 */

export const hasJspi = () => typeof WebAssembly === 'object' && 'Suspending' in WebAssembly
  && 'promising' in WebAssembly

/* Thrown by whoever ends a flow for good. */
const ENDED = Symbol('ended')

/* begin(exports): starts the program; resolves when its first flow returns, rejects with what any flow has thrown. */
export class Jspi {
  constructor() {
    this.waiting = new Map()
    const suspending = fn => new WebAssembly.Suspending(fn)
    this.imports = {
      go_on: suspending((from, to, value) => this.leave(from, () => this.wake(to, value))),
      begin: suspending((from, top, entry, arg) => this.leave(from, () => this.start(top, entry, arg))),
      end: (to, value) => {
        this.wake(to, value)
        throw ENDED
      },
    }
  }

  leave(from, then) {
    return new Promise(resolve => {
      this.waiting.set(from, resolve)
      then()
    })
  }

  wake(to, value) {
    const resolve = this.waiting.get(to)
    this.waiting.delete(to)
    resolve(value)
  }

  /* Not at once: the flow that is being left is still on the stack. */
  start(top, entry, arg) {
    Promise.resolve().then(() => this.entry(top, entry, arg)).catch(error => { if (error !== ENDED) this.fail(error) })
  }

  begin(exports) {
    this.entry = WebAssembly.promising(exports.flow_entry)
    return new Promise((resolve, reject) => {
      this.fail = reject
      WebAssembly.promising(exports._start)().then(resolve, reject)
    })
  }
}

const ROOM = 64 * 1024      /* bytes for the stack of a flow that waits */
const [NORMAL, UNWINDING] = [0, 1]

export class Asyncify {
  constructor() {
    this.flows = new Map()      /* by the place of its context: a flow that waits */
    this.free = []              /* rooms that nobody uses */
    this.imports = {
      go_on: (from, to, value) => this.leave(from, () => this.back(to, value)),
      begin: (from, top, entry, arg) =>
        this.leave(from, () => ({ call: () => this.exports.flow_entry(top, entry, arg) })),
      end: (to, value) => {
        this.next = this.back(to, value)
        throw ENDED
      },
    }
  }

  back(to, value) {
    const flow = this.flows.get(to)
    this.flows.delete(to)
    return Object.assign(flow, { value, again: true })
  }

  /* Reached twice: when the flow is left, and when its stack has been taken out of memory again. */
  leave(from, then) {
    if (this.exports.asyncify_get_state() !== NORMAL) {
      this.exports.asyncify_stop_rewind()
      this.free.push(this.running.room)
      this.running.room = 0
      return this.running.value
    }
    const room = this.running.room = this.free.pop() ?? this.exports.malloc(ROOM + 8)
    const view = new DataView(this.exports.memory.buffer)
    view.setUint32(room, room + 8, true)
    view.setUint32(room + 4, room + 8 + ROOM, true)
    this.flows.set(from, this.running)
    this.next = then()
    this.exports.asyncify_start_unwind(room)
    return 0
  }

  async begin(exports) {
    this.exports = exports
    this.next = { call: () => exports._start() }
    while (this.next) {
      const flow = this.running = this.next
      this.next = null
      if (flow.again) exports.asyncify_start_rewind(flow.room)
      flow.again = false
      try {
        flow.call()
        if (exports.asyncify_get_state() === UNWINDING) exports.asyncify_stop_unwind()
      } catch (error) {
        if (error !== ENDED) throw error
      }
    }
  }
}

export const flows = way => way === 'jspi' ? new Jspi() : new Asyncify()
