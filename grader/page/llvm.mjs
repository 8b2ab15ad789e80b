/* llvm.mjs - LLVM's programs, in WebAssembly, on files in memory. The packages are those of the folder that node was
 * begun in. */
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const require = createRequire(path.join(process.cwd(), 'package.json'))
export const load = name => import(pathToFileURL(require.resolve(name)))
const bundle = path.join(process.cwd(), 'node_modules/@yowasp/clang/gen/bundle.js')
export const { runLLVM } = await import(pathToFileURL(bundle))

/* A tree of files as LLVM's programs are given it, from {path: bytes}. */
export function tree(files) {
  const top = {}
  for (const [name, bytes] of Object.entries(files)) {
    const folders = name.split('/'), last = folders.pop()
    folders.reduce((at, folder) => at[folder] ??= {}, top)[last] = bytes
  }
  return top
}

/* The file of a tree that has this path. */
export const at = (files, name) => name.split('/').reduce((one, word) => one?.[word], files)

async function said(command, files) {
  let text = ''
  const hear = bytes => { if (bytes) text += new TextDecoder().decode(bytes) }
  try {
    return { files: await runLLVM(command, files, { stdout: hear, stderr: hear, fetchProgress: () => {} }), text }
  } catch (error) {
    throw new Error(`${command.slice(0, 3).join(' ')}: ${text || error}`)
  }
}

/* Runs one; what it warns of is passed on. Returns the files as they are afterwards. */
export async function llvm(command, files) {
  const done = await said(command, files)
  if (done.text) process.stderr.write(done.text)
  return done.files
}

/* Runs one; returns what it prints. */
export const tell = async (command, files) => (await said(command, files)).text

/* The command that clang would run for this one: the compiler's own, or the linker's. */
export async function words([clang, ...rest], files) {
  const line = (await said([clang, '-###', ...rest], files)).text.split('\n').findLast(one => one.startsWith(' "'))
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word]) => word.replace(/\\(.)/g, '$1')).filter(Boolean)
}
