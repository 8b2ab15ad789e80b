/* served.js - in a worker: the files that a package asks for by name are at hand, so nothing is fetched. */

const files = {}

/* A page that was opened from a folder has only classic workers. Pyodide refuses them, as there it cannot import what
 * it asks for: but all of it is here. It tells them by this function. */
globalThis.importScripts = () => { throw new Error('nothing is loaded here') }

export const put = more => Object.assign(files, more)

globalThis.fetch = async url => {
  const name = String(url?.url ?? url).split('/').pop(), found = files[name]
  if (!found) throw new Error(`${name} is not in the page`)
  const type = name.endsWith('.wasm') ? 'application/wasm' : 'application/octet-stream'
  return new Response(found, { headers: { 'content-type': type } })
}
