/* house.js - who does the work: loads what is needed, a part at a time, and hands it to three workers. One compiles,
 * one runs, one judges. The one that runs, and the one that compiles, are ended and begun anew where they do not come
 * back.
 *
 * A page that was opened from a folder may load scripts and nothing else: so all that is not a script is wrapped in
 * scripts, each of which calls looplabPiece(name, number, base64 of gzip). Workers begin from the text of one.
 */

import { hasJspi } from './flows.js'

const PATIENCE_S = 30           /* what compiles or runs longer than this is stopped */

const bytesOf = text => Uint8Array.fromBase64 ? Uint8Array.fromBase64(text)
  : Uint8Array.from(atob(text), letter => letter.charCodeAt(0))

const textOf = bytes => new TextDecoder().decode(bytes)

async function unzip(pieces) {
  const stream = new Blob(pieces).stream().pipeThrough(new DecompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/* Runs a script of the page's folder. */
const script = src => new Promise((resolve, reject) => {
  const one = document.createElement('script')
  Object.assign(one, { src, onload: () => (one.remove(), resolve()),
    onerror: () => reject(new Error(`${src} is missing: the page's folder is not complete`)) })
  document.head.append(one)
})

/* A worker that answers each question, known by its number. */
class Worked {
  constructor(code, setup) {
    Object.assign(this, { code, setup, asked: new Map(), last: 0 })
    this.begin()
  }

  begin() {
    const url = URL.createObjectURL(new Blob([this.code], { type: 'text/javascript' }))
    this.worker = new Worker(url)
    this.worker.onmessage = ({ data }) => {
      const one = this.asked.get(data.id)
      this.asked.delete(data.id)
      if (data.fault) one?.reject(new Error(data.fault))
      else one?.resolve(data)
    }
    this.worker.onerror = event => { for (const one of this.asked.values()) one.reject(new Error(event.message)) }
    this.ready = this.ask({ begin: this.setup })
  }

  ask(question) {
    const id = ++this.last
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject })
      this.worker.postMessage({ ...question, id })
    })
  }

  /* Ends it in the middle of its work, and begins it anew. */
  stop(why) {
    this.worker.terminate()
    const asked = [...this.asked.values()]
    this.asked.clear()
    this.begin()
    for (const one of asked) one.reject(why)
  }
}

/* A part's files, {name: bytes}: as build.mjs has packed them. */
function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true), files = {}
  let at = 4 + length
  for (const [name, size] of JSON.parse(textOf(bytes.subarray(4, at)))) {
    files[name] = bytes.slice(at, at + size)
    at += size
  }
  return files
}

export class House {
  /* tell({loaded, of, what} | {ready} | {fault}): how far it is. */
  constructor(tell) { this.tell = tell }

  async open() {
    try {
      const way = hasJspi() && !location.search.includes('asyncify') ? 'jspi' : 'asyncify'
      const wanted = [way === 'jspi' ? 'kit' : 'asyncify', 'clang', 'python']
      const parts = wanted.map(name => globalThis.looplab.parts.find(part => part.name === name))
      const of = parts.reduce((sum, part) => sum + part.pieces, 0)
      let loaded = 0
      for (const part of parts) {
        const pieces = []
        globalThis.looplabPiece = text => pieces.push(bytesOf(text))
        for (let i = 0; i < part.pieces; i++) {
          this.tell({ loaded: loaded++, of, what: part.what })
          await script(`${part.name}.${i}.js`)
        }
        this.take(part.name, way, unpack(await unzip(pieces)))
      }
      this.tell({ loaded, of, what: 'the last of it' })
      await Promise.all([this.compiler.ready, this.runner.ready, this.judge.ready])
      this.tell({ ready: true })
    } catch (error) {
      this.tell({ fault: `The page could not be made ready: ${error.message}` })
    }
  }

  take(name, way, { 'worker.js': code, ...files }) {
    if (name === 'clang') {
      const headers = JSON.parse(textOf(files.headers))
      this.compiler = new Worked(code, { files, headers })
    } else if (name === 'python') {
      const [house, lock] = [JSON.parse(textOf(files.house)), textOf(files.lock)]
      this.judge = new Worked(code, { files, house, lock })
    } else {
      this.runner = new Worked(code, { kit: files['kit.wasm'], way })
    }
  }

  /* The verdict on a warm-up's file, as judge.py says it, with what the program printed and the compiler's words. */
  async grade(warmup, text, seed) {
    const watch = setTimeout(() => this.stop(`It took longer than ${PATIENCE_S} s, and was stopped.`),
      PATIENCE_S * 1000)
    try {
      const { exit, stderr, bytes } = await this.compiler.ask({ name: `${warmup.name}.c`, text })
      const made = bytes ? await this.run(bytes, warmup.runs, seed) : []
      const { verdict } = await this.judge.ask({ told: { name: warmup.name, text, seed, compiler: { exit, stderr },
        runs: made } })
      return { ...verdict, printed: printed(stderr, made, warmup.runs), marks: marks(warmup.name, stderr), runs: made }
    } finally {
      clearTimeout(watch)
    }
  }

  /* The runs; where one does not come back they are as if the launcher had ended it. */
  async run(bytes, plan, seed) {
    try {
      return (await this.runner.ask({ bytes, plan, seed })).runs
    } catch (error) {
      if (!error.stopped) throw error
      return [[{ exit: null, signal: null, limit: 'wall', stdout: '', stderr: '', trace: '' }]]
    }
  }

  /* Ends what is under way, if it is a program or a compiler; whoever waits for it hears of it. */
  stop(why = 'Stopped.') {
    for (const one of [this.compiler, this.runner])
      if (one.asked.size) one.stop(Object.assign(new Error(why), { stopped: true }))
  }
}

/* What the compiler said, and what the program printed in its runs up to the first wrong end. */
function printed(stderr, made, plan) {
  const said = made.map(([one], i) => `${plan[i].twist ? `twist: ${plan[i].twist}` : 'plain run'}\n${one.stdout}`
    + (one.stderr && `(stderr) ${one.stderr}`))
  return [stderr, ...said].filter(Boolean).join('\n')
}

/* clang's words that belong to a line of the file. */
function marks(name, stderr) {
  const all = stderr.matchAll(/^([^:\n]+):(\d+):(\d+): (?:fatal )?(error|warning): (.*)$/gm)
  return [...all].filter(([, file]) => file === `${name}.c`).map(([, , line, column, severity, message]) =>
    ({ line: Number(line), column: Number(column), severity, message }))
}
