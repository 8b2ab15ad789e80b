/* judging.js - the worker that judges: the grader's own Python, in Pyodide. {begin: {files, house, lock}}, then {told}
 * -> the verdict, and the page that draws the runs (judge.py). */
import { put } from './served.js'
import { loadPyodide } from 'pyodide'
import createPyodideModule from '../node_modules/pyodide/pyodide.asm.mjs'
import { answer } from './answer.js'

let judge

async function begin({ files, house, lock }) {
  put(files)
  const python = await loadPyodide({ indexURL: 'https://page.invalid/', lockFileContents: lock, packageBaseUrl:
    'https://page.invalid/', createPyodideModule })
  for (const [name, text] of Object.entries(house)) {
    python.FS.mkdirTree('/house/' + name.split('/').slice(0, -1).join('/'))
    python.FS.writeFile('/house/' + name, text)
  }
  judge = python.runPython('import sys; sys.path.insert(0, "/house/grader/page"); import judge; judge.judged')
}

answer(async ({ begin: setup, told }) => setup ? begin(setup) : { verdict: JSON.parse(judge(JSON.stringify(told))) })
