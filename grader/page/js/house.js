/* house.js - who does the work: loads what is needed, a part at a time, and hands it to three workers. One compiles, one
 * runs, one judges. The one that runs, and the one that compiles, are ended and begun anew where they do not come back.
 *
 * A page that was opened from a folder may load scripts and nothing else: so all that is not a script is wrapped in
 * scripts, each of which calls looplabPiece(name, number, base64 of gzip). Workers begin from the text of one.
 */

const PATIENCE_MS = 15000       /* what compiles or runs longer than this is stopped */

const bytesOf = text => Uint8Array.fromBase64 ? Uint8Array.fromBase64(text)
  : Uint8Array.from(atob(text), letter => letter.charCodeAt(0))

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

export class House {
  constructor(tell) { this.tell = tell }

  async open() {
    try {
      const { parts, code } = globalThis.looplabParts, of = parts.reduce((sum, part) => sum + part.pieces, 0)
      let loaded = 0, pieces = []
      globalThis.looplabPiece = text => pieces.push(bytesOf(text))
      const got = {}
      for (const part of parts) {
        pieces = []
        for (let i = 0; i < part.pieces; i++) {
          this.tell({ loaded: loaded++, of, what: part.what })
          await script(`${part.name}.${i}.js`)
        }
        got[part.name] = await unzip(pieces)
        if (part.name === 'clang') this.compiler = new Worked(code.compiling, { resources: got })
        if (part.name === 'kit') this.runner = new Worked(code.running, { kit: got.kit })
        if (part.name === 'python') this.judge = new Worked(code.judging, { files: got })
      }
      await Promise.all([this.compiler.ready, this.runner.ready, this.judge.ready])
      this.tell({ ready: true })
    } catch (error) {
      this.tell({ fault: error.message })
    }
  }
}

export { PATIENCE_MS }
