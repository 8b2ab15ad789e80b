/* build.mjs - lays out the page: all that it needs, in scripts.
 *
 *     node build.mjs ROOT KIT PLAN OUT      in a folder with the packages of package.json and this folder's files
 *
 * KIT: what kit.mjs has made; PLAN: what plan.py has written. A page that was opened from a folder may load scripts and
 * nothing else, so what is no script is packed: a part is a list of files, as gzip, as base64, in pieces of 1 MB.
 */
import { build } from 'esbuild'
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'

const [root, kit, planned, out] = process.argv.slice(2).map(one => path.resolve(one))
const here = path.dirname(new URL(import.meta.url).pathname), packages = path.join(here, 'node_modules')
const PIECE = 1 << 20           /* bytes of base64 */
const C_HEADERS = /^(__)?(std|float|limits|inttypes|iso646|varargs|tgmath)[a-z_0-9]*\.h$/

const read = (...names) => fs.readFileSync(path.join(...names))
const json = value => Buffer.from(JSON.stringify(value))

/* One of the scripts, with all that it imports, as text. */
async function bundle(name, format = 'iife') {
  const done = await build({ entryPoints: [path.join(here, 'js', name)], bundle: true, write: false, minify: true,
    format, platform: 'browser', target: 'es2022', legalComments: 'none',
    external: ['node:*', 'ws'], define: { 'import.meta.url': '"https://page.invalid/"' },
    logLevel: 'error', absWorkingDir: here })
  return Buffer.from(done.outputFiles[0].contents)
}

/* The same for one that waits for something before it is whole. What it is asked meanwhile it answers then. */
const later = async name => Buffer.concat([Buffer.from('globalThis.early = []; onmessage = one => early.push(one);'
  + ' (async () => {'), await bundle(name, 'esm'), Buffer.from('})()')])

/* Of a tar archive (POSIX ustar, with GNU's long names) the files that are asked for, as one. */
function thinned(tar, wanted) {
  const kept = []
  for (let at = 0, long = null; at < tar.length && tar[at];) {
    const field = (from, size) => tar.toString('utf8', at + from, at + from + size).replace(/\0.*$/s, '')
    const size = 512 + Math.ceil(parseInt(field(124, 12) || '0', 8) / 512) * 512, kind = field(156, 1)
    if (kind === 'L') long = [at, size]
    else {
      const name = long ? tar.toString('utf8', long[0] + 512, at).replace(/\0.*$/s, '')
        : [field(345, 155), field(0, 100)].filter(Boolean).join('/')
      if (kind === '5' || wanted(name.replace(/^\.\//, ''))) {
        if (long) kept.push(tar.subarray(long[0], long[0] + long[1]))
        kept.push(tar.subarray(at, at + size))
      }
      long = null
    }
    at += size
  }
  return Buffer.concat([...kept, Buffer.alloc(1024)])
}

const isWanted = name => !name.includes('c++') && (name.startsWith('include/wasm32-wasip1/')
  || name.startsWith('include/') && C_HEADERS.test(name.slice(8)))

/* {name: bytes} in pieces NAME.0.js, …. Returns how many. */
function pack(name, files) {
  const list = json(Object.entries(files).map(([one, bytes]) => [one, bytes.length])), length = Buffer.alloc(4)
  length.writeUInt32LE(list.length)
  const text = zlib.gzipSync(Buffer.concat([length, list, ...Object.values(files)]), { level: 9 }).toString('base64')
  let pieces = 0
  for (; pieces * PIECE < text.length; pieces++)
    fs.writeFileSync(path.join(out, `${name}.${pieces}.js`),
      `looplabPiece("${text.slice(pieces * PIECE, (pieces + 1) * PIECE)}")\n`)
  return pieces
}

/* How large the files are whose names begin so. */
function megabytes(begin) {
  const names = fs.readdirSync(out).filter(name => name.startsWith(begin))
  return (names.reduce((sum, name) => sum + fs.statSync(path.join(out, name)).size, 0) / 1e6).toFixed(1)
}

/* The files of some folders of the house, as text: {path: text}. */
const house = list => Object.fromEntries(list.map(name => [name, read(root, name).toString()]))
const below = (folder, end) => fs.readdirSync(path.join(root, folder), { recursive: true })
  .filter(name => end.test(name)).map(name => path.join(folder, name)).sort()

fs.rmSync(out, { recursive: true, force: true })
fs.mkdirSync(out, { recursive: true })
const llvm = path.join(packages, '@yowasp/clang/gen'), pyodide = path.join(packages, 'pyodide')
const cores = fs.readdirSync(llvm).filter(name => name.endsWith('.wasm'))
const lock = JSON.parse(read(pyodide, 'pyodide-lock.json'))
const parts = {
  kit: ['the runtime', { 'worker.js': await bundle('worker-jspi.js'), 'kit.wasm': read(kit, 'kit.wasm') }],
  asyncify: ['the runtime, and what a browser without JSPI needs', { 'worker.js': await later('worker-asyncify.js'),
    'kit.wasm': read(kit, 'kit-asyncify.wasm') }],
  python: ['the grader', { 'worker.js': await bundle('judging.js'), lock: json({ ...lock, packages: {} }),
    house: json(house([...below('grader/looplab', /\.(py|css|html|js|json|h)$/), 'grader/page/judge.py',
      'grader/page/c/include/errno.h',
      ...below('labs/00-warmups', /\.(c|h|json)$/)])),
    'pyodide.asm.wasm': read(pyodide, 'pyodide.asm.wasm'), 'python_stdlib.zip': read(pyodide, 'python_stdlib.zip') }],
  clang: ['the compiler', { 'worker.js': await bundle('compiling.js'),
    headers: read(kit, 'house.json'),
    ...Object.fromEntries(cores.map(name => [name, read(llvm, name)])),
    'llvm-resources.tar': thinned(read(llvm, 'llvm-resources.tar'), isWanted) }],
}
const table = Object.entries(parts).map(([name, [what, files]]) => ({ name, what, pieces: pack(name, files) }))
for (const { name, what } of table) console.log(`  ${name.padEnd(10)} ${megabytes(`${name}.`).padStart(5)} MB  ${what}`)
const data = { plan: JSON.parse(read(planned)), parts: table }
fs.writeFileSync(path.join(out, 'page.js'), Buffer.concat([
  Buffer.from(`globalThis.looplab = ${JSON.stringify(data)};\n`), await bundle('page.js')]))
for (const name of ['index.html', 'page.css']) fs.copyFileSync(path.join(here, name), path.join(out, name))
console.log(`${out}: ${megabytes('')} MB; of the first two a browser loads one`)
