/* keep.js - what is kept between two visits: the texts that were typed, and which warm-ups are right. Where the browser
 * keeps nothing, all goes on without. */

const KEY = 'looplab/page/v1/'

export class Keep {
  constructor() {
    this.lost = new Map()
    try {
      localStorage.setItem(KEY + 'try', '')
      localStorage.removeItem(KEY + 'try')
      this.works = true
    } catch {
      this.works = false
    }
  }

  /* Under that name; null: nothing. */
  get(name) {
    return this.lost.get(name) ?? (this.works ? localStorage.getItem(KEY + name) : null)
  }

  /* True if it will be there next time. */
  set(name, value) {
    try {
      localStorage.setItem(KEY + name, value)
      this.lost.delete(name)
      return true
    } catch {
      this.lost.set(name, value)
      return false
    }
  }

  remove(name) {
    this.lost.delete(name)
    if (this.works) localStorage.removeItem(KEY + name)
  }
}
