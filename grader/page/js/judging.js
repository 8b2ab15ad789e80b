/* judging.js - the worker that judges: the grader's own Python, in Pyodide. It is told of a file's runs and answers with
 * its verdict and the page that draws them (judge.py). */
import { loadPyodide } from 'pyodide'

let python

/* Pyodide asks for its files by name, relative to where it believes to be: here they are at hand. */
function serve(files) {
  globalThis.fetch = async url => {
    const name = String(url).split('/').pop(), found = files[name]
    if (!found) throw new Error(`${name} is not in the page`)
    const type = name.endsWith('.wasm') ? 'application/wasm' : 'application/octet-stream'
    return new Response(found, { headers: { 'content-type': type } })
  }
}

async function begin({ files, house }) {
  serve(files)
  python = await loadPyodide({ indexURL: 'https://page.invalid/', lockFileContents: '{"info":{},"packages":{}}',
    packages: [] })
  for (const [name, text] of Object.entries(house)) {
    python.FS.mkdirTree('/house/' + name.split('/').slice(0, -1).join('/'))
    python.FS.writeFile('/house/' + name, text)
  }
  python.runPython('import sys; sys.path.insert(0, "/house/grader/page"); import judge')
}

onmessage = async ({ data }) => {
  try {
    if (data.begin) {
      await begin(data.begin)
      postMessage({ ready: true })
    } else {
      const judged = python.globals.get('judge').judged(JSON.stringify(data.told))
      postMessage({ id: data.id, verdict: JSON.parse(judged) })
    }
  } catch (error) {
    postMessage({ id: data.id, fault: String(error) })
  }
}
