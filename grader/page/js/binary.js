/* binary.js - reading and writing the numbers that WebAssembly files are made of. */

export class Reader {
  constructor(bytes, at = 0, end = bytes.length) { Object.assign(this, { bytes, at, end }) }

  byte() {
    if (this.at >= this.end) throw new Error('a WebAssembly file ends too early')
    return this.bytes[this.at++]
  }

  /* An unsigned LEB128 number below 2^53. */
  uint() {
    let value = 0, scale = 1
    for (;;) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }

  skipLeb() { while (this.byte() >= 128); }

  /* The next n bytes, not copied. */
  take(n) {
    if (this.at + n > this.end) throw new Error('a WebAssembly file ends too early')
    this.at += n
    return this.bytes.subarray(this.at - n, this.at)
  }

  text() { return new TextDecoder().decode(this.take(this.uint())) }
}

export class Writer {
  constructor() { this.bytes = new Uint8Array(1 << 12), this.length = 0 }

  room(n) {
    if (this.length + n <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.length + n))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }

  put(...bytes) {
    this.room(bytes.length)
    for (const byte of bytes) this.bytes[this.length++] = byte
    return this
  }

  copy(bytes) {
    this.room(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
    return this
  }

  uint(value) {
    for (; value >= 128; value = Math.floor(value / 128)) this.put(value % 128 + 128)
    return this.put(value)
  }

  /* i32.const of an unsigned number below 2^32. */
  i32(value) {
    this.put(0x41)
    value |= 0
    for (;;) {
      const low = value & 127
      value >>= 7
      if (value === 0 && !(low & 64) || value === -1 && low & 64) return this.put(low)
      this.put(low | 128)
    }
  }

  done() { return this.bytes.slice(0, this.length) }
}

/* The sections of a module, in order: {id, name (of a custom one), start, body}. start: where the body begins in the
 * file; addresses of debug information count from there in the code section. */
export function sections(bytes) {
  const reader = new Reader(bytes, 8), all = []
  while (reader.at < reader.end) {
    const id = reader.byte(), size = reader.uint(), start = reader.at, body = reader.take(size)
    all.push({ id, start, body, name: id === 0 ? new Reader(body).text() : '' })
  }
  return all
}
