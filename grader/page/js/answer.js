/* answer.js - in a worker: answers each question {id, …} with {id, …} or {id, fault}. */

export function answer(reply) {
  onmessage = async ({ data }) => {
    try {
      postMessage({ ...await reply(data), id: data.id })
    } catch (error) {
      postMessage({ id: data.id, fault: String(error?.message ?? error) })
    }
  }
  for (const one of globalThis.early ?? []) onmessage(one)
}
